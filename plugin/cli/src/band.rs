//! Who plays: the one place where a band is made.

use anyhow::{Result, bail};
use sideman_engine::style::Style;
use sideman_engine::{RuleBand, StyleChoice};
use sideman_models::band::Band;
use sideman_music::grid::VelocityTable;

use crate::args::{BandArgs, Engine};

/// A band that is ready to play.
pub(crate) struct Seated {
    pub(crate) band: Box<dyn Band>,
    /// Velocity that each bin is played with.
    pub(crate) velocities: VelocityTable,
    /// The style that it plays, which also names the instruments.
    pub(crate) style: Style,
    /// What plays, for the summary.
    pub(crate) name: &'static str,
}

/// Makes the band that the options ask for, for music of a tempo in quarter notes a minute.
pub(crate) fn make_band(args: &BandArgs, bpm: f64) -> Result<Seated> {
    let style = choose(args.style, bpm);
    match args.engine {
        Engine::Rules => {
            if let Some(path) = &args.weights {
                bail!(
                    "the rule band has no weights: leave out --weights {} or --engine rules",
                    path.display()
                );
            }
            let band = Box::new(RuleBand::new(style));
            Ok(Seated { band, velocities: VelocityTable::default(), style, name: "rules" })
        }
        Engine::Neural => bail!("this build has no trained weights yet: use --engine rules"),
    }
}

/// Auto takes a plain style whose usual tempo is the music's.
fn choose(choice: StyleChoice, bpm: f64) -> Style {
    choice.or(if bpm < 88.0 { Style::Ballad } else { Style::PopRock })
}
