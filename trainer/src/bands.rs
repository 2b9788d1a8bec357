//! The bands that an evaluation measures: the rules, and the network of a weights file.

use anyhow::Context;
use sideman_models::band::Band;
use sideman_models::weights::{self, BandWeights, Occasion};

use crate::evaluate::engine_band::{EngineBand, Occasion as Song};
use crate::evaluate::{self, Accompanist, EvalBandArgs, command::velocities};

/// The network as an accompanist: a style by the song's tempo and seed, as `sideman render` chooses it.
///
/// # Errors
/// When the weights hold no style to play in.
pub fn neural(weights: BandWeights, seed: u64) -> EngineBand {
    let name = weights.card.name.clone();
    let make = move |song: Song| -> anyhow::Result<(Box<dyn Band>, _)> {
        let occasion =
            Occasion { style: None, bpm: song.bpm, bar_steps: 16, parts: song.parts, seed: song.seed };
        let style = weights.choose(&occasion).context("the weights hold no style for \"auto\"")?;
        let band = weights.band(style, song.seed);
        Ok((Box::new(band), weights.velocities.clone()))
    };
    EngineBand::new(name, seed, Box::new(make))
}

/// Runs `sideman-trainer eval band`: the controls, the rule band, and the weights of `--weights` or else
/// those built in.
///
/// # Errors
/// When the weights or the corpus cannot be read.
pub fn eval(args: &EvalBandArgs) -> anyhow::Result<()> {
    let mut loaded = match &args.weights {
        Some(path) => {
            let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            weights::load(&bytes).with_context(|| format!("cannot use {}", path.display()))?
        }
        None => weights::embedded().context("the built-in weights")?.clone(),
    };
    if let Some(text) = &args.sampling {
        loaded.sampling =
            serde_json::from_str(text).context("--sampling is not a JSON object of its settings")?;
        anyhow::ensure!(loaded.sampling.is_sound(), "--sampling makes no sense: {:?}", loaded.sampling);
    }
    let table = velocities(args)?;
    let mut bands: Vec<Box<dyn Accompanist>> =
        vec![Box::new(EngineBand::rules(&table, args.seed)), Box::new(neural(loaded, args.seed))];
    evaluate::run(args, &mut bands)?;
    Ok(())
}
