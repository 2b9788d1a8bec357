//! The columns that the classifiers of audio hear.
//!
//! They learn from images of GTZAN's spectrograms, 387 columns for 30 s, each of them one frame of librosa's
//! spectrogram (a hop of 512 samples at 22,050 Hz) and no average of several. What is heard live is brought to the same
//! by leaving frames out, 2 or 3 of every 3 or 4.

/// Columns of an image, that is of a clip of 30 s.
pub const CLIP_COLUMNS: usize = 387;
/// Frames of the 30 s behind it.
const FRAMES: usize = 1292;

/// Seconds from one column to the next.
pub const COLUMN_SECONDS: f64 = 30.0 / CLIP_COLUMNS as f64;

/// The frame, from 0, of 512 samples at 22,050 Hz each, that is a column, from 0: that in the column's middle.
pub fn frame_of(column: usize) -> usize {
    // In whole numbers, for a live stream goes on for days.
    (2 * column + 1) * FRAMES / (2 * CLIP_COLUMNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_frames_evenly_spread() {
        assert_eq!((frame_of(0), frame_of(1), frame_of(386)), (1, 5, 1290));
        assert_eq!(frame_of(387), FRAMES + 1);
        assert!((0..10_000).all(|c| (3..=4).contains(&(frame_of(c + 1) - frame_of(c)))));
        // Over an hour the columns keep time.
        let column = (3600.0 / COLUMN_SECONDS) as usize;
        let seconds = frame_of(column) as f64 * 512.0 / 22_050.0;
        assert!((seconds - 3600.0).abs() < 0.1, "{seconds}");
    }
}
