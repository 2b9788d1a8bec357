//! Encodings of music as networks take it.
//!
//! Each has its inverse where a network also writes it, so that the player decodes what the trainer wrote.

pub mod bar_features;
pub mod grid;
pub mod note_cells;
pub mod note_tokens;
pub mod piano_roll;
