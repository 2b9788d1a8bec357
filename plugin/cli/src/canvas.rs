//! Rectangles and letters on a picture.

use font8x8::legacy::BASIC_LEGACY;
use image::{Rgb, RgbImage};

/// sRGB.
pub(crate) type Colour = [u8; 3];

/// Side of a letter in pixels.
pub(crate) const LETTER: i64 = 8;

/// A picture that is drawn on; whatever lies outside is left out.
pub(crate) struct Canvas {
    pub(crate) image: RgbImage,
}

impl Canvas {
    pub(crate) fn new(width: u32, height: u32, background: Colour) -> Self {
        Self { image: RgbImage::from_pixel(width, height, Rgb(background)) }
    }

    /// Fills a rectangle.
    pub(crate) fn fill(&mut self, x: i64, y: i64, width: i64, height: i64, colour: Colour) {
        let (right, bottom) = (i64::from(self.image.width()), i64::from(self.image.height()));
        let (x0, x1) = (x.clamp(0, right), (x + width).clamp(0, right));
        for row in y.clamp(0, bottom)..(y + height).clamp(0, bottom) {
            for column in x0..x1 {
                self.image.put_pixel(column as u32, row as u32, Rgb(colour));
            }
        }
    }

    /// Writes a line of text with its top left corner at (x, y), `size` pixels a dot. Letters outside
    /// ASCII become question marks.
    pub(crate) fn text(&mut self, x: i64, y: i64, size: i64, text: &str, colour: Colour) {
        for (i, letter) in text.chars().enumerate() {
            let glyph = BASIC_LEGACY[if letter.is_ascii() { letter as usize } else { usize::from(b'?') }];
            for (dy, row) in glyph.iter().enumerate() {
                for dx in (0..LETTER).filter(|dx| row >> dx & 1 == 1) {
                    let left = x + (i as i64 * LETTER + dx) * size;
                    self.fill(left, y + dy as i64 * size, size, size, colour);
                }
            }
        }
    }

    /// Writes text that ends at `x`.
    pub(crate) fn text_left_of(&mut self, x: i64, y: i64, text: &str, colour: Colour) {
        self.text(x - text.chars().count() as i64 * LETTER, y, 1, text, colour);
    }
}

/// The colour at `share` (0 to 1) of the way from one to another.
pub(crate) fn blend(from: Colour, to: Colour, share: f64) -> Colour {
    std::array::from_fn(|i| {
        (f64::from(from[i]) + (f64::from(to[i]) - f64::from(from[i])) * share.clamp(0.0, 1.0)).round() as u8
    })
}
