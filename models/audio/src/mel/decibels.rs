//! Power to decibels: `librosa.power_to_db`.

/// Power below this counts as this.
pub const AMIN: f32 = 1e-10;
/// librosa's default range: what is further below the loudest value is raised to this many dB below it.
pub const TOP_DB: f32 = 80.0;

/// What counts as 0 dB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reference {
    /// The greatest of the values (librosa's `ref=np.max`): 0 dB is the loudest, and loudness is lost.
    Max,
    /// This power, which should be positive.
    Power(f32),
}

/// Turns power into decibels in place: 10 log10(max(p, 1e-10) / max(reference, 1e-10)), then what is more than
/// `top_db` below the greatest result is raised to there. `None` leaves it where it is: right for a stream,
/// of which the loudest is not known.
pub fn power_to_db(values: &mut [f32], reference: Reference, top_db: Option<f32>) {
    let reference = match reference {
        Reference::Max => values.iter().copied().fold(0.0, f32::max),
        Reference::Power(power) => power,
    };
    let zero = 10.0 * reference.max(AMIN).log10();
    values.iter_mut().for_each(|v| *v = 10.0 * v.max(AMIN).log10() - zero);
    if let Some(top_db) = top_db {
        let floor = values.iter().copied().fold(f32::NEG_INFINITY, f32::max) - top_db;
        values.iter_mut().for_each(|v| *v = v.max(floor));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn db(values: &[f32], reference: Reference, top_db: Option<f32>) -> Vec<f32> {
        let mut values = values.to_vec();
        power_to_db(&mut values, reference, top_db);
        values
    }

    #[test]
    fn decibels_against_the_loudest_or_a_power() {
        assert_eq!(db(&[100.0, 1.0, 0.0], Reference::Max, None), [0.0, -20.0, -120.0]);
        assert_eq!(db(&[100.0, 1.0, 0.0], Reference::Max, Some(TOP_DB)), [0.0, -20.0, -80.0]);
        assert_eq!(db(&[100.0, 1.0, 0.0], Reference::Power(1.0), Some(TOP_DB)), [20.0, 0.0, -60.0]);
    }

    #[test]
    fn silence_and_nothing_are_no_special_case() {
        assert_eq!(db(&[0.0; 3], Reference::Max, Some(TOP_DB)), [0.0; 3]);
        assert_eq!(db(&[0.0; 3], Reference::Power(1.0), Some(TOP_DB)), [-100.0; 3]);
        assert_eq!(db(&[1.0], Reference::Power(0.0), None), [100.0]);
        assert_eq!(db(&[], Reference::Max, Some(TOP_DB)), [0.0; 0]);
    }
}
