//! Weights files of [`StrokeNet`]: what `sideman continue` plays from. Loaded as strictly as [`crate::weights`]'s.

use std::collections::BTreeMap;

use candle_core::Result as CandleResult;
use sideman_music::encoding::note_tokens::{GAPS, LENGTHS, LOWEST_PITCH, PITCHES, POSITIONS, Shapes};

use super::{StrokeNet, StrokePlayer};
use crate::nn::Network;
use sideman_inference::weights::{Card, WeightsError, WeightsFile, fingerprint, json, sealed};

/// Of `general.architecture`.
const ARCHITECTURE: &str = "sideman-next-note";
/// Raise it when strokes change their meaning.
const STROKES: u32 = 1;
/// No network of ours comes near these.
const MOST: usize = 4096;

/// A network of strokes, ready to play.
#[derive(Debug, Clone)]
pub struct StrokeWeights {
    /// The chords that it knows.
    pub shapes: Shapes,
    /// The network, which has heard nothing yet.
    pub player: StrokePlayer,
    /// Card.
    pub card: Card,
}

fn encoding(net: &StrokeNet) -> String {
    let trained = net.specs().trained;
    let named = trained.iter().map(|s| (s.name.as_str(), s.shape.as_slice()));
    fingerprint(&format!("strokes {STROKES}: {GAPS} {LENGTHS} {LOWEST_PITCH} {PITCHES} {POSITIONS};"), named)
}

impl StrokeWeights {
    /// Writes a file: shapes and values of the tensors by name.
    ///
    /// # Errors
    /// When a value is no number.
    pub fn write(
        net: &StrokeNet,
        shapes: &Shapes,
        tensors: &BTreeMap<String, (Vec<usize>, Vec<f32>)>,
        card: &Card,
    ) -> CandleResult<Vec<u8>> {
        let metadata = [
            ("general.architecture", ARCHITECTURE.to_owned()),
            ("general.name", card.name.clone()),
            ("sideman.encoding", encoding(net)),
            ("sideman.config", json(net)),
            ("sideman.shapes", json(&shapes.masks())),
            ("sideman.card", json(card)),
        ];
        sealed(&metadata, tensors).map_err(candle_core::Error::wrap)
    }

    /// Loads a file. Allocates and takes some milliseconds.
    ///
    /// # Errors
    /// When the file is damaged, foreign, of another encoding, or lacks something.
    pub fn load(bytes: &[u8]) -> Result<Self, WeightsError> {
        let parsed = WeightsFile::read(bytes)?;
        if parsed.text("general.architecture")? != ARCHITECTURE {
            return Err(WeightsError::Content("it is no network that continues a piano".into()));
        }
        let net: StrokeNet = parsed.json("sideman.config")?;
        if net.hidden == 0 || net.shapes == 0 || net.hidden > MOST || net.shapes > MOST {
            return Err(WeightsError::Content(format!("absurd sizes {net:?}")));
        }
        parsed.expect_encoding(encoding(&net))?;
        let masks: Vec<u32> = parsed.json("sideman.shapes")?;
        let shapes = Shapes::new(&masks);
        if shapes.masks() != masks || shapes.count() != net.shapes {
            return Err(WeightsError::Content("the shapes of chords are doubled, absurd or too few".into()));
        }
        let wanted: Vec<(String, Vec<usize>)> =
            net.specs().trained.into_iter().map(|s| (s.name, s.shape)).collect();
        let player = StrokePlayer::new(net, parsed.tensors(&wanted)?).map_err(WeightsError::Content)?;
        Ok(Self { shapes, player, card: parsed.card()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Parameters;

    fn file(hidden: usize, shapes: &Shapes) -> Vec<u8> {
        let net = StrokeNet { shapes: shapes.count(), hidden };
        let fresh = Parameters::fresh(&net.specs(), 1).unwrap();
        let flat = |t: &candle_core::Tensor| (t.dims().to_vec(), t.flatten_all().unwrap().to_vec1().unwrap());
        let tensors = fresh.tensors.iter().map(|(k, v)| (k.clone(), flat(v))).collect();
        StrokeWeights::write(&net, shapes, &tensors, &Card { name: "test".into(), ..Card::default() })
            .unwrap()
    }

    #[test]
    fn a_file_is_read_back_or_refused() {
        let shapes = Shapes::new(&[0b1000, 0b100_1000]);
        let bytes = file(64, &shapes);
        let weights = StrokeWeights::load(&bytes).unwrap();
        assert_eq!((weights.shapes, weights.card.name.as_str()), (shapes, "test"));
        assert!(sideman_inference::weights::card(&bytes).unwrap().name == "test");
        let mut bent = bytes.clone();
        bent[200] ^= 1;
        assert!(matches!(StrokeWeights::load(&bent), Err(WeightsError::Damaged)));
        assert!(matches!(StrokeWeights::load(b"GGUF"), Err(WeightsError::Foreign)));
        assert!(
            StrokeWeights::load(sideman_inference::weights::EMBEDDED)
                .unwrap_err()
                .to_string()
                .contains("continues")
        );
        assert!(sideman_inference::weights::load(&bytes).is_err());
    }
}
