//! Who plays: the one place where a band is made, for a file and live.

use sideman_inference::band::{Activity, Band};
use sideman_inference::weights::{self, BandWeights, NamedError, Occasion};
use sideman_music::encoding::grid::VelocityTable;
use sideman_music::{PARTS, Part};

use crate::controls::{Controls, WeightsChoice};
use crate::play::pattern::Patterns;
use crate::rules::RuleBand;
use crate::settings::Settings;
use crate::style::{Style, StyleChoice};

/// What a band should know of the music before it starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Music {
    /// Quarter notes a minute at its beginning.
    pub bpm: f64,
    /// 16ths in its first bar.
    pub bar_steps: i64,
}

/// A band that is ready to play.
pub struct LoadedBand {
    /// The band.
    pub band: Box<dyn Band>,
    /// Velocity that each bin is played with.
    pub velocities: VelocityTable,
    /// How its parts come and go.
    pub activity: Activity,
    /// Name of the style that it plays.
    pub style: String,
    /// General MIDI programs of the parts, from 0; of the drums the kit.
    pub programs: [u8; PARTS],
    /// What plays: the name of the weights, or `rules`.
    pub name: String,
}

impl LoadedBand {
    /// Whether this is the style that it plays anyway, so that nobody needs to take over.
    pub fn plays(&self, style: StyleChoice) -> bool {
        matches!(style, StyleChoice::Fixed(style) if style.name() == self.style)
    }

    /// What a performance of this band starts with.
    pub fn settings(&self, controls: Controls) -> Settings {
        Settings {
            controls,
            velocities: self.velocities.clone(),
            activity: self.activity,
            patterns: Patterns::default(),
        }
    }
}

/// Why no band was loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadBandError {
    /// The weights cannot be had.
    #[error(transparent)]
    Weights(#[from] NamedError),
    /// The weights know no such style.
    #[error("the weights '{weights}' know no style '{style}': choose another style, or let the rules play")]
    Style {
        /// Name of the weights.
        weights: String,
        /// The style asked for.
        style: String,
    },
}

/// The band that the controls ask for. Allocates, and loads weights that were not used before: some
/// milliseconds.
///
/// # Errors
/// When the weights are not built in, or lack a style.
pub fn load(controls: &Controls, music: Music) -> Result<LoadedBand, LoadBandError> {
    match controls.weights {
        WeightsChoice::Rules => Ok(rules(controls, music)),
        choice => neural(weights::named(choice.name())?, controls, music),
    }
}

/// The network's band for the styles, variation and seed of the controls. Allocates; copies no weights.
///
/// # Errors
/// When the weights lack a style.
pub fn neural(weights: &BandWeights, controls: &Controls, music: Music) -> Result<LoadedBand, LoadBandError> {
    let stored = |style: Option<Style>| {
        let occasion = occasion(style, controls, music);
        weights.choose(&occasion).ok_or_else(|| LoadBandError::Style {
            weights: weights.card.name.clone(),
            style: occasion.style.unwrap_or(weights::AUTO).to_owned(),
        })
    };
    let own = stored(match controls.style {
        StyleChoice::Auto => None,
        StyleChoice::Fixed(style) => Some(style),
    })?;
    let mut band = weights.band(own, controls.drawn_seed());
    if let Some(other) = controls.to {
        band = band.with_other(&own.code, &stored(Some(other))?.code);
    }
    let mut programs = programs(own.style.parse().ok());
    for (to, from) in programs.iter_mut().zip(own.programs) {
        *to = from.unwrap_or(*to);
    }
    Ok(LoadedBand {
        band: Box::new(band),
        velocities: weights.velocities.clone(),
        activity: own.share.map_or_else(Activity::default, Activity::of_share),
        style: own.style.clone(),
        programs,
        name: weights.card.name.clone(),
    })
}

/// What the weights choose a code of a style by.
fn occasion(style: Option<Style>, controls: &Controls, music: Music) -> Occasion<'static> {
    Occasion {
        style: style.map(Style::name),
        bpm: music.bpm,
        bar_steps: music.bar_steps,
        parts: controls.on(),
        // Neighbours take turns, so that no two variations get the same code where there are enough.
        seed: controls.seed.wrapping_add(u64::from(controls.variation)),
    }
}

/// The rule band for the style of the controls; for no style in particular a plain one by the tempo.
pub fn rules(controls: &Controls, music: Music) -> LoadedBand {
    let plain = if music.bpm < 88.0 { Style::Ballad } else { Style::PopRock };
    let style = controls.style.or(plain);
    // Neighbours take other patterns in every part.
    let band = RuleBand::new(style).with_patterns(controls.seed.wrapping_add(u64::from(controls.variation)));
    let band = match controls.to {
        Some(other) => band.with_other(other),
        None => band,
    };
    LoadedBand {
        band: Box::new(band),
        velocities: VelocityTable::default(),
        activity: Activity::default(),
        style: style.name().to_owned(),
        programs: programs(Some(style)),
        name: "rules".to_owned(),
    }
}

/// The usual instruments of a style.
fn programs(style: Option<Style>) -> [u8; PARTS] {
    Part::ALL.map(|p| style.unwrap_or(Style::PopRock).program(p).unwrap_or(0))
}
