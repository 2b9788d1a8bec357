//! A confusion matrix as a picture.

use anyhow::Result;
use image::RgbImage;
use plotters::prelude::{IntoDrawingArea, RGBColor, Rectangle, Text};
use plotters::style::Color;

use super::figures::Confusion;
use crate::report::canvas::{INK, PALE, canvas, letters, px, smoothed};

/// Width and height of a cell, pixels.
const CELL: (i32, i32) = (72, 40);
/// Room for the names of the classes.
const NAMES: i32 = 136;
const TITLE: i32 = 64;

/// Draws the share of each class's items by the class that was told: a row a true class, the number of items
/// in the last column. Rows sum to 100.
///
/// # Errors
/// None that a picture in memory gives rise to.
pub fn draw(title: &str, classes: &[String], confusion: &Confusion) -> Result<RgbImage> {
    let n = classes.len() as i32;
    let mut paper = canvas((NAMES + (n + 1) * CELL.0 + 16) as u32, (TITLE + 32 + n * CELL.1 + 16) as u32);
    {
        let root = (&mut paper).into_drawing_area();
        root.draw(&Text::new(title.to_owned(), (px(16), px(14)), letters(16, INK)))?;
        let note = "rows: true class, columns: told, %";
        root.draw(&Text::new(note.to_owned(), (px(16), px(40)), letters(8, PALE)))?;
        for (i, name) in classes.iter().enumerate() {
            let i = i as i32;
            // A column has room for eight letters.
            let short: String = name.chars().take(8).collect();
            root.draw(&Text::new(short, (px(NAMES + i * CELL.0 + 4), px(TITLE + 12)), letters(8, INK)))?;
            let y = TITLE + 32 + i * CELL.1;
            root.draw(&Text::new(name.clone(), (px(16), px(y + 16)), letters(8, INK)))?;
            let items = confusion.of_class(i as usize);
            for j in 0..n {
                let share = confusion.0[i as usize][j as usize] / items.max(1.0);
                let (x, mixed) =
                    (NAMES + j * CELL.0, |from: f64, to: f64| (from + (to - from) * share) as u8);
                let colour = RGBColor(mixed(244.0, 0.0), mixed(246.0, 95.0), mixed(250.0, 170.0));
                let corners = [(px(x), px(y)), (px(x + CELL.0 - 2), px(y + CELL.1 - 2))];
                root.draw(&Rectangle::new(corners, colour.filled()))?;
                let ink = if share > 0.5 { RGBColor(255, 255, 255) } else { INK };
                let text = format!("{:.0}", share * 100.0);
                root.draw(&Text::new(text, (px(x + 24), px(y + 15)), letters(8, ink)))?;
            }
            let count = format!("{items:.0}");
            root.draw(&Text::new(count, (px(NAMES + n * CELL.0 + 8), px(y + 15)), letters(8, PALE)))?;
        }
    }
    Ok(smoothed(&paper))
}
