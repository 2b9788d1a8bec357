//! Who plays, by the options.

use anyhow::{Context, Result};
use sideman_engine::Controls;
use sideman_engine::seat::{self, Music, Seat};
use sideman_models::weights::{self, BandWeights};

use crate::args::{BandArgs, Engine};
use crate::render::read_input;

/// Makes the band that the options ask for.
pub(crate) fn make_band(args: &BandArgs, controls: &Controls, music: Music) -> Result<Seat> {
    match (args.engine, &args.weights) {
        (Engine::Rules, _) => Ok(seat::rules(controls, music)),
        (Engine::Neural, None) => {
            neural(weights::embedded().context("the built-in weights")?, controls, music)
        }
        (Engine::Neural, Some(path)) => {
            let name = || format!("cannot use the weights {}", path.display());
            let loaded = weights::load(&read_input(path)?).with_context(name)?;
            neural(&loaded, controls, music)
        }
    }
}

fn neural(weights: &BandWeights, controls: &Controls, music: Music) -> Result<Seat> {
    seat::neural(weights, controls, music).with_context(|| {
        format!("these weights know no style '{}': choose another, or --engine rules", controls.style)
    })
}
