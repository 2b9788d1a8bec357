//! What listens to the sound on the input: the classifier of audio that is built in. On the band's thread.

use std::sync::Arc;

use sideman_engine::genre::{AudioClassifier, MakeAudioClassifier};
use sideman_inference::genre::audio::{AudioListener, AudioVerdict};
use sideman_inference::genre::built_in;
use sideman_inference::genre::weights::AudioWeights;

/// The rate that is expected until the first samples come.
const USUAL_RATE: u32 = 48_000;

struct SoundClassifier {
    weights: &'static AudioWeights,
    listener: AudioListener,
    rate: u32,
    /// What is silent has no probabilities of its own.
    alike: Vec<f32>,
}

/// Makes a classifier when sound comes in for the first time.
pub(crate) fn make() -> MakeAudioClassifier {
    Arc::new(|| {
        let weights = built_in::audio().map_err(|e| e.to_string())?;
        let classes = weights.head.classes.len();
        Ok(Box::new(SoundClassifier {
            weights,
            listener: AudioListener::new(weights, USUAL_RATE).map_err(|e| e.to_string())?,
            rate: USUAL_RATE,
            alike: vec![1.0 / classes as f32; classes],
        }))
    })
}

impl AudioClassifier for SoundClassifier {
    fn push(&mut self, samples: &[f32], rate: f32) {
        let rate = rate.round().max(1.0) as u32;
        if rate != self.rate {
            self.rate = rate;
            // An impossible sample rate is kept, and sound at it is ignored.
            if let Ok(listener) = AudioListener::new(self.weights, rate) {
                self.listener = listener;
            }
        }
        self.listener.push(samples);
    }

    fn said(&mut self) -> Option<(&[f32], bool)> {
        if self.listener.verdict() == AudioVerdict::Silent {
            return Some((&self.alike, true));
        }
        self.listener.probabilities().map(|p| (p, false))
    }

    fn classes(&self) -> &[String] {
        &self.weights.head.classes
    }

    fn unsure(&self) -> f32 {
        self.weights.head.unsure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_and_noise_is_answered_at_any_rate() {
        let mut classifier = make()().unwrap();
        assert_eq!(classifier.classes().len(), 10);
        for rate in [44_100.0, 96_000.0] {
            let mut noise = 1u32;
            for _ in 0..40 {
                let samples: Vec<f32> = (0..rate as usize / 10)
                    .map(|_| {
                        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        noise as f32 / u32::MAX as f32 - 0.5
                    })
                    .collect();
                classifier.push(&samples, rate);
            }
            let (said, silent) = classifier.said().unwrap();
            assert!(!silent && (said.iter().sum::<f32>() - 1.0).abs() < 1e-3);
            for _ in 0..100 {
                classifier.push(&vec![0.0; rate as usize / 10], rate);
            }
            assert!(classifier.said().unwrap().1);
        }
    }
}
