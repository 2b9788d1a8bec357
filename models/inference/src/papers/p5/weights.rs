//! Weights files of [`StrokeNet`]: what `sideman continue` plays from. Loaded as strictly as [`crate::weights`]'s.

use sideman_music::encoding::note_tokens::{GAPS, LENGTHS, LOWEST_PITCH, PITCHES, POSITIONS, Shapes};

use super::{StrokeNet, StrokePlayer};
use crate::weights::{Card, Shaped, TensorError, WeightsError, WeightsFile, fingerprint, json, sealed};

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
    /// The network, in its initial state.
    pub player: StrokePlayer,
    /// Card.
    pub card: Card,
}

fn encoding(net: &StrokeNet) -> String {
    let tensors = net.tensors();
    let named = tensors.iter().map(|(name, shape)| (name.as_str(), shape.as_slice()));
    fingerprint(&format!("strokes {STROKES}: {GAPS} {LENGTHS} {LOWEST_PITCH} {PITCHES} {POSITIONS};"), named)
}

impl StrokeWeights {
    /// Writes a file: shapes and values of the tensors by name.
    ///
    /// # Errors
    /// When a value is not finite.
    pub fn write(
        net: &StrokeNet,
        shapes: &Shapes,
        tensors: &Shaped,
        card: &Card,
    ) -> Result<Vec<u8>, TensorError> {
        let metadata = [
            ("general.architecture", ARCHITECTURE.to_owned()),
            ("general.name", card.name.clone()),
            ("sideman.encoding", encoding(net)),
            ("sideman.config", json(net)),
            ("sideman.shapes", json(&shapes.masks())),
            ("sideman.card", json(card)),
        ];
        sealed(&metadata, tensors)
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
            return Err(TensorError::Sizes(format!("{net:?}")).into());
        }
        parsed.expect_encoding(encoding(&net))?;
        let masks: Vec<u32> = parsed.json("sideman.shapes")?;
        let shapes = Shapes::new(&masks);
        if shapes.masks() != masks || shapes.count() != net.shapes {
            return Err(WeightsError::Content("the shapes of chords are doubled, absurd or too few".into()));
        }
        let player = StrokePlayer::new(net, &parsed.tensors(&net.tensors())?)?;
        Ok(Self { shapes, player, card: parsed.card()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::papers::tests::random;

    fn file(hidden: usize, shapes: &Shapes) -> Vec<u8> {
        let net = StrokeNet { shapes: shapes.count(), hidden };
        let tensors = random(&net.tensors(), 1);
        StrokeWeights::write(&net, shapes, &tensors, &Card { name: "test".into(), ..Card::default() })
            .unwrap()
    }

    #[test]
    fn a_file_is_read_back_or_refused() {
        let shapes = Shapes::new(&[0b1000, 0b100_1000]);
        let bytes = file(64, &shapes);
        let weights = StrokeWeights::load(&bytes).unwrap();
        assert_eq!((weights.shapes, weights.card.name.as_str()), (shapes, "test"));
        assert!(crate::weights::card(&bytes).unwrap().name == "test");
        let mut bent = bytes.clone();
        bent[200] ^= 1;
        assert!(matches!(StrokeWeights::load(&bent), Err(WeightsError::Damaged)));
        assert!(matches!(StrokeWeights::load(b"GGUF"), Err(WeightsError::Foreign)));
        assert!(StrokeWeights::load(crate::weights::EMBEDDED).unwrap_err().to_string().contains("continues"));
        assert!(crate::weights::load(&bytes).is_err());
    }
}
