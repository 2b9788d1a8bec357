//! Raw waveforms as paper P4 cuts them: the first 660,000 samples of a song in 100 parts of 60 x 110.

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
