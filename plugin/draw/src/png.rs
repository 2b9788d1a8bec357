//! Pictures as the bytes of PNG files.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageResult, RgbImage};

/// A picture as a PNG file, compressed quickly.
///
/// # Errors
/// When the picture is larger than PNG allows.
pub fn png(image: &RgbImage) -> ImageResult<Vec<u8>> {
    encode(image, CompressionType::Fast)
}

/// A picture as a PNG file that is as small as can be, for pages that hold many.
///
/// # Errors
/// As [`png`].
pub fn small_png(image: &RgbImage) -> ImageResult<Vec<u8>> {
    encode(image, CompressionType::Best)
}

fn encode(image: &RgbImage, compression: CompressionType) -> ImageResult<Vec<u8>> {
    let mut png = vec![];
    let encoder = PngEncoder::new_with_quality(&mut png, compression, FilterType::Adaptive);
    encoder.write_image(image.as_raw(), image.width(), image.height(), ExtendedColorType::Rgb8)?;
    Ok(png)
}
