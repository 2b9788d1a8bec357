//! The sound that comes in, on its way to the band's thread.

use super::output_mixer::OutputMixer;

/// Seconds of nothing that are still handed on: enough to know that the sound is gone.
const QUIET: f64 = 10.0;

/// Mixes sound to one channel and hands it on. The audio thread.
#[derive(Debug, Default)]
pub(super) struct AudioInput {
    /// Samples in a row that were nothing.
    quiet: u64,
    /// Samples that there was no room for.
    unheard: u64,
}

impl AudioInput {
    /// Hands on a block; what there is no room for is left out and counted.
    pub(super) fn read(&mut self, mixer: &mut OutputMixer, left: &[f32], right: &[f32], rate: f64) {
        let nothing = left.iter().chain(right).all(|s| *s == 0.0);
        self.quiet = if nothing { self.quiet.saturating_add(left.len() as u64) } else { 0 };
        if self.quiet as f64 > QUIET * rate {
            return;
        }
        let mono = left.iter().zip(right).map(|(l, r)| 0.5 * (l + r));
        let mono = mono.map(|s| if s.is_finite() { s } else { 0.0 });
        let count = left.len().min(right.len());
        self.unheard += (count - mixer.sound(mono).min(count)) as u64;
    }

    /// Samples that there was no room for.
    pub(super) fn unheard(&self) -> u64 {
        self.unheard
    }
}
