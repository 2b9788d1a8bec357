//! Which note goes where: octaves, levels, mutes and channels, and the way back for every note-off.

use sideman_music::{PARTS, Part};

use crate::messages::Message;

/// A note message on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoutedNote {
    /// Whose note.
    pub part: Part,
    /// Channel on which the host gets it; `None` when the host does not.
    pub channel: Option<u8>,
    /// Pitch as it is sent.
    pub pitch: u8,
    /// Velocity after the level, 1 to 127, or 0 for a note-off.
    pub velocity: u8,
    /// Whether the synthesiser inside plays it, too: it hears each part for itself, while two parts may share
    /// a channel of the host.
    pub inside: bool,
}

/// How a part is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Routing {
    /// Whether it is heard at all.
    pub audible: bool,
    /// Channel for the host, or none.
    pub channel: Option<u8>,
    /// Pitch that a note-on is sent at; `None` where it would leave the range of MIDI.
    pub pitch: Option<u8>,
    /// Factor on velocities.
    pub level: f32,
}

/// Where a sounding note went.
#[derive(Debug, Clone, Copy)]
struct Destination {
    pitch: u8,
    channel: Option<u8>,
}

/// Sends the band's notes out. A note-off always goes where its note-on went, whatever was changed meanwhile.
/// Owned by the audio thread. No allocation.
#[derive(Debug, Clone)]
pub struct Router {
    /// Where the sounding notes of each part went, by the pitch that the band knows.
    places: [[Option<Destination>; 128]; PARTS],
    /// How many notes sound on each channel and pitch at the host: two parts may share one.
    shared: [[u8; 128]; 16],
}

impl Default for Router {
    fn default() -> Self {
        Self { places: [[None; 128]; PARTS], shared: [[0; 128]; 16] }
    }
}

impl Router {
    /// Sends a message of the band the way of its part.
    pub fn send(&mut self, m: Message, routing: &Routing, emit: &mut impl FnMut(RoutedNote)) {
        let (part, index) = (m.part.index(), usize::from(m.pitch & 127));
        // In any case what sounds ends first.
        self.end(m.part, index, emit);
        if m.velocity == 0 || !routing.audible {
            return;
        }
        let Some(pitch) = routing.pitch.filter(|&pitch| pitch < 128) else { return };
        let velocity = (f32::from(m.velocity) * routing.level).round();
        if velocity < 1.0 {
            return;
        }
        let velocity = velocity.min(127.0) as u8;
        // After a change of octave another note of the part may sound at this very pitch.
        if let Some(other) = self.places[part].iter().position(|p| p.is_some_and(|p| p.pitch == pitch)) {
            self.end(m.part, other, emit);
        }
        let channel = routing.channel.map(|c| c & 15);
        if let Some(c) = channel {
            let count = &mut self.shared[usize::from(c)][usize::from(pitch)];
            if *count > 0 {
                // Another part holds this very note: it is struck anew, and ends with the last of them.
                emit(RoutedNote { part: m.part, channel, pitch, velocity: 0, inside: false });
            }
            *count = count.saturating_add(1);
        }
        self.places[part][index] = Some(Destination { pitch, channel });
        emit(RoutedNote { part: m.part, channel, pitch, velocity, inside: true });
    }

    fn end(&mut self, part: Part, index: usize, emit: &mut impl FnMut(RoutedNote)) {
        let Some(place) = self.places[part.index()][index].take() else { return };
        let mut channel = place.channel;
        if let Some(c) = channel {
            let count = &mut self.shared[usize::from(c)][usize::from(place.pitch)];
            *count = count.saturating_sub(1);
            if *count > 0 {
                channel = None;
            }
        }
        emit(RoutedNote { part, channel, pitch: place.pitch, velocity: 0, inside: true });
    }

    /// Number of notes that sound.
    pub fn sounding(&self) -> usize {
        self.places.iter().flatten().flatten().count()
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::disallowed_macros)]
mod tests {
    use super::*;

    /// As the band has it, no octave up.
    const OWN: (Routing, i16) = (Routing { audible: true, channel: Some(1), pitch: None, level: 1.0 }, 0);

    fn note(part: Part, pitch: u8, velocity: u8) -> Message {
        Message { at: 0, part, pitch, velocity }
    }

    fn sent(router: &mut Router, m: Message, (routing, octave): (Routing, i16)) -> Vec<(Option<u8>, u8, u8)> {
        let mut out = Vec::new();
        let routing = Routing { pitch: u8::try_from(i16::from(m.pitch) + 12 * octave).ok(), ..routing };
        router.send(m, &routing, &mut |s| out.push((s.channel, s.pitch, s.velocity)));
        out
    }

    #[test]
    fn a_note_off_goes_where_its_note_on_went() {
        let mut r = Router::default();
        assert_eq!(sent(&mut r, note(Part::Bass, 40, 80), OWN), [(Some(1), 40, 80)]);
        let moved = (Routing { channel: Some(7), level: 0.5, ..OWN.0 }, 1);
        assert_eq!(sent(&mut r, note(Part::Bass, 40, 0), moved), [(Some(1), 40, 0)]);
        assert_eq!(sent(&mut r, note(Part::Bass, 40, 80), moved), [(Some(7), 52, 40)]);
        assert_eq!(sent(&mut r, note(Part::Bass, 40, 0), OWN), [(Some(7), 52, 0)]);
        assert_eq!(r.sounding(), 0);
    }

    #[test]
    fn two_parts_on_one_channel_share_a_note() {
        let mut r = Router::default();
        assert_eq!(sent(&mut r, note(Part::Guitar, 60, 80), OWN).len(), 1);
        assert_eq!(sent(&mut r, note(Part::Strings, 60, 70), OWN), [(Some(1), 60, 0), (Some(1), 60, 70)]);
        // The synthesiser inside hears each part for itself.
        assert_eq!(sent(&mut r, note(Part::Guitar, 60, 0), OWN), [(None, 60, 0)]);
        assert_eq!(sent(&mut r, note(Part::Strings, 60, 0), OWN), [(Some(1), 60, 0)]);
    }

    #[test]
    fn a_change_of_octave_does_not_strike_a_note_that_sounds() {
        let mut r = Router::default();
        assert_eq!(sent(&mut r, note(Part::Guitar, 65, 80), OWN), [(Some(1), 65, 80)]);
        let high = (OWN.0, 1);
        assert_eq!(sent(&mut r, note(Part::Guitar, 53, 70), high), [(Some(1), 65, 0), (Some(1), 65, 70)]);
        assert!(sent(&mut r, note(Part::Guitar, 65, 0), high).is_empty());
        assert_eq!(sent(&mut r, note(Part::Guitar, 53, 0), high), [(Some(1), 65, 0)]);
    }

    #[test]
    fn what_cannot_be_played_is_left_out_whole() {
        let mut r = Router::default();
        let high = (OWN.0, 2);
        assert!(sent(&mut r, note(Part::Guitar, 110, 80), high).is_empty());
        assert!(sent(&mut r, note(Part::Guitar, 110, 0), high).is_empty());
        let low = (OWN.0, -2);
        assert!(sent(&mut r, note(Part::Bass, 20, 80), low).is_empty());
        assert!(sent(&mut r, note(Part::Bass, 30, 80), (Routing { level: 0.0, ..OWN.0 }, 0)).is_empty());
        assert!(sent(&mut r, note(Part::Bass, 30, 80), (Routing { audible: false, ..OWN.0 }, 0)).is_empty());
        assert_eq!(sent(&mut r, note(Part::Drums, 36, 80), OWN), [(Some(1), 36, 80)]);
    }
}
