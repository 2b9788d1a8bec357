//! Pictures inside a page.

use std::io::Cursor;
use std::path::Path;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageFormat, RgbImage};

use crate::report::table::escaped;
use crate::report::write_whole;

/// A picture as the bytes of a PNG file, as small as can be: pages hold many.
pub(crate) fn png(image: &RgbImage) -> anyhow::Result<Vec<u8>> {
    let mut png = Cursor::new(Vec::new());
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::Adaptive);
    encoder.write_image(image.as_raw(), image.width(), image.height(), ExtendedColorType::Rgb8)?;
    Ok(png.into_inner())
}

/// Writes a picture as a PNG file, whole or not at all; quickly, as curves are drawn at each epoch.
pub(crate) fn write(image: &RgbImage, path: &Path) -> anyhow::Result<()> {
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, ImageFormat::Png)?;
    write_whole(path, png.get_ref())
}

/// A picture as an HTML figure that holds it.
pub(crate) fn figure(image: &RgbImage, caption: &str) -> anyhow::Result<String> {
    Ok(figure_of(image, &png(image)?, caption))
}

/// The same of a picture whose bytes are there already.
pub(crate) fn figure_of(image: &RgbImage, png: &[u8], caption: &str) -> String {
    let text = escaped(caption);
    format!(
        "<figure><img alt=\"{text}\" width=\"{}\" height=\"{}\" src=\"data:image/png;base64,{}\">\
         <figcaption>{text}</figcaption></figure>\n",
        image.width(),
        image.height(),
        base64(png)
    )
}

/// Bytes as base64 (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0u32, |b, &byte| b << 8 | u32::from(byte)) << (8 * (3 - three.len()));
        for i in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= three.len() { letter as char } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(base64(&[255, 254, 0]), "//4A");
    }
}
