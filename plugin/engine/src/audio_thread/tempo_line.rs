//! The line on which musical time runs over samples, as far back as it is asked for.

/// A straight piece.
#[derive(Debug, Clone, Copy, Default)]
struct Knot {
    sample: f64,
    position: f64,
    /// Pulses a sample from here on.
    rate: f64,
}

/// Pieces that are remembered. In a tempo ramp one is made every [`SPACING`] samples at most, so these reach
/// back a third of a second at 192 kHz.
const KNOTS: usize = 1024;
/// Least distance between two knots, in samples.
const SPACING: f64 = 64.0;
/// A line that is this near to what a host says, in pulses, is not bent: hosts round.
const NEAR: f64 = 1e-4;
/// A line that is further than this from what a host says, in pulses, is bent at once.
const FAR: f64 = 2.0;

/// Position over samples within an epoch, piecewise linear, never falling. No allocation.
#[derive(Debug, Clone)]
pub(super) struct TempoLine {
    knots: [Knot; KNOTS],
    /// Index of the newest knot, and how many there are.
    newest: usize,
    count: usize,
    begin: f64,
}

impl Default for TempoLine {
    fn default() -> Self {
        Self { knots: [Knot::default(); KNOTS], newest: 0, count: 1, begin: 0.0 }
    }
}

impl TempoLine {
    /// Sample at which the epoch began.
    pub(super) fn begin(&self) -> f64 {
        self.begin
    }

    /// Begins an epoch.
    pub(super) fn begin_at(&mut self, sample: f64, position: f64, rate: f64) {
        self.knots[0] = Knot { sample, position, rate };
        self.newest = 0;
        self.count = 1;
        self.begin = sample;
    }

    /// From a sample on, the position goes on from here at this rate.
    pub(super) fn bend(&mut self, sample: f64, position: f64, rate: f64) {
        let last = self.knots[self.newest];
        let guess = last.position + (sample - last.sample) * last.rate;
        if (guess - position).abs() < NEAR && (rate / last.rate - 1.0).abs() < 1e-12 {
            return;
        }
        if sample <= last.sample {
            self.knots[self.newest] = Knot { position: position.max(last.position), rate, ..last };
            return;
        }
        if sample - last.sample < SPACING && (guess - position).abs() < FAR {
            return;
        }
        self.newest = (self.newest + 1) % KNOTS;
        self.count = (self.count + 1).min(KNOTS);
        // Never back, even if the host goes back a little.
        self.knots[self.newest] = Knot { sample, position: position.max(last.position), rate };
    }

    /// The knots from the newest to the oldest.
    fn back(&self) -> impl Iterator<Item = Knot> + '_ {
        (0..self.count).map(|i| self.knots[(self.newest + KNOTS - i) % KNOTS])
    }

    /// Position at a sample.
    pub(super) fn position(&self, sample: f64) -> f64 {
        let mut after: Option<Knot> = None;
        for k in self.back() {
            if k.sample <= sample {
                let at = k.position + (sample - k.sample) * k.rate;
                // Where the next piece begins lower than this one ends, time stands for a moment.
                return after.map_or(at, |a| at.min(a.position.max(k.position)));
            }
            after = Some(k);
        }
        let oldest = after.unwrap_or_default();
        oldest.position + (sample - oldest.sample) * oldest.rate
    }

    /// Sample at which a position is reached.
    pub(super) fn sample(&self, position: f64) -> f64 {
        let mut after: Option<Knot> = None;
        for k in self.back() {
            if k.position <= position {
                let at = k.sample + (position - k.position) / k.rate.max(1e-9);
                return after.map_or(at, |a| at.min(a.sample));
            }
            after = Some(k);
        }
        let oldest = after.unwrap_or_default();
        oldest.sample + (position - oldest.position) / oldest.rate.max(1e-9)
    }
}
