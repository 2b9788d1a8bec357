//! The symbolic baseline: what programs and tempo alone say about a genre. A model that is no better has
//! learned which instruments a source uses.

use super::bars::tempo_feature;
use crate::score::Score;

/// Length of [`programs_and_tempo`].
pub const BASELINE_FEATURES: usize = 128 + 2;

/// Share of all notes by program (128 values; drums belong to none), share of drum notes, and the median
/// tempo in octaves above 120 beats a minute. All zero but the tempo for a score without notes.
pub fn programs_and_tempo(score: &Score) -> [f32; BASELINE_FEATURES] {
    let mut out = [0.0; BASELINE_FEATURES];
    let all: usize = score.tracks.iter().map(|t| t.notes.len()).sum();
    for track in &score.tracks {
        let slot = if track.is_drums { 128 } else { usize::from(track.program & 127) };
        out[slot] += track.notes.len() as f32 / all.max(1) as f32;
    }
    out[129] = tempo_feature(score.tempos.median_bpm(0, score.end()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::{Note, Track};
    use crate::time::TempoMap;

    #[test]
    fn shares_add_up_and_notes_themselves_do_not_matter() {
        let notes = |n: usize, pitch| vec![Note { onset: 0, pitch, length: 480, velocity: 80 }; n];
        let score = |pitch| Score {
            tempos: TempoMap::new(&[(0, 250_000)]),
            tracks: vec![
                Track { program: 5, notes: notes(3, pitch), ..Track::default() },
                Track { program: 5, notes: notes(1, pitch), ..Track::default() },
                Track { program: 9, is_drums: true, notes: notes(4, 36), ..Track::default() },
            ],
            ..Score::default()
        };
        let found = programs_and_tempo(&score(60));
        assert_eq!((found[5], found[9], found[128], found[129]), (0.5, 0.0, 0.5, 1.0));
        assert_eq!(found, programs_and_tempo(&score(72)));
        assert_eq!(programs_and_tempo(&Score::default()).iter().filter(|&&v| v != 0.0).count(), 0);
    }
}
