//! A network for tests that need one to play, not one that plays well.

use sideman_inference::band::{Config, NeuralBand};
use sideman_inference::weights::{BandWeights, Card, StoredStyle, load, write};
use sideman_music::encoding::grid::VelocityTable;

/// Untrained weights, through a weights file and back. Its parts play often, so that every head is used.
pub(crate) fn untrained() -> BandWeights {
    let config = Config { input: 96, hidden: 64, context: 48, pitch: 32, style: 8 };
    let mut tensors = config.initial(7);
    // What only makes style codes does not belong in a weights file.
    tensors.retain(|name, _| !name.starts_with("style."));
    let style = StoredStyle {
        style: "ballad".into(),
        bpm: 90.0,
        bar_steps: 16,
        programs: [None; 4],
        share: None,
        code: vec![0.3; 8],
    };
    let bytes =
        write(&config, &tensors, &[style], &VelocityTable::default(), &Default::default(), &Card::default());
    load(&bytes.expect("weights are written")).expect("weights are read back")
}

/// A band that plays from them.
pub(crate) fn band(weights: &BandWeights, seed: u64) -> NeuralBand {
    NeuralBand::new(weights.kernel.clone(), &weights.styles[0].code, seed)
}
