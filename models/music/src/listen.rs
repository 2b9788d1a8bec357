//! The piano as the band receives it: a frame for each step, strictly causal.

use crate::score::Note;
use crate::time::{Pulse, STEP_PULSES};

/// The piano at the decision point of one step (pulse `step * 120` plus the [`Lean`]): onsets
/// since the decision point before, up to and including this one, and what sounds now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PianoFrame {
    /// Pitch classes sounding at the decision point, or struck in this frame; bit 0 is C.
    pub sounding: u16,
    /// Pitch classes struck in this frame.
    pub struck: u16,
    /// Lowest pitch sounding or struck; 255 when silent.
    pub lowest: u8,
    /// Highest pitch sounding or struck; 0 when silent.
    pub highest: u8,
    /// Lowest pitch struck; 255 when none.
    pub struck_lowest: u8,
    /// Highest pitch struck; 0 when none.
    pub struck_highest: u8,
    /// Number of notes struck.
    pub struck_count: u8,
    /// Loudest velocity struck; 0 when none.
    pub velocity: u8,
    /// Number of keys sounding or struck.
    pub keys: u8,
}

impl PianoFrame {
    /// A frame in which nothing sounds.
    pub const SILENT: Self = Self {
        sounding: 0,
        struck: 0,
        lowest: 255,
        highest: 0,
        struck_lowest: 255,
        struck_highest: 0,
        struck_count: 0,
        velocity: 0,
        keys: 0,
    };
}

/// Tracks the keys of the piano and makes one [`PianoFrame`] a step.
///
/// Events must come in time order. No allocation after construction.
#[derive(Debug, Clone)]
pub struct Listener {
    down: [bool; 128],
    frame: PianoFrame,
    struck: [bool; 128],
}

impl Default for Listener {
    fn default() -> Self {
        Self { down: [false; 128], frame: PianoFrame::SILENT, struck: [false; 128] }
    }
}

impl Listener {
    /// A key goes down. Pitches over 127 are ignored.
    pub fn note_on(&mut self, pitch: u8, velocity: u8) {
        let Some(down) = self.down.get_mut(usize::from(pitch)) else { return };
        *down = true;
        self.struck[usize::from(pitch)] = true;
        let f = &mut self.frame;
        f.struck |= 1 << (pitch % 12);
        f.struck_lowest = f.struck_lowest.min(pitch);
        f.struck_highest = f.struck_highest.max(pitch);
        f.struck_count = f.struck_count.saturating_add(1);
        f.velocity = f.velocity.max(velocity);
    }

    /// A key that has been down since before the first frame: it sounds, but was not struck.
    pub fn hold(&mut self, pitch: u8) {
        if let Some(down) = self.down.get_mut(usize::from(pitch)) {
            *down = true;
        }
    }

    /// A key comes up.
    pub fn note_off(&mut self, pitch: u8) {
        if let Some(down) = self.down.get_mut(usize::from(pitch)) {
            *down = false;
        }
    }

    /// Closes the frame at a decision point and starts the next one.
    pub fn take_frame(&mut self) -> PianoFrame {
        let mut f = std::mem::replace(&mut self.frame, PianoFrame::SILENT);
        for pitch in 0..128u8 {
            let i = usize::from(pitch);
            if self.down[i] || self.struck[i] {
                f.sounding |= 1 << (pitch % 12);
                f.lowest = f.lowest.min(pitch);
                f.highest = f.highest.max(pitch);
                f.keys += 1;
            }
            self.struck[i] = false;
        }
        f
    }

    /// Whether any key is down.
    pub fn any_key_down(&self) -> bool {
        self.down.iter().any(|&d| d)
    }

    /// Returns to the initial state, as after a stop or a jump.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

/// A key movement in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyEvent {
    /// When, in pulses.
    pub at: Pulse,
    /// MIDI pitch.
    pub pitch: u8,
    /// Velocity 1 to 127 for a key going down; 0 for a key coming up.
    pub velocity: u8,
}

/// Key movements of a list of notes in time order; at equal times keys come up before others go down.
pub fn key_events(notes: &[Note]) -> Vec<KeyEvent> {
    let mut events = Vec::with_capacity(notes.len() * 2);
    for n in notes {
        events.push(KeyEvent { at: n.onset, pitch: n.pitch, velocity: n.velocity.max(1) });
        events.push(KeyEvent { at: n.end(), pitch: n.pitch, velocity: 0 });
    }
    events.sort_by_key(|e| (e.at, e.velocity > 0, e.pitch));
    events
}

/// How far behind the beat the piano plays.
///
/// A pianist who plays a little behind the grid would be answered a whole step late by a band that
/// decides exactly on it. So the decision point, and with it everything the band plays, leans back by
/// what the piano was late lately: nothing for a quantised piano, a little for a loose one, and up to
/// [`Lean::MOST`] for one that is behind throughout.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lean {
    /// Deviations of the last onsets from the 16th grid in pulses.
    deviations: [i8; 32],
    count: usize,
}

impl Lean {
    /// Largest lean in pulses, for a piano that is behind throughout: 25 ms at 120 beats a minute.
    pub const MOST: Pulse = 24;
    /// Largest lean for a piano that is behind now and then: 9 ms at 120 beats a minute, less than half a
    /// tick. More gains nothing in how well the band follows (on the valid split the coupling is the same
    /// to 0.02 with 24), and sounds late beside the notes that are on time.
    pub const LITTLE: Pulse = 9;
    /// Onsets further from the grid than this, triplets above all, say nothing about it.
    const NEAR: Pulse = 30;

    /// Adds the onset of a piano note.
    pub fn add(&mut self, onset: Pulse) {
        let deviation = (onset + STEP_PULSES / 2).rem_euclid(STEP_PULSES) - STEP_PULSES / 2;
        if deviation.abs() <= Self::NEAR {
            self.deviations[self.count % 32] = deviation as i8;
            self.count += 1;
        }
    }

    /// Pulses from the grid to the next decision point: what four of five of the last onsets stayed within.
    pub fn pulses(&self) -> Pulse {
        let n = self.count.min(32);
        if n < 8 {
            return 0;
        }
        let mut sorted = self.deviations;
        sorted[..n].sort_unstable();
        let most = if Pulse::from(sorted[n / 2]) > Self::LITTLE { Self::MOST } else { Self::LITTLE };
        Pulse::from(sorted[n * 4 / 5]).clamp(0, most)
    }
}

/// Frames of steps `0..steps` for a whole piano part, each with all events up to its decision point
/// (the step's pulse plus the [`Lean`] at the decision point before), and nothing later.
pub fn frames(notes: &[Note], steps: usize) -> Vec<PianoFrame> {
    let events = key_events(notes);
    let mut listener = Listener::default();
    let mut lean = Lean::default();
    let mut next = 0;
    (0..steps)
        .map(|step| {
            let point = step as i64 * STEP_PULSES + lean.pulses();
            while let Some(e) = events.get(next).filter(|e| e.at <= point) {
                if e.velocity > 0 {
                    listener.note_on(e.pitch, e.velocity);
                    lean.add(e.at);
                } else {
                    listener.note_off(e.pitch);
                }
                next += 1;
            }
            listener.take_frame()
        })
        .collect()
}
