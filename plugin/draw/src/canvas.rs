//! Rectangles and text on a picture, directly and through plotters.

use std::convert::Infallible;
use std::io::Write;

use font8x8::legacy::BASIC_LEGACY;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageResult, Rgb, RgbImage};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendTextStyle, DrawingBackend, DrawingErrorKind};

/// sRGB.
pub type Colour = [u8; 3];

/// Side of a letter of size 1, in pixels.
pub const LETTER: i64 = 8;

/// A picture that is drawn on; whatever lies outside it is left out.
#[derive(Debug)]
pub struct Canvas {
    /// The pixels.
    pub image: RgbImage,
}

impl Canvas {
    /// A picture of `width` by `height` pixels.
    pub fn new(width: u32, height: u32, background: Colour) -> Self {
        Self { image: RgbImage::from_pixel(width, height, Rgb(background)) }
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, x: i64, y: i64, width: i64, height: i64, colour: Colour) {
        let (right, bottom) = (i64::from(self.image.width()), i64::from(self.image.height()));
        let (x0, x1) = (x.clamp(0, right), (x + width).clamp(0, right));
        for row in y.clamp(0, bottom)..(y + height).clamp(0, bottom) {
            for column in x0..x1 {
                self.image.put_pixel(column as u32, row as u32, Rgb(colour));
            }
        }
    }

    /// Writes a line of text with its top left corner at (x, y), `size` pixels a dot. Letters outside ASCII become
    /// question marks.
    pub fn text(&mut self, x: i64, y: i64, size: i64, text: &str, colour: Colour) {
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

    /// Writes the picture as a PNG file.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write_png(&self, to: impl Write) -> ImageResult<()> {
        let (width, height) = self.image.dimensions();
        PngEncoder::new(to).write_image(self.image.as_raw(), width, height, ExtendedColorType::Rgb8)
    }

    /// Writes text of size 1 that ends at `x`.
    pub fn text_left_of(&mut self, x: i64, y: i64, text: &str, colour: Colour) {
        self.text(x - text.chars().count() as i64 * LETTER, y, 1, text, colour);
    }
}

/// The colour at `share` (0 to 1) of the way from one to another.
pub fn blend(from: Colour, to: Colour, share: f64) -> Colour {
    std::array::from_fn(|i| {
        (f64::from(from[i]) + (f64::from(to[i]) - f64::from(from[i])) * share.clamp(0.0, 1.0)).round() as u8
    })
}

type Outcome<T = ()> = Result<T, DrawingErrorKind<Infallible>>;

/// Pixels a dot, and width and height of a text.
fn size(text: &str, style: &impl BackendTextStyle) -> (i64, i64, i64) {
    let dot = ((style.size() / LETTER as f64).round() as i64).max(1);
    (dot, text.chars().count() as i64 * LETTER * dot, LETTER * dot)
}

impl DrawingBackend for &mut Canvas {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.image.dimensions()
    }

    fn ensure_prepared(&mut self) -> Outcome {
        Ok(())
    }

    fn present(&mut self) -> Outcome {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Outcome {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return Ok(()) };
        if let Some(pixel) = self.image.get_pixel_mut_checked(x, y) {
            let (r, g, b) = colour.rgb;
            pixel.0 = blend(pixel.0, [r, g, b], colour.alpha);
        }
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(&self, text: &str, style: &S) -> Outcome<(u32, u32)> {
        let (_, width, height) = size(text, style);
        Ok((width as u32, height as u32))
    }

    /// Writes from left to right whatever the style says: no text is turned.
    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Outcome {
        let (dot, width, height) = size(text, style);
        let left = match style.anchor().h_pos {
            HPos::Left => 0,
            HPos::Center => width / 2,
            HPos::Right => width,
        };
        let top = match style.anchor().v_pos {
            VPos::Top => 0,
            VPos::Center => height / 2,
            VPos::Bottom => height,
        };
        let (r, g, b) = style.color().rgb;
        self.text(i64::from(at.0) - left, i64::from(at.1) - top, dot, text, [r, g, b]);
        Ok(())
    }
}
