//! The audio baseline: mean and deviation of each mel band. The symbolic one is
//! [`sideman_music::encoding::bar_features::programs_and_tempo`].

use super::labelled::MelImage;

/// Length of [`mean_and_deviation`].
pub const MEL_BASELINE_FEATURES: usize = 2 * MelImage::BANDS;

/// Mean and standard deviation of each band over time, first all means; of an image, in shares of its range
/// from floor to loudest (0 to 1).
pub fn mean_and_deviation(image: &MelImage) -> [f32; MEL_BASELINE_FEATURES] {
    let mut out = [0.0; MEL_BASELINE_FEATURES];
    for (band, row) in image.values.chunks_exact(image.columns.max(1)).take(MelImage::BANDS).enumerate() {
        let count = row.len() as f64;
        let mean = row.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
        let variance = row.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / count;
        out[band] = (mean / 255.0) as f32;
        out[MelImage::BANDS + band] = (variance.sqrt() / 255.0) as f32;
    }
    out
}
