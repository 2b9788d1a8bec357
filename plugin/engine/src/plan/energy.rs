//! How the pianist plays just now against how he has played so far: louder or softer, busier or sparser.

use sideman_music::PianoFrame;

/// What is left of a step's weight a step later: now is about the last bar and a half, and so far about the
/// last 32 bars.
const NOW: f32 = 0.96;
const SO_FAR: f32 = 0.998;
/// Least and greatest ratio that is reported.
const RATIOS: (f32, f32) = (0.4, 2.5);

/// How now compares with so far, as ratios; 1 where there is nothing to compare.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Energy {
    /// Of velocities.
    pub loudness: f32,
    /// Of steps in which something is struck.
    pub business: f32,
}

impl Default for Energy {
    fn default() -> Self {
        Self { loudness: 1.0, business: 1.0 }
    }
}

impl Energy {
    /// Both as one, from -1 (much less than so far) to 1 (much more): a quarter louder is about as much as
    /// twice as busy.
    pub fn lift(&self) -> f32 {
        (2.5 * self.loudness.ln() + 0.8 * self.business.ln()).clamp(-1.0, 1.0)
    }
}

/// A mean that forgets.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f32,
    weight: f32,
}

impl Mean {
    fn add(&mut self, keep: f32, value: Option<f32>) {
        self.sum = self.sum * keep + value.unwrap_or(0.0);
        self.weight = self.weight * keep + f32::from(u8::from(value.is_some()));
    }

    fn over(&self, other: &Self) -> f32 {
        let ratio = self.sum * other.weight / (self.weight * other.sum);
        if ratio.is_finite() { ratio.clamp(RATIOS.0, RATIOS.1) } else { 1.0 }
    }
}

/// Follows the pianist's energy step by step. No allocation.
#[derive(Debug, Clone, Copy, Default)]
pub struct EnergyMeter {
    /// Velocities, of steps in which something is struck; now and so far.
    loudness: [Mean; 2],
    /// Whether something is struck, of all steps since the first one.
    business: [Mean; 2],
    begun: bool,
}

impl EnergyMeter {
    /// Takes in a step and says how it stands.
    pub fn step(&mut self, frame: &PianoFrame) -> Energy {
        let struck = frame.struck_count > 0;
        self.begun |= struck;
        if self.begun {
            for (i, keep) in [NOW, SO_FAR].into_iter().enumerate() {
                self.business[i].add(keep, Some(f32::from(u8::from(struck))));
                // A pause says nothing about loudness: now stays what was struck last.
                self.loudness[i].add(keep, struck.then_some(f32::from(frame.velocity)));
            }
        }
        Energy {
            loudness: self.loudness[0].over(&self.loudness[1]),
            business: self.business[0].over(&self.business[1]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The energy after so many bars of eighths at a velocity, a strike every `every` steps.
    fn play(meter: &mut EnergyMeter, bars: usize, velocity: u8, every: usize) -> Energy {
        (0..bars * 16).fold(Energy::default(), |_, i| {
            let struck_count = u8::from(i % every == 0);
            let frame = PianoFrame { struck_count, velocity: velocity * struck_count, ..PianoFrame::SILENT };
            meter.step(&frame)
        })
    }

    #[test]
    fn even_playing_is_neither_more_nor_less() {
        for every in [1, 2, 4] {
            let energy = play(&mut EnergyMeter::default(), 24, 70, every);
            assert!((energy.loudness - 1.0).abs() < 1e-3, "{energy:?}");
            assert!(energy.lift().abs() < 0.1, "{energy:?}");
        }
        assert_eq!(EnergyMeter::default().step(&PianoFrame::SILENT), Energy::default());
    }

    #[test]
    fn louder_and_busier_lift_and_a_pause_lets_down() {
        let mut meter = EnergyMeter::default();
        play(&mut meter, 16, 60, 4);
        let mut louder = meter;
        let energy = play(&mut louder, 3, 90, 4);
        assert!((1.2..1.5).contains(&energy.loudness) && energy.lift() > 0.5, "{energy:?}");
        let mut busier = meter;
        let energy = play(&mut busier, 3, 60, 1);
        assert!(energy.loudness < 1.01 && energy.lift() > 0.5, "{energy:?}");
        // Within a bar it is felt, and not at once.
        let mut soon = meter;
        assert!(play(&mut soon, 1, 90, 4).loudness < energy_after(&meter, 3));
        for _ in 0..32 {
            meter.step(&PianoFrame::SILENT);
        }
        let energy = meter.step(&PianoFrame::SILENT);
        assert!((energy.loudness - 1.0).abs() < 0.01 && energy.lift() < -0.5, "{energy:?}");
    }

    fn energy_after(meter: &EnergyMeter, bars: usize) -> f32 {
        let mut meter = *meter;
        play(&mut meter, bars, 90, 4).loudness
    }
}
