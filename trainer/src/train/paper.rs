//! What the curves are drawn on: a picture that plotters can draw on, with letters from a table of dots,
//! so that no font has to be found on the system.

use std::convert::Infallible;

use font8x8::legacy::BASIC_LEGACY;
use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};
use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, IntoFont, RGBColor, TextStyle};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendTextStyle, DrawingBackend, DrawingErrorKind};

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
/// Dots on each side of a letter.
const LETTER: i32 = 8;

type Outcome = Result<(), DrawingErrorKind<Infallible>>;

/// A part of the paper.
pub(crate) type Area<'a> = DrawingArea<&'a mut Paper, Shift>;

/// A length in pixels of the final picture.
pub(crate) fn px(n: i32) -> i32 {
    n * FINE as i32
}

/// Letters with sides of so many pixels of the final picture.
pub(crate) fn letters(size: i32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", px(size)).into_font().color(&colour)
}

/// A white picture.
pub(crate) struct Paper(RgbImage);

impl Paper {
    /// White paper that becomes a picture of this size in pixels.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Self(RgbImage::from_pixel(width * FINE, height * FINE, Rgb([255; 3])))
    }

    /// White paper of exactly this size in pixels, to be drawn on without smoothing.
    pub(crate) fn exact(width: u32, height: u32) -> Self {
        Self(RgbImage::from_pixel(width, height, Rgb([255; 3])))
    }

    /// The picture as it was drawn.
    pub(crate) fn sheet(self) -> RgbImage {
        self.0
    }

    /// The picture in its final size.
    pub(crate) fn picture(&self) -> RgbImage {
        resize(&self.0, self.0.width() / FINE, self.0.height() / FINE, FilterType::Triangle)
    }
}

/// Pixels a dot at a font size in pixels.
fn dot(style: &impl BackendTextStyle) -> i32 {
    ((style.size() / f64::from(LETTER)).round() as i32).max(1)
}

/// Width and height of a text.
fn size(text: &str, style: &impl BackendTextStyle) -> (i32, i32) {
    let side = LETTER * dot(style);
    (text.chars().count() as i32 * side, side)
}

impl DrawingBackend for &mut Paper {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.0.dimensions()
    }

    fn ensure_prepared(&mut self) -> Outcome {
        Ok(())
    }

    fn present(&mut self) -> Outcome {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Outcome {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return Ok(()) };
        if let Some(pixel) = self.0.get_pixel_mut_checked(x, y) {
            let (r, g, b) = colour.rgb;
            for (under, over) in pixel.0.iter_mut().zip([r, g, b]) {
                let mixed = f64::from(*under) + (f64::from(over) - f64::from(*under)) * colour.alpha;
                *under = mixed.round().clamp(0.0, 255.0) as u8;
            }
        }
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let (width, height) = size(text, style);
        Ok((width as u32, height as u32))
    }

    /// Writes from left to right whatever the style says: no text of ours is turned. Letters outside ASCII
    /// become question marks.
    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, pos: BackendCoord) -> Outcome {
        let ((width, height), dot) = (size(text, style), dot(style));
        let left = pos.0
            - match style.anchor().h_pos {
                HPos::Left => 0,
                HPos::Center => width / 2,
                HPos::Right => width,
            };
        let top = pos.1
            - match style.anchor().v_pos {
                VPos::Top => 0,
                VPos::Center => height / 2,
                VPos::Bottom => height,
            };
        for (i, letter) in text.chars().enumerate() {
            let glyph = BASIC_LEGACY[if letter.is_ascii() { letter as usize } else { usize::from(b'?') }];
            for y in 0..height {
                for x in 0..LETTER * dot {
                    if glyph[(y / dot) as usize] >> (x / dot) & 1 == 1 {
                        self.draw_pixel((left + i as i32 * LETTER * dot + x, top + y), style.color())?;
                    }
                }
            }
        }
        Ok(())
    }
}
