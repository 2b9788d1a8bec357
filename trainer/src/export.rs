//! From a training to a weights file and its card: what the exports of all recipes share.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::ensure;
use candle_core::{Device, Tensor};
use sideman_inference::weights::{self, Card, Shaped};

use crate::report::write_whole;

/// Licence of weights that were trained in part on music without a stated one.
pub(crate) const RESEARCH_LICENCE: &str = "weights: MIT OR Apache-2.0 as far as ours to give; trained in part on music without a stated licence, \
     as is the field's custom with the Lakh collection: check your own case before you redistribute them";

/// Where weights come from: what every export is told for the card.
#[derive(Debug, Clone, clap::Args)]
pub struct Origin {
    /// Commit that they were trained at
    #[arg(long)]
    pub commit: String,
    /// Commands that make the weights again, in order
    #[arg(long = "command", value_name = "COMMAND", required = true)]
    pub commands: Vec<String>,
}

impl Origin {
    /// The card of the weights of `out`, of which the recipe fills in the rest.
    pub(crate) fn card(&self, out: &Path) -> Card {
        Card {
            name: out.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default(),
            version: env!("CARGO_PKG_VERSION").into(),
            quantisation: "matrices of 4096 values or more as Q8_0, the rest as f32".into(),
            commit: self.commit.clone(),
            commands: self.commands.clone(),
            ..Card::default()
        }
    }
}

/// Shapes and values of tensors by name.
///
/// # Errors
/// When one is not of f32.
pub(crate) fn shaped(tensors: &BTreeMap<String, Tensor>) -> candle_core::Result<Shaped> {
    let values = |t: &Tensor| t.flatten_all()?.to_vec1();
    tensors.iter().map(|(name, t)| Ok((name.clone(), (t.dims().to_vec(), values(t)?)))).collect()
}

/// The tensors as a weights file brings them back.
///
/// # Errors
/// When a shape does not fit its values.
pub(crate) fn rounded(tensors: &Shaped) -> candle_core::Result<BTreeMap<String, Tensor>> {
    let back = |shape: &[usize], values: &[f32]| {
        Tensor::from_vec(weights::rounded(shape, values), shape, &Device::Cpu)
    };
    tensors.iter().map(|(name, (shape, values))| Ok((name.clone(), back(shape, values)?))).collect()
}

/// What storing the matrices in 8 bits costs on the valid split, in nats a `unit`.
///
/// # Errors
/// When it is not below `most`.
pub(crate) fn cost(before: f64, after: f64, most: f64, unit: &str) -> anyhow::Result<f64> {
    let cost = after - before;
    ensure!(
        cost < most,
        "quantising costs {cost:.4} nats a {unit}, more than {most}: train longer or store more bits"
    );
    Ok(cost)
}

/// Writes a weights file and beside it its card, ending in .toml, and says so; `note` is what else there is to say.
///
/// # Errors
/// When the folder cannot be written to.
pub(crate) fn save(out: &Path, bytes: &[u8], card: Card, note: &str) -> anyhow::Result<()> {
    let card = Card { sha256: weights::sha256(bytes), ..card };
    let beside = out.with_extension("toml");
    write_whole(out, bytes)?;
    write_whole(&beside, toml::to_string_pretty(&card)?.as_bytes())?;
    println!(
        "Wrote {} ({:.0} kB, {} parameters) and {}; {note}.",
        out.display(),
        bytes.len() as f64 / 1e3,
        card.parameters,
        beside.display()
    );
    Ok(())
}
