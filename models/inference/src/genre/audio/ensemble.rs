//! Several networks that answer as one.

use std::sync::Arc;

use super::kernel::ListenerKernel;
use super::stream::ListenerStream;
use crate::kernel::activation::softmax;

/// The streams of all members over the same columns; what they tell is the mean of their logarithms of
/// probabilities, which is a mean of logits but for a constant. Allocates when it is made and never after.
#[derive(Debug, Clone)]
pub struct Ensemble {
    streams: Vec<ListenerStream>,
    probabilities: Vec<f32>,
}

impl Ensemble {
    /// Nothing heard yet; window and pieces as for [`ListenerStream::new`].
    ///
    /// # Panics
    /// Without members, when they tell different numbers of classes, and as [`ListenerStream::new`].
    pub fn new(kernels: &[Arc<ListenerKernel>], window: usize, most: usize) -> Self {
        let classes = kernels.first().map_or(0, |k| k.config().classes);
        assert!(kernels.iter().all(|k| k.config().classes == classes && classes > 0), "members of one kind");
        let streams = kernels.iter().map(|k| ListenerStream::new(k.clone(), window, most)).collect();
        Self { streams, probabilities: vec![0.0; classes] }
    }

    /// Takes in columns, see [`ListenerStream::push`].
    ///
    /// # Panics
    /// As there.
    pub fn push(&mut self, columns: &[f32]) {
        self.streams.iter_mut().for_each(|s| s.push(columns));
    }

    /// Probabilities of the classes for the last columns, the logarithms divided by a temperature; none before every
    /// member has heard enough.
    pub fn probabilities(&mut self, temperature: f32) -> Option<&[f32]> {
        let share = 1.0 / (self.streams.len() as f32 * temperature);
        self.probabilities.fill(0.0);
        for stream in &mut self.streams {
            let logits = stream.logits()?;
            self.probabilities.iter_mut().zip(logits).for_each(|(p, l)| *p += l * share);
        }
        softmax(&mut self.probabilities);
        Some(&self.probabilities)
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.streams.iter_mut().for_each(ListenerStream::reset);
    }
}
