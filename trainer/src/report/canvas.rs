//! What charts share: sizes, colours and letters of a canvas that is drawn finely and then made smaller.

use image::RgbImage;
use image::imageops::{FilterType, resize};
use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, IntoFont, RGBColor, TextStyle};
use sideman_draw::Canvas;

/// Everything is drawn this many times larger and then made smaller, which smooths the edges.
pub(crate) const FINE: u32 = 2;
/// Letters and axes.
pub(crate) const INK: RGBColor = RGBColor(40, 44, 52);
/// Lesser letters.
pub(crate) const PALE: RGBColor = RGBColor(120, 124, 132);
/// Lines of the grid.
pub(crate) const GRID: RGBColor = RGBColor(228, 230, 234);
/// Colours that stay apart for colour-blind eyes, too.
pub(crate) const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 95, 170),
    RGBColor(205, 95, 0),
    RGBColor(0, 135, 100),
    RGBColor(165, 60, 140),
    RGBColor(150, 115, 0),
    RGBColor(70, 145, 200),
    RGBColor(110, 110, 110),
];

/// A part of the canvas.
pub(crate) type Area<'a> = DrawingArea<&'a mut Canvas, Shift>;

/// A length in pixels of the final picture.
pub(crate) fn px(n: i32) -> i32 {
    n * FINE as i32
}

/// Letters with sides of so many pixels of the final picture.
pub(crate) fn letters(size: i32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", px(size)).into_font().color(&colour)
}

/// A white canvas for a picture of this size in pixels.
pub(crate) fn canvas(width: u32, height: u32) -> Canvas {
    Canvas::new(width * FINE, height * FINE, [255; 3])
}

/// The picture in its final size.
pub(crate) fn smoothed(canvas: &Canvas) -> RgbImage {
    let (width, height) = canvas.image.dimensions();
    resize(&canvas.image, width / FINE, height / FINE, FilterType::Triangle)
}
