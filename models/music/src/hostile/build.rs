//! Bricks of MIDI files, right and wrong ones.

/// An end-of-track event.
pub const END: &[u8] = &[0, 0xFF, 0x2F, 0];
/// A quarter note on middle C at 480 ticks a quarter note.
pub const NOTE: &[u8] = &[0, 0x90, 60, 80, 0x83, 0x60, 0x80, 60, 0];

/// A header chunk.
pub fn header(format: u16, tracks: u16, division: u16) -> Vec<u8> {
    let mut out = b"MThd\0\0\0\x06".to_vec();
    for word in [format, tracks, division] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    out
}

/// A chunk with its true length.
pub fn chunk(id: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut out = id.to_vec();
    out.extend_from_slice(&(content.len() as u32).to_be_bytes());
    out.extend_from_slice(content);
    out
}

/// A file of format 0 or 1 with 480 ticks a quarter note and these track contents.
pub fn file(tracks: &[&[u8]]) -> Vec<u8> {
    let mut out = header(u16::from(tracks.len() > 1), tracks.len() as u16, 480);
    for track in tracks {
        out.extend(chunk(b"MTrk", track));
    }
    out
}

/// A file of one track from pieces, with an end-of-track event after them.
pub fn song(pieces: &[&[u8]]) -> Vec<u8> {
    let mut content = pieces.concat();
    content.extend_from_slice(END);
    file(&[&content])
}

/// Writes the content of a track, byte by byte.
#[derive(Debug, Default, Clone)]
pub struct Track(pub Vec<u8>);

impl Track {
    /// An event after a delta time.
    pub fn event(&mut self, delta: u32, bytes: &[u8]) -> &mut Self {
        for shift in [21, 14, 7] {
            if delta >> shift != 0 {
                self.0.push((delta >> shift) as u8 & 0x7F | 0x80);
            }
        }
        self.0.push(delta as u8 & 0x7F);
        self.0.extend_from_slice(bytes);
        self
    }

    /// A meta event with its true length, up to 2^28 - 1.
    pub fn meta(&mut self, delta: u32, kind: u8, data: &[u8]) -> &mut Self {
        self.event(delta, &[0xFF, kind]);
        // The length is a variable-length quantity like a delta time.
        self.event(data.len() as u32, data)
    }

    /// The content with an end-of-track event.
    pub fn ended(&self) -> Vec<u8> {
        [&self.0, END].concat()
    }

    /// A file of this one track.
    pub fn file(&self) -> Vec<u8> {
        file(&[&self.ended()])
    }
}
