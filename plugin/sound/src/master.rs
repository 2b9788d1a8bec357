//! What everything goes through at the end: the master gain and the limiter.

/// Up to here the output is straight; above, it bends towards 1.
const KNEE: f32 = 0.80;
/// Peaks above this are turned down.
const CEILING: f32 = 0.94;

/// A smoothed gain, and a limiter without latency: it turns peaks down within a millisecond, and what gets
/// past in that time is bent. The output stays within -1 to 1 whatever comes in.
#[derive(Debug)]
pub(crate) struct Master {
    gain: f32,
    wanted: f32,
    /// Share of the way to the wanted gain that a frame takes: 10 ms to 1/e.
    glide: f32,
    peak: f32,
    limit: f32,
    /// 0.7 ms to 1/e.
    attack: f32,
    /// 250 ms to 1/e.
    release: f32,
}

impl Master {
    pub(crate) fn new(rate: f32) -> Self {
        let share = |seconds: f32| 1.0 - (-1.0 / (seconds * rate)).exp();
        Self {
            gain: 1.0,
            wanted: 1.0,
            glide: share(0.01),
            peak: 0.0,
            limit: 1.0,
            attack: share(0.0007),
            release: (-1.0 / (0.25 * rate)).exp(),
        }
    }

    /// Sets the gain to go to, 0 to 4; at once where `silent` says that nothing is heard.
    pub(crate) fn set_gain(&mut self, gain: f32, silent: bool) {
        self.wanted = if gain.is_finite() { gain.clamp(0.0, 4.0) } else { 1.0 };
        if silent {
            self.rest();
        }
    }

    /// What was loud is forgotten; for when nothing is heard any more.
    pub(crate) fn rest(&mut self) {
        self.gain = self.wanted;
        self.peak = 0.0;
        self.limit = 1.0;
    }

    /// Turns and limits a block in place. True if it held NaN or infinity.
    pub(crate) fn run(&mut self, left: &mut [f32], right: &mut [f32]) -> bool {
        let mut damaged = false;
        for (left, right) in left.iter_mut().zip(right.iter_mut()) {
            let way = self.wanted - self.gain;
            // Arrived at once when near: a difference that keeps halving would become slow.
            self.gain = if way.abs() < 1e-6 { self.wanted } else { self.gain + way * self.glide };
            let (mut x, mut y) = (*left * self.gain, *right * self.gain);
            if !(x.is_finite() && y.is_finite()) {
                (x, y, damaged) = (0.0, 0.0, true);
            }
            // The tiny sum keeps the falling peak off the floats' slow end.
            self.peak = x.abs().max(y.abs()).max(self.peak * self.release) + 1e-20;
            let wanted = if self.peak > CEILING { CEILING / self.peak } else { 1.0 };
            self.limit += (wanted - self.limit) * self.attack;
            *left = bend(x * self.limit);
            *right = bend(y * self.limit);
        }
        damaged
    }
}

/// Straight up to the knee, then bent towards 1.
fn bend(x: f32) -> f32 {
    let over = x.abs() - KNEE;
    if over <= 0.0 {
        return x;
    }
    let room = 1.0 - KNEE;
    (KNEE + room * (over / (over + room))).copysign(x)
}
