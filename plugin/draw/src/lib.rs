//! Pictures: the piano roll, and the canvas that all pictures are drawn on, also through plotters.
//!
//! All text is drawn with one font of 8 by 8 dots, so that pictures are the same on every system.

mod canvas;
mod roll;

pub use canvas::{Canvas, Colour, LETTER, blend};
pub use image::{ImageResult, RgbImage};
pub use roll::PianoRoll;
