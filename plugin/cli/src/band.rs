//! Who plays: the one place where a band is made.

use anyhow::{Context, Result, bail};
use sideman_engine::style::Style;
use sideman_engine::{RuleBand, StyleChoice};
use sideman_models::band::{Band, NeuralBand};
use sideman_models::weights::{self, BandWeights, StoredStyle};
use sideman_music::Part;
use sideman_music::grid::VelocityTable;

use crate::args::{BandArgs, Engine};
use crate::render::read_input;

/// A band that is ready to play.
pub(crate) struct Seated {
    pub(crate) band: Box<dyn Band>,
    /// Velocity that each bin is played with.
    pub(crate) velocities: VelocityTable,
    /// Name of the style that it plays.
    pub(crate) style: String,
    /// General MIDI programs of the parts, from 0; of the drums the kit.
    pub(crate) programs: [u8; 4],
    /// What plays, for the summary.
    pub(crate) name: String,
}

/// What a band should know of the music before it starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Music {
    /// Quarter notes a minute at its beginning.
    pub(crate) bpm: f64,
    /// 16ths in its first bar.
    pub(crate) bar_steps: i64,
}

/// Makes the band that the options ask for.
pub(crate) fn make_band(args: &BandArgs, music: Music) -> Result<Seated> {
    match (args.engine, &args.weights) {
        (Engine::Rules, Some(path)) => {
            bail!("the rule band has no weights: leave out --weights {} or --engine rules", path.display())
        }
        (Engine::Rules, None) => {
            let style = args.style.or(plain(music.bpm));
            Ok(Seated {
                band: Box::new(RuleBand::new(style)),
                velocities: VelocityTable::default(),
                style: style.name().to_owned(),
                programs: programs(Some(style)),
                name: "rules".to_owned(),
            })
        }
        (Engine::Neural, None) => neural(weights::embedded().context("the built-in weights")?, args, music),
        (Engine::Neural, Some(path)) => {
            let name = || format!("cannot use the weights {}", path.display());
            let loaded = weights::load(&read_input(path)?).with_context(name)?;
            neural(&loaded, args, music)
        }
    }
}

fn neural(weights: &BandWeights, args: &BandArgs, music: Music) -> Result<Seated> {
    let stored = choose(&weights.styles, args, music).with_context(|| {
        format!("these weights know no style '{}': choose another, or --engine rules", args.style)
    })?;
    let mut programs = programs(stored.style.parse().ok());
    for (to, from) in programs.iter_mut().zip(stored.programs) {
        *to = from.unwrap_or(*to);
    }
    Ok(Seated {
        band: Box::new(NeuralBand::new(weights.kernel.clone(), &stored.code, args.seed)),
        velocities: weights.velocities.clone(),
        style: stored.style.clone(),
        programs,
        name: weights.card.name.clone(),
    })
}

/// Of the styles that suit best, one by the seed. The metre goes before the tempo, and both before
/// instruments that the stored song lacks.
fn choose<'a>(styles: &'a [StoredStyle], args: &BandArgs, music: Music) -> Option<&'a StoredStyle> {
    /// So many are equally good; more would be too far off.
    const SUITABLE: usize = 5;
    let unlike = |s: &StoredStyle| {
        let metre = if i64::from(s.bar_steps) == music.bar_steps { 0.0 } else { 10.0 };
        let tempo = (f64::from(s.bpm).max(1.0) / music.bpm.max(1.0)).log2().abs();
        let lacks = args.parts.iter().filter(|p| s.programs[p.index()].is_none()).count();
        metre + tempo + 0.5 * lacks as f64
    };
    let wanted = |s: &&StoredStyle| match args.style {
        StyleChoice::Auto => true,
        StyleChoice::Fixed(style) => s.style == style.name(),
    };
    let mut ranked: Vec<&StoredStyle> = styles.iter().filter(wanted).collect();
    ranked.sort_by(|a, b| unlike(a).total_cmp(&unlike(b)));
    let count = ranked.len().min(SUITABLE);
    (count > 0).then(|| ranked[(args.seed % count as u64) as usize])
}

/// The rule band takes a plain style by the tempo.
fn plain(bpm: f64) -> Style {
    if bpm < 88.0 { Style::Ballad } else { Style::PopRock }
}

/// The usual instruments of a style.
fn programs(style: Option<Style>) -> [u8; 4] {
    Part::ALL.map(|p| style.unwrap_or(Style::PopRock).program(p).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn stored(style: &str, bpm: f32, bar_steps: u16) -> StoredStyle {
        StoredStyle { style: style.into(), bpm, bar_steps, programs: [Some(0); 4], code: vec![] }
    }

    fn args(words: &[&str]) -> BandArgs {
        #[derive(Parser)]
        struct Only {
            #[command(flatten)]
            band: BandArgs,
        }
        Only::parse_from([&["x"], words].concat()).band
    }

    #[test]
    fn the_nearest_style_of_the_metre_is_taken() {
        let mut styles: Vec<StoredStyle> =
            (0..20).map(|i| stored("funk", 60.0 + 5.0 * i as f32, 16)).collect();
        styles.push(stored("folk", 92.0, 12));
        let bpm = |words: &[&str], bpm, bar_steps| {
            choose(&styles, &args(words), Music { bpm, bar_steps }).map(|s| s.bpm)
        };
        for seed in 0..10 {
            let seed = seed.to_string();
            let near = bpm(&["--seed", &seed], 100.0, 16).unwrap();
            assert!((88.0..112.0).contains(&near), "{near}");
        }
        assert_eq!(bpm(&["--seed", "0"], 100.0, 12), Some(92.0));
        assert_eq!(bpm(&["--seed", "0", "--style", "funk"], 155.0, 12), Some(155.0));
        assert_eq!(bpm(&["--style", "house"], 120.0, 16), None);
    }
}
