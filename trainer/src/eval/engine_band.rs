//! A band played by the offline engine, as the program would render it.

use anyhow::Context;
use sideman_engine::loaded_band::{self, LoadedBand, Music};
use sideman_engine::{Controls, Performance};
use sideman_music::encoding::grid::VelocityTable;
use sideman_music::time::STEP_PULSES;
use sideman_music::{MeterMap, TempoMap};

use super::accompanist::{Accompanist, Request};
use super::song::Parts;

/// Name of the rule band's row.
pub const RULES: &str = "rules";

/// Makes the band for a song.
pub type MakeBand = Box<dyn FnMut(&Controls, Music) -> anyhow::Result<LoadedBand>>;

/// Any band as an [`Accompanist`], rendered by [`Performance`] as the controls of a request say.
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

    /// The rule band under the name [`RULES`]: the style asked for, or else pop rock, and a ballad below 88
    /// beats a minute, as the program chooses when it is told nothing. `table` are the velocities that its
    /// bins are played with.
    pub fn rules(table: &VelocityTable, seed: u64) -> Self {
        let velocities = table.clone();
        let make = move |controls: &Controls, music: Music| -> anyhow::Result<LoadedBand> {
            Ok(LoadedBand { velocities: velocities.clone(), ..loaded_band::rules(controls, music) })
        };
        Self::new(RULES, seed, Box::new(make))
    }
}

/// Seeds of takes lie so far apart.
const TAKE: u64 = 0x9E37_79B9_7F4A_7C15;

impl Accompanist for EngineBand {
    fn name(&self) -> &str {
        &self.name
    }

    fn play(&mut self, request: &Request<'_>) -> anyhow::Result<Parts> {
        let Request { song, piano, steps, bpm, controls, take } = *request;
        let seed =
            self.seed.wrapping_mul(1_000_003).wrapping_add(song as u64).wrapping_add(take.wrapping_mul(TAKE));
        let controls = Controls { seed, ..controls };
        let mut seat = (self.make)(&controls, Music { bpm, bar_steps: 16 })?;
        let tempos = TempoMap::new(&[(0, (60e6 / bpm.clamp(4.0, 6e6)).round() as u32)]);
        let meters = MeterMap::default();
        let performance =
            Performance::new(piano, &meters, &tempos, seat.settings(controls)).context("engine settings")?;
        let mut rendered = performance.render(seat.band.as_mut(), &mut |_| {}).parts;
        let end = steps as i64 * STEP_PULSES;
        rendered.iter_mut().for_each(|notes| notes.retain(|n| n.onset < end));
        Ok(rendered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::fixtures;
    use sideman_engine::{Style, StyleChoice};

    #[test]
    fn the_rule_band_plays_the_parts_it_is_asked_for_and_follows_the_seed() {
        let mut song = fixtures::songs(1, 16, 1).remove(0);
        song.present = [true, true, false, false];
        let play = |seed, index, take| {
            let request = Request { take, ..Request::new(index, &song) };
            EngineBand::rules(&VelocityTable::default(), seed).play(&request).unwrap()
        };
        let parts = play(1, 0, 0);
        assert!(parts[0].len() > 32 && parts[1].len() > 16);
        assert!(parts[2].is_empty() && parts[3].is_empty());
        assert!(parts.iter().flatten().all(|n| n.onset < 16 * 1920));
        assert_eq!(parts, play(1, 0, 0));
        assert_ne!(parts, play(1, 1, 0));
        assert_ne!(parts, play(2, 0, 0));
        assert_ne!(parts, play(1, 0, 1));
    }

    #[test]
    fn the_rule_band_plays_the_style_it_is_asked_for() {
        let song = &fixtures::songs(1, 16, 1)[0];
        let play = |style| {
            let mut request = Request::new(0, song);
            request.controls.style = StyleChoice::Fixed(style);
            EngineBand::rules(&VelocityTable::default(), 1).play(&request).unwrap()
        };
        assert_ne!(play(Style::Reggae), play(Style::House));
    }
}
