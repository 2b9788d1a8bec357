//! A band played by the offline engine, as the program would render it.

use anyhow::Context;
use sideman_engine::{Controls, Performance, RuleBand, Settings, Style};
use sideman_models::band::Band;
use sideman_music::grid::VelocityTable;
use sideman_music::score::Note;
use sideman_music::time::STEP_PULSES;
use sideman_music::{MeterMap, TempoMap};

use super::accompanist::Accompanist;
use super::song::Parts;

/// A song as it is known before the band begins to play it.
#[derive(Debug, Clone, Copy)]
pub struct Occasion {
    /// Number of the song in the run.
    pub song_index: usize,
    /// Quarter notes a minute.
    pub bpm: f64,
    /// The parts that are to play.
    pub parts: [bool; 4],
    /// Seed for this song.
    pub seed: u64,
}

/// Makes a band for a song, and says with which velocities it is played.
pub type MakeBand = Box<dyn FnMut(Occasion) -> anyhow::Result<(Box<dyn Band>, VelocityTable)>>;

/// Any [`Band`] as an [`Accompanist`], rendered by [`Performance`] with the default settings.
pub struct EngineBand {
    name: String,
    seed: u64,
    make: MakeBand,
}

impl EngineBand {
    /// A band by name. `make` is called for every song, so that it can choose a style.
    pub fn new(name: impl Into<String>, seed: u64, make: MakeBand) -> Self {
        Self { name: name.into(), seed, make }
    }

    /// The rule band under the name `rules`: pop rock, and a ballad below 88 beats a minute, as the
    /// program chooses when it is told nothing. `table` are the velocities that its bins are played with.
    pub fn rules(table: &VelocityTable, seed: u64) -> Self {
        let table = table.clone();
        let make = move |occasion: Occasion| -> anyhow::Result<(Box<dyn Band>, VelocityTable)> {
            let style = if occasion.bpm < 88.0 { Style::Ballad } else { Style::PopRock };
            Ok((Box::new(RuleBand::new(style)), table.clone()))
        };
        Self::new("rules", seed, Box::new(make))
    }
}

impl Accompanist for EngineBand {
    fn name(&self) -> &str {
        &self.name
    }

    fn play(
        &mut self,
        song_index: usize,
        piano: &[Note],
        steps: usize,
        bpm: f64,
        parts: [bool; 4],
    ) -> anyhow::Result<Parts> {
        let seed = self.seed.wrapping_mul(1_000_003).wrapping_add(song_index as u64);
        let (mut band, velocities) = (self.make)(Occasion { song_index, bpm, parts, seed })?;
        let tempos = TempoMap::new(&[(0, (60e6 / bpm.clamp(4.0, 6e6)).round() as u32)]);
        let meters = MeterMap::default();
        let controls = Controls { seed, ..Controls::default() }.with_parts(parts);
        let settings = Settings { controls, velocities };
        let performance = Performance::new(piano, &meters, &tempos, settings).context("engine settings")?;
        let mut rendered = performance.render(band.as_mut(), &mut |_| {}).parts;
        let end = steps as i64 * STEP_PULSES;
        rendered.iter_mut().for_each(|notes| notes.retain(|n| n.onset < end));
        Ok(rendered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::toy;

    #[test]
    fn the_rule_band_plays_the_parts_it_is_asked_for_and_follows_the_seed() {
        let song = &toy::songs(1, 16, 1)[0];
        let play = |seed, index| {
            EngineBand::rules(&VelocityTable::default(), seed)
                .play(index, &song.piano, song.steps(), song.bpm, [true, true, false, false])
                .unwrap()
        };
        let parts = play(1, 0);
        assert!(parts[0].len() > 32 && parts[1].len() > 16);
        assert!(parts[2].is_empty() && parts[3].is_empty());
        assert!(parts.iter().flatten().all(|n| n.onset < 16 * 1920));
        assert_eq!(parts, play(1, 0));
        assert_ne!(parts, play(1, 1));
        assert_ne!(parts, play(2, 0));
    }
}
