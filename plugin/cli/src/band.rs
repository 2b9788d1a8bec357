//! Who plays: the one place where a band is made.

use anyhow::{Context, Result};
use sideman_engine::style::Style;
use sideman_engine::{RuleBand, StyleChoice};
use sideman_models::band::Band;
use sideman_models::weights::{self, BandWeights, Occasion};
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
        (Engine::Rules, _) => {
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
    let occasion = Occasion {
        style: match args.style {
            StyleChoice::Auto => None,
            StyleChoice::Fixed(style) => Some(style.name()),
        },
        bpm: music.bpm,
        bar_steps: music.bar_steps,
        parts: Part::ALL.map(|p| args.parts.contains(&p)),
        seed: args.seed,
    };
    let stored = weights.choose(&occasion).with_context(|| {
        format!("these weights know no style '{}': choose another, or --engine rules", args.style)
    })?;
    let mut programs = programs(stored.style.parse().ok());
    for (to, from) in programs.iter_mut().zip(stored.programs) {
        *to = from.unwrap_or(*to);
    }
    Ok(Seated {
        band: Box::new(weights.band(stored, args.seed)),
        velocities: weights.velocities.clone(),
        style: stored.style.clone(),
        programs,
        name: weights.card.name.clone(),
    })
}

/// The rule band takes a plain style by the tempo.
fn plain(bpm: f64) -> Style {
    if bpm < 88.0 { Style::Ballad } else { Style::PopRock }
}

/// The usual instruments of a style.
fn programs(style: Option<Style>) -> [u8; 4] {
    Part::ALL.map(|p| style.unwrap_or(Style::PopRock).program(p).unwrap_or(0))
}
