//! A network for tests that need one to play, not one that plays well.

use std::collections::BTreeMap;

use sideman_models::band::{Config, Init, NeuralBand};
use sideman_models::weights::{BandWeights, Card, StoredStyle, load, write};
use sideman_music::grid::VelocityTable;

/// Untrained weights, through a weights file and back. Its parts play often, so that every head is used.
pub(crate) fn untrained() -> BandWeights {
    let config = Config { input: 96, hidden: 64, context: 48, pitch: 32, style: 8 };
    let mut state = 7u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1u32 << 23) as f32 - 1.0
    };
    let tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)> = config
        .tensors()
        .into_iter()
        .filter(|s| !s.training_only)
        .map(|s| {
            let count = s.shape.iter().product();
            let values = match s.init {
                Init::Constant(x) => vec![x; count],
                _ => (0..count).map(|_| 0.2 * random()).collect(),
            };
            (s.name, (s.shape, values))
        })
        .collect();
    let style = StoredStyle {
        style: "ballad".into(),
        bpm: 90.0,
        bar_steps: 16,
        programs: [None; 4],
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
