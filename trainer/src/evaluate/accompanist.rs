//! What evaluation asks of a band model.

use sideman_music::score::Note;

use super::song::Parts;

/// A band that plays to a piano. The rule band, the networks and retrieval are measured through this.
pub trait Accompanist {
    /// Name of its row.
    fn name(&self) -> &str;

    /// Plays one song: the notes of the parts that are true in `parts`, in pulses from the start of the
    /// music, for `steps` 16ths of 4/4 at `bpm` quarter notes a minute. `song_index` numbers the songs of
    /// the run, for seeding; the same arguments must give the same notes. What it may hear of `piano` at
    /// which moment is its own affair: causality is tested where it plays.
    ///
    /// # Errors
    /// When it cannot play; the evaluation stops with the song's name.
    fn play(
        &mut self,
        song_index: usize,
        piano: &[Note],
        steps: usize,
        bpm: f64,
        parts: [bool; 4],
    ) -> anyhow::Result<Parts>;
}
