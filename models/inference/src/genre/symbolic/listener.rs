//! The last bars as they are played, and what they sound like.

use std::sync::Arc;

use super::kernel::{BarKernel, BarPool};

/// Takes bars one by one and tells the genre of the last few. Allocates when it is made and never after; one
/// owner, any thread.
#[derive(Debug, Clone)]
pub struct BarListener {
    kernel: Arc<BarKernel>,
    temperature: f32,
    /// Units of the last bars, a ring, and whether music sounded in each.
    units: Vec<f32>,
    sounding: Vec<bool>,
    next: usize,
    heard: usize,
    least: usize,
    normal: Vec<f32>,
    pool: BarPool,
    probabilities: Vec<f32>,
}

impl BarListener {
    /// Listens to windows of `bars` bars, of which `least` must sound; probabilities at a temperature.
    ///
    /// # Panics
    /// When `bars` is 0.
    pub fn new(kernel: Arc<BarKernel>, temperature: f32, bars: usize, least: usize) -> Self {
        assert!(bars > 0, "a window of no bars");
        let config = *kernel.config();
        Self {
            temperature,
            units: vec![0.0; bars * config.hidden],
            sounding: vec![false; bars],
            next: 0,
            heard: 0,
            least,
            normal: vec![0.0; config.features],
            pool: BarPool::new(&kernel),
            probabilities: vec![0.0; config.classes],
            kernel,
        }
    }

    /// Takes in the figures of the next bar, and whether a note begins in it. Returns the probabilities of the
    /// classes for the last bars; nothing before there are enough of them or when too few of them sound.
    ///
    /// # Panics
    /// When there are not as many figures as the network wants.
    pub fn push(&mut self, figures: &[f32], sounds: bool) -> Option<&[f32]> {
        let hidden = self.kernel.config().hidden;
        let bars = self.sounding.len();
        let place = self.next * hidden..(self.next + 1) * hidden;
        self.kernel.bar(figures, &mut self.normal, &mut self.units[place]);
        self.sounding[self.next] = sounds;
        self.next = (self.next + 1) % bars;
        self.heard = (self.heard + 1).min(bars);
        if self.heard < bars || self.sounding.iter().filter(|&&s| s).count() < self.least {
            return None;
        }
        self.pool.clear();
        // From the oldest on, so that sums do not depend on where the ring began.
        for i in 0..bars {
            let at = (self.next + i) % bars;
            self.pool.add(&self.units[at * hidden..(at + 1) * hidden]);
        }
        self.kernel.classify(&mut self.pool, self.temperature, &mut self.probabilities);
        Some(&self.probabilities)
    }

    /// Forgets what was played.
    pub fn reset(&mut self) {
        self.heard = 0;
        self.next = 0;
        self.sounding.fill(false);
    }
}
