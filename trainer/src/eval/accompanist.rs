//! What evaluation asks of a band model.

use sideman_engine::Controls;
use sideman_music::score::Note;

use super::song::{EvalSong, Parts};

/// What a band is to play to. The same request gives the same notes.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Number of the song in the run, for seeding.
    pub song: usize,
    /// The piano, in pulses from the start of the music. What a band may hear of it at which moment is its
    /// own affair: causality is tested where it plays.
    pub piano: &'a [Note],
    /// Length in 16ths of 4/4.
    pub steps: usize,
    /// Quarter notes a minute.
    pub bpm: f64,
    /// How the player has set the band, the parts that take part among it; the seed is the band's own.
    pub controls: Controls,
    /// Which of many performances of the song: each is drawn from another seed.
    pub take: u64,
}

impl<'a> Request<'a> {
    /// A song with all controls neutral, its own parts and the first take.
    pub fn new(index: usize, song: &'a EvalSong) -> Self {
        Self {
            song: index,
            piano: &song.piano,
            steps: song.steps(),
            bpm: song.bpm,
            controls: Controls::default().with_parts(song.present),
            take: 0,
        }
    }
}

/// A band that plays to a piano. The rule band, the networks and retrieval are measured through this.
pub trait Accompanist {
    /// Name of its row.
    fn name(&self) -> &str;

    /// Plays one song: the notes of the parts that take part, in pulses from the start of the music.
    ///
    /// # Errors
    /// When it cannot play; the evaluation stops with the song's name.
    fn play(&mut self, request: &Request<'_>) -> anyhow::Result<Parts>;
}
