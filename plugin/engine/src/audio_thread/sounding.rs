//! The notes that sound, each held until its note-off went out.

use sideman_music::{PARTS, Part, Pulse};

use crate::messages::Message;

/// Which pitches of which part sound, since when and until when. Owned by the audio thread. No
/// allocation.
#[derive(Debug, Clone)]
pub struct Sounding {
    /// A bit for each sounding pitch of each part.
    held: [u128; PARTS],
    since: [[Pulse; 128]; PARTS],
    until: [[Pulse; 128]; PARTS],
    /// Earliest end of all; `Pulse::MAX` when nothing sounds.
    next: Pulse,
}

impl Default for Sounding {
    fn default() -> Self {
        Self { held: [0; PARTS], since: [[0; 128]; PARTS], until: [[0; 128]; PARTS], next: Pulse::MAX }
    }
}

/// Pitches of a set of bits, ascending.
fn pitches(mut bits: u128) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        (bits != 0).then(|| {
            let pitch = bits.trailing_zeros() as u8;
            bits &= bits - 1;
            pitch
        })
    })
}

impl Sounding {
    /// Number of sounding notes.
    pub fn len(&self) -> u32 {
        self.held.iter().map(|h| h.count_ones()).sum()
    }

    /// Whether nothing sounds.
    pub fn is_empty(&self) -> bool {
        self.held == [0; PARTS]
    }

    /// When the next note ends, if any sounds.
    pub fn next_end(&self) -> Option<Pulse> {
        (!self.is_empty()).then_some(self.next)
    }

    /// Starts a note, after ending what it replaces: the same pitch, and in the bass any note. A note
    /// that would replace one struck at the same pulse is left out; if it has the same pitch, the one
    /// that sounds takes over the later end.
    pub fn start(
        &mut self,
        at: Pulse,
        until: Pulse,
        part: Part,
        pitch: u8,
        velocity: u8,
        emit: &mut impl FnMut(Message),
    ) {
        let (i, p) = (part.index(), usize::from(pitch & 127));
        let replaced = if part == Part::Bass { self.held[i] } else { self.held[i] & (1 << p) };
        if let Some(same) = pitches(replaced).find(|&q| self.since[i][usize::from(q)] == at) {
            if usize::from(same) == p {
                self.until[i][p] = self.until[i][p].max(until);
                self.find_next();
            }
            return;
        }
        for q in pitches(replaced) {
            self.stop(at, part, q, emit);
        }
        self.held[i] |= 1 << p;
        self.since[i][p] = at;
        self.until[i][p] = until.max(at + 1);
        self.find_next();
        emit(Message { at, part, pitch: p as u8, velocity: velocity.clamp(1, 127) });
    }

    /// Ends all notes whose time is up at a pulse, each at its own time.
    pub fn end_due(&mut self, at: Pulse, emit: &mut impl FnMut(Message)) {
        while self.next <= at {
            let now = self.next;
            for part in Part::ALL {
                for pitch in pitches(self.held[part.index()]) {
                    if self.until[part.index()][usize::from(pitch)] <= now {
                        self.stop(now, part, pitch, emit);
                    }
                }
            }
            self.find_next();
        }
    }

    /// Ends everything.
    pub fn end_all(&mut self, at: Pulse, emit: &mut impl FnMut(Message)) {
        for part in Part::ALL {
            for pitch in pitches(self.held[part.index()]) {
                self.stop(at, part, pitch, emit);
            }
        }
        self.next = Pulse::MAX;
    }

    fn stop(&mut self, at: Pulse, part: Part, pitch: u8, emit: &mut impl FnMut(Message)) {
        self.held[part.index()] &= !(1 << pitch);
        emit(Message { at, part, pitch, velocity: 0 });
    }

    fn find_next(&mut self) {
        let ends = |i: usize| pitches(self.held[i]).map(move |p| (i, p));
        self.next =
            (0..PARTS).flat_map(ends).map(|(i, p)| self.until[i][usize::from(p)]).min().unwrap_or(Pulse::MAX);
    }
}
