//! Raw waveforms as paper P4 cuts them: the first 660,000 samples of a song in 100 parts of 60 x 110.

use thiserror::Error;

/// Rows of a part: steps of the recurrent network, places of the convolution.
pub const ROWS: usize = 60;
/// Samples of a row.
pub const COLUMNS: usize = 110;
/// Samples of a part: 0.3 s.
pub const PART: usize = ROWS * COLUMNS;
/// Parts of a song.
pub const PARTS: usize = 100;
/// Samples of a song that are used: 29.93 s, a little less than GTZAN's excerpts have.
pub const SONG: usize = PARTS * PART;

/// A song that is too short for the paper's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "{samples} samples at 22,050 Hz are too few for {PARTS} parts, which take {SONG}: \
     give at least 30 seconds of sound, or leave the song out"
)]
pub struct TooShort {
    /// Samples that the song has.
    pub samples: usize,
}

/// The 100 parts of a song, from its mono samples at 22,050 Hz (P4, section on data): each 6,600 samples,
/// to be read as 60 rows of 110, row after row. What is beyond the first 660,000 samples is left out.
///
/// # Errors
/// When the song has fewer samples.
pub fn song_parts(song: &[f32]) -> Result<impl ExactSizeIterator<Item = &[f32]> + Clone, TooShort> {
    let used = song.get(..SONG).ok_or(TooShort { samples: song.len() })?;
    Ok(used.chunks_exact(PART))
}

/// The whole parts of a sound of any length: as many as fit, none of a sound under 0.3 s. For sounds that the
/// protocol of the paper does not cover.
pub fn parts(sound: &[f32]) -> impl ExactSizeIterator<Item = &[f32]> + Clone {
    sound.chunks_exact(PART)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_song_has_a_hundred_parts_in_order() {
        let song: Vec<f32> = (0..SONG + 5).map(|i| i as f32).collect();
        let parts: Vec<&[f32]> = song_parts(&song).unwrap().collect();
        assert_eq!((parts.len(), parts[0].len()), (100, 60 * 110));
        assert_eq!(parts[1][0], 6_600.0);
        assert_eq!(parts[99][6_599], 659_999.0);
        assert_eq!(song_parts(&song[..SONG]).unwrap().len(), 100);
    }

    #[test]
    fn short_songs_are_named_and_short_sounds_have_what_fits() {
        let song = vec![0.0; SONG - 1];
        assert_eq!(song_parts(&song).err(), Some(TooShort { samples: SONG - 1 }));
        assert!(song_parts(&song).err().unwrap().to_string().contains("30 seconds"));
        assert_eq!(parts(&song).len(), 99);
        assert_eq!(parts(&song[..PART - 1]).len(), 0);
    }
}
