//! Pictures: piano rolls of bands, and charts of losses, metrics and intervals.
//!
//! All text is drawn with one font of 8 by 8 dots, so that pictures are the same on every system.

mod canvas;
mod chart;
mod clusters;
mod figures;
mod intervals;
mod png;
mod roll;

pub use canvas::{Canvas, Colour, LETTER, blend};
pub use chart::{COLOURS, Curve, DrawError, Panel, Range, TRAIN, VALID, curves, short};
pub use clusters::{Leaf, dendrogram};
pub use figures::{Matrix, bars, histograms, lines};
pub use image::RgbImage;
pub use intervals::{Dots, Interval, Series, SmallPanel, small_panels};
pub use png::{png, small_png};
pub use roll::{Band, PianoRoll};
