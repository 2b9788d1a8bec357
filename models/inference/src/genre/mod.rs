//! Genres classified, from notes and from sound.

mod answer;
pub mod audio;
pub mod built_in;
mod columns;
pub mod notes;
pub mod symbolic;
pub mod weights;

pub use answer::{Answer, Doubt, Stretch, best};
pub use columns::{CLIP_COLUMNS, COLUMN_SECONDS, frame_of};
