//! Sound files.

use std::path::Path;

use anyhow::{Context, Result};
use sideman_audio::decode::AudioFile;
use sideman_inference::genre::audio::{AudioClassifier, ClassifyError};
use sideman_inference::genre::{Answer, Doubt, Stretch, built_in};

use super::report::Classified;

/// What a sound file sounds like. It is read a packet at a time, so that ten hours take no more memory than a minute.
pub(super) fn of_sound(path: &Path, name: &str) -> Result<Classified> {
    let weights = built_in::audio()?;
    let mut file = AudioFile::open(path)?;
    let rate = file.sample_rate();
    let mut classifier = AudioClassifier::new(weights, rate).with_context(|| format!("cannot use {name}"))?;
    while let Some(samples) = file.next_chunk() {
        classifier.push(samples);
    }
    let seconds = file.position() as f64 / f64::from(rate);
    let damage = file.damage();
    let mut warnings = vec![];
    if damage.any() {
        warnings.push(damage.to_string());
    }
    let mut answer = Answer::blank(&weights.head, None);
    match classifier.finish() {
        Ok(report) => {
            answer.timeline = report
                .windows
                .into_iter()
                .map(|w| Stretch { start: w.seconds.0, end: w.seconds.1, probabilities: w.probabilities })
                .collect();
            match report.whole {
                Some(whole) => answer.probabilities = whole,
                None => answer.doubt = Some(Doubt::Silence),
            }
        }
        Err(ClassifyError::TooShort { .. }) => answer.doubt = Some(Doubt::TooShort),
        Err(error @ ClassifyError::Rate(_)) => {
            return Err(error).with_context(|| format!("cannot use {name}"));
        }
    }
    Ok(Classified { name: name.to_owned(), answer, seconds, warnings })
}
