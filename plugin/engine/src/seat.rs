//! Who plays: the one place where a band is made, for a file and live.

use sideman_models::band::Band;
use sideman_models::weights::{BandWeights, Occasion};
use sideman_music::Part;
use sideman_music::grid::VelocityTable;

use crate::controls::Controls;
use crate::rules::RuleBand;
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
pub struct Seat {
    /// The band.
    pub band: Box<dyn Band>,
    /// Velocity that each bin is played with.
    pub velocities: VelocityTable,
    /// Name of the style that it plays.
    pub style: String,
    /// General MIDI programs of the parts, from 0; of the drums the kit.
    pub programs: [u8; 4],
    /// What plays: the name of the weights, or `rules`.
    pub name: String,
}

/// The network's band for the style, variation and seed of the controls. `None` when the weights know no
/// such style. Allocates; copies no weights.
pub fn neural(weights: &BandWeights, controls: &Controls, music: Music) -> Option<Seat> {
    let occasion = Occasion {
        style: match controls.style {
            StyleChoice::Auto => None,
            StyleChoice::Fixed(style) => Some(style.name()),
        },
        bpm: music.bpm,
        bar_steps: music.bar_steps,
        parts: controls.on(),
        // Neighbours take turns, so that no two variations get the same code where there are enough.
        seed: controls.seed.wrapping_add(u64::from(controls.variation)),
    };
    let stored = weights.choose(&occasion)?;
    let mut programs = programs(stored.style.parse().ok());
    for (to, from) in programs.iter_mut().zip(stored.programs) {
        *to = from.unwrap_or(*to);
    }
    Some(Seat {
        band: Box::new(weights.band(stored, controls.drawn_seed())),
        velocities: weights.velocities.clone(),
        style: stored.style.clone(),
        programs,
        name: weights.card.name.clone(),
    })
}

/// The rule band for the style of the controls; for no style in particular a plain one by the tempo.
pub fn rules(controls: &Controls, music: Music) -> Seat {
    let plain = if music.bpm < 88.0 { Style::Ballad } else { Style::PopRock };
    let style = controls.style.or(plain);
    Seat {
        band: Box::new(RuleBand::new(style)),
        velocities: VelocityTable::default(),
        style: style.name().to_owned(),
        programs: programs(Some(style)),
        name: "rules".to_owned(),
    }
}

/// The usual instruments of a style.
fn programs(style: Option<Style>) -> [u8; 4] {
    Part::ALL.map(|p| style.unwrap_or(Style::PopRock).program(p).unwrap_or(0))
}
