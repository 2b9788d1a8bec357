//! The bands that an evaluation measures: the rules, and the networks of weights files.

use std::path::Path;

use anyhow::Context;
use sideman_engine::Controls;
use sideman_engine::loaded_band::{self, Music};
use sideman_inference::weights::{self, BandWeights, StoredStyle};

use super::command::velocities;
use super::engine_band::EngineBand;
use super::{Accompanist, EvalBandArgs};

/// The network as an accompanist under a name: the band that `sideman render` would make for the song.
pub fn neural(name: &str, weights: BandWeights, seed: u64) -> EngineBand {
    let make = move |controls: &Controls, music: Music| Ok(loaded_band::neural(&weights, controls, music)?);
    EngineBand::new(name, seed, Box::new(make))
}

/// Weights by the name of a built-in set or by file.
fn load(asked: &str) -> anyhow::Result<BandWeights> {
    if weights::BUILT_IN.iter().any(|b| b.name == asked) {
        return Ok(weights::named(asked)?.clone());
    }
    let known: Vec<&str> = weights::BUILT_IN.iter().map(|b| b.name).collect();
    let bytes = std::fs::read(Path::new(asked)).with_context(|| {
        format!("cannot read {asked}: give a weights file, or a set that is built in: {}", known.join(", "))
    })?;
    weights::load(&bytes).with_context(|| format!("cannot use {asked}"))
}

/// Runs `sideman-trainer eval band`: the controls, the rule band, and the weights of `--weights` or else
/// those that are built in and played.
///
/// # Errors
/// When the weights or the corpus cannot be read.
pub fn eval(args: &EvalBandArgs) -> anyhow::Result<()> {
    let table = velocities(args)?;
    let mut bands: Vec<Box<dyn Accompanist>> = vec![Box::new(EngineBand::rules(&table, args.seed))];
    let mut codes: Vec<StoredStyle> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let asked: Vec<&str> = match &args.weights[..] {
        [] => vec![weights::BUILT_IN[0].name],
        some => some.iter().map(String::as_str).collect(),
    };
    for (i, &name) in asked.iter().enumerate() {
        anyhow::ensure!(!asked[..i].contains(&name), "--weights names {name} twice: leave one out");
    }
    for asked in asked {
        let mut loaded = load(asked)?;
        if let Some(text) = &args.sampling {
            loaded.sampling =
                serde_json::from_str(text).context("--sampling is not a JSON object of its settings")?;
            anyhow::ensure!(loaded.sampling.is_sound(), "--sampling makes no sense: {:?}", loaded.sampling);
        }
        // Two files may hold weights of one name.
        let mut name = loaded.card.name.clone();
        if names.contains(&name) {
            let file =
                Path::new(asked).file_stem().map_or(asked.to_owned(), |f| f.to_string_lossy().into_owned());
            name = format!("{name} ({file})");
        }
        anyhow::ensure!(!names.contains(&name), "--weights names {asked} twice: leave one out");
        names.push(name.clone());
        codes.extend(loaded.styles.iter().filter(|s| s.style != weights::AUTO).cloned());
        bands.push(Box::new(neural(&name, loaded, args.seed)));
    }
    super::run(args, &mut bands, &codes)?;
    Ok(())
}
