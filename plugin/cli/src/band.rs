//! Who plays, by the options.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use sideman_engine::loaded_band::{self, LoadedBand, Music};
use sideman_engine::pattern::{Pattern, Patterns};
use sideman_engine::{Controls, WeightsChoice};
use sideman_inference::weights::{self, BUILT_IN};

use crate::args::{BandArgs, Weights};
use crate::render::read_input;

/// What the parts are to keep to.
pub(crate) fn patterns(args: &BandArgs) -> Result<Patterns> {
    let mut patterns = Patterns::default();
    for (part, path) in &args.pattern {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let pattern = Pattern::from_midi(*part, name, &read_input(path)?).with_context(|| {
            format!("{} is no pattern for the {}", path.display(), part.name().to_lowercase())
        })?;
        if patterns[part.index()].replace(Arc::new(pattern)).is_some() {
            bail!("the {} have two patterns: give one", part.name().to_lowercase());
        }
    }
    Ok(patterns)
}

/// Makes the band that the options ask for.
pub(crate) fn make_band(args: &BandArgs, controls: &Controls, music: Music) -> Result<LoadedBand> {
    match &args.weights {
        Some(Weights::File(path)) => {
            if !path.exists() && path.extension().is_none() {
                let names: Vec<&str> = BUILT_IN.iter().map(|b| b.name).collect();
                bail!(
                    "there are no weights '{}': choose {}, {} or a weights file",
                    path.display(),
                    names.join(", "),
                    WeightsChoice::Rules.name()
                );
            }
            let name = || format!("cannot use the weights {}", path.display());
            let loaded = weights::load(&read_input(path)?).with_context(name)?;
            Ok(loaded_band::neural(&loaded, controls, music)?)
        }
        _ => Ok(loaded_band::load(controls, music)?),
    }
}
