//! Auditions: what a band of a song's style code really plays, to other songs' pianos.
//!
//! A code comes from a song of a style, but the network may make something else of it, above all where the
//! song's band was made by rules or is like few others. So each candidate plays before it is chosen.

use std::sync::Arc;

use sideman_inference::band::{
    Band, Dials, NeuralBand, Rests, Sampling, StepContext, StepNetwork, StepPosition,
};
use sideman_music::{BandStep, Part};
use sideman_nets::band::GridSong;

use crate::recipes::band::Library;

/// Pianos that every candidate plays to.
const PIANOS: usize = 6;
/// Bars that are played before those that count, and these.
const BARS: [usize; 2] = [6, 16];

/// What candidates are heard with.
pub(super) struct Audition<'a> {
    train: &'a Library,
    kernel: Arc<StepNetwork>,
    sampling: Sampling,
    pianos: Vec<usize>,
}

impl<'a> Audition<'a> {
    /// An audition to the pianos of training songs in 4/4, spread evenly over the library.
    pub(super) fn new(train: &'a Library, kernel: StepNetwork, sampling: Sampling) -> Self {
        let steps = 16 * (BARS[0] + BARS[1]);
        let fit = |s: &GridSong| {
            s.bar_steps == 16
                && s.tier == 1.0
                && s.frames.len() >= steps
                && s.frames[..steps].chunks(16).all(|bar| bar.iter().any(|f| f.struck_count > 0))
        };
        let mut songs: Vec<usize> = (0..train.songs.len()).filter(|&i| fit(&train.songs[i])).collect();
        let n = songs.len();
        songs = (0..PIANOS.min(n)).map(|k| songs[k * n / PIANOS.min(n)]).collect();
        Self { train, kernel: Arc::new(kernel), sampling, pianos: songs }
    }

    /// What a band of a code plays at a tempo, to each piano.
    pub(super) fn hear(&self, code: &[f32], bpm: f32) -> Vec<GridSong> {
        let songs = self.pianos.iter().enumerate();
        songs.map(|(seed, &i)| self.play(&self.train.songs[i], code, bpm, seed as u64)).collect()
    }

    fn play(&self, piano: &GridSong, code: &[f32], bpm: f32, seed: u64) -> GridSong {
        let mut band = NeuralBand::new(self.kernel.clone(), code, seed).with_sampling(self.sampling);
        let mut played: Vec<BandStep> = vec![];
        let mut ahead = BandStep::EMPTY;
        for step in 0..16 * (BARS[0] + BARS[1]) {
            let decision = band.decide(&StepContext {
                place: StepPosition {
                    step: step as i64,
                    in_bar: (step % 16) as u16,
                    bar: (step / 16) as i64,
                    bar_steps: 16,
                    half_steps: 8,
                },
                heard: piano.frames[step],
                parts: [true; 4],
                bpm,
                dials: Dials::default(),
                rests: Rests::default(),
                forced: None,
            });
            let mut now = decision.now;
            Part::ALL.into_iter().filter(|&p| ahead.plays(p)).for_each(|p| now.copy(p, &ahead));
            ahead = decision.early;
            played.push(now);
        }
        let from = 16 * BARS[0];
        GridSong {
            frames: piano.frames[from..played.len()].to_vec(),
            band: played.split_off(from),
            parts: [true; 4],
            bpm,
            tier: 1.0,
            bar_steps: 16,
            half_steps: 8,
        }
    }
}
