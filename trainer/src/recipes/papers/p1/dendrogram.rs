//! A dendrogram as a picture: leaves from top to bottom, merges to the right as far as they are high.

use anyhow::Result;
use image::RgbImage;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::programs::{Merge, members};
use crate::report::canvas::{FINE, GRID, INK, PALE, canvas, letters, px, smoothed};

/// Height of a leaf, pixels.
const LEAF: i32 = 12;
/// Width of the tree.
const TREE: i32 = 640;
const TITLE: i32 = 64;
const LETTER: i32 = 8;

/// A leaf: its name and colour.
pub(super) type Leaf = (String, RGBColor);

/// Draws the tree; a branch has the colour of its leaves where they are all of one, with a legend of what colours mean.
///
/// # Errors
/// None that a picture in memory gives rise to.
pub(super) fn draw(title: &str, legend: &[Leaf], leaves: &[Leaf], merges: &[Merge]) -> Result<RgbImage> {
    let n = leaves.len();
    let names = leaves.iter().map(|l| l.0.chars().count() as i32).max().unwrap_or(0) * LETTER + 32;
    let (width, height) = (names + TREE + 32, TITLE + LEAF * n as i32 + 48);
    let mut paper = canvas(width as u32, height as u32);
    {
        let root = (&mut paper).into_drawing_area();
        root.draw(&Text::new(title.to_owned(), (px(16), px(14)), letters(16, INK)))?;
        let mut x = 16;
        for (name, colour) in legend {
            root.draw(&Circle::new((px(x + 4), px(46)), px(4), colour.filled()))?;
            root.draw(&Text::new(name.clone(), (px(x + 14), px(42)), letters(8, INK)))?;
            x += 14 + name.chars().count() as i32 * LETTER + 24;
        }
        let most = merges.iter().map(|m| m.height).fold(0.0, f64::max).max(1e-12);
        let bottom = TITLE + LEAF * n as i32;
        for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let x = names + (f64::from(TREE) * share) as i32;
            root.draw(&PathElement::new([(px(x), px(TITLE)), (px(x), px(bottom))], GRID.stroke_width(FINE)))?;
            let style = letters(8, PALE).pos(Pos::new(HPos::Center, VPos::Top));
            let text = format!("{:.2}", share * most);
            root.draw(&Text::new(text, (px(x), px(bottom + 8)), style))?;
        }
        let style = letters(8, PALE).pos(Pos::new(HPos::Center, VPos::Top));
        let along = "distance at which clusters merge";
        root.draw(&Text::new(along, (px(names + TREE / 2), px(bottom + 24)), style))?;
        // Place and colour of every cluster.
        let top = n + merges.len();
        let order = if n == 0 { vec![] } else { members(merges, n, top - 1) };
        let mut at: Vec<(i32, i32, RGBColor)> = vec![(0, 0, INK); top];
        for (row, &leaf) in order.iter().enumerate() {
            let y = TITLE + LEAF * row as i32 + LEAF / 2;
            let (name, colour) = &leaves[leaf];
            at[leaf] = (px(names), px(y), *colour);
            root.draw(&Text::new(name.clone(), (px(16), px(y - 4)), letters(8, *colour)))?;
        }
        for (m, merge) in merges.iter().enumerate() {
            let x = px(names) + (f64::from(px(TREE)) * merge.height / most) as i32;
            let [a, b] = merge.of.map(|c| at[c]);
            let colour = if a.2 == b.2 { a.2 } else { PALE };
            for (end, colour) in [(a, a.2), (b, b.2)] {
                root.draw(&PathElement::new([(end.0, end.1), (x, end.1)], colour.stroke_width(FINE)))?;
            }
            root.draw(&PathElement::new([(x, a.1), (x, b.1)], colour.stroke_width(FINE)))?;
            at[n + m] = (x, (a.1 + b.1) / 2, colour);
        }
    }
    Ok(smoothed(&paper))
}

#[cfg(test)]
mod tests {
    use super::super::programs::ward;
    use super::*;

    #[test]
    fn trees_of_any_size_are_drawn() {
        for n in [0, 1, 2, 9] {
            let points: Vec<Vec<f64>> = (0..n).map(|i| vec![f64::from(i * i)]).collect();
            let leaves: Vec<Leaf> = (0..n).map(|i| (format!("leaf {i}"), RGBColor(200, 0, 0))).collect();
            let picture = draw("Tree", &leaves[..leaves.len().min(1)], &leaves, &ward(&points)).unwrap();
            let red = picture.pixels().filter(|p| p.0[0] > 150 && p.0[1] < 90).count();
            assert_eq!(red > 0, n > 0, "{n} leaves");
            assert_eq!(picture.height(), (TITLE + LEAF * n + 48) as u32);
        }
    }
}
