//! Dendrograms: leaves from top to bottom, merges to the right as far as they are high.

use image::RgbImage;
use plotters::style::text_anchor::{HPos, VPos};

use crate::canvas::Colour;
use crate::chart::{FINE, GRID, INK, PALE, Result, anchored, draw, legend, letters, line, rgb, text, width};

/// Height of a leaf, pixels.
const LEAF: i32 = 12;
/// Width of the tree.
const TREE: i32 = 640;
const TITLE: i32 = 64;

/// A leaf: its name and colour.
pub type Leaf = (String, Colour);

/// Draws a tree. `order` has the leaves from top to bottom; `merges` the two clusters that each merge joins and its
/// height, leaves first, then the merges in order. A branch has the colour of its leaves where they are all of one;
/// `key` says what colours mean.
///
/// # Errors
/// Never for a picture in memory.
pub fn dendrogram(
    title: &str,
    key: &[Leaf],
    leaves: &[Leaf],
    order: &[usize],
    merges: &[([usize; 2], f64)],
) -> Result<RgbImage> {
    let n = leaves.len();
    let names = leaves.iter().map(|l| width(&l.0)).max().unwrap_or(0) + 32;
    let bottom = TITLE + LEAF * n as i32;
    draw(names + TREE + 32, bottom + 48, |root| {
        text(root, (16, 14), title, letters(16, INK))?;
        legend(root, key.iter().map(|(name, colour)| (name.as_str(), *colour)), 42)?;
        let most = merges.iter().map(|m| m.1).fold(0.0, f64::max).max(1e-12);
        for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let x = names + (f64::from(TREE) * share) as i32;
            line(root, &[(x, TITLE), (x, bottom)], GRID, FINE)?;
            let label = format!("{:.2}", share * most);
            text(root, (x, bottom + 8), &label, anchored(PALE, HPos::Center, VPos::Top))?;
        }
        let along = "distance at which clusters merge";
        text(root, (names + TREE / 2, bottom + 24), along, anchored(PALE, HPos::Center, VPos::Top))?;
        // Position and colour of every cluster.
        let mut at: Vec<(i32, i32, Option<Colour>)> = vec![(0, 0, None); n + merges.len()];
        for (row, &leaf) in order.iter().enumerate() {
            let y = TITLE + LEAF * row as i32 + LEAF / 2;
            let (name, colour) = &leaves[leaf];
            at[leaf] = (names, y, Some(*colour));
            text(root, (16, y - 4), name, letters(8, rgb(*colour)))?;
        }
        for (m, (of, height)) in merges.iter().enumerate() {
            let x = names + (f64::from(TREE) * height / most) as i32;
            let [a, b] = of.map(|c| at[c]);
            let colour = a.2.filter(|_| a.2 == b.2);
            for end in [a, b] {
                line(root, &[(end.0, end.1), (x, end.1)], end.2.map_or(PALE, rgb), FINE)?;
            }
            line(root, &[(x, a.1), (x, b.1)], colour.map_or(PALE, rgb), FINE)?;
            at[n + m] = (x, (a.1 + b.1) / 2, colour);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_of_any_size_are_drawn() {
        for n in [0usize, 1, 2, 9] {
            let leaves: Vec<Leaf> = (0..n).map(|i| (format!("leaf {i}"), [200, 0, 0])).collect();
            let order: Vec<usize> = (0..n).collect();
            // Each merge joins the last one and another leaf.
            let merges: Vec<([usize; 2], f64)> =
                (1..n).map(|i| ([if i == 1 { 0 } else { n + i - 2 }, i], (i * i) as f64)).collect();
            let picture =
                dendrogram("Tree", &leaves[..leaves.len().min(1)], &leaves, &order, &merges).unwrap();
            let red = picture.pixels().filter(|p| p.0[0] > 150 && p.0[1] < 90).count();
            assert_eq!(red > 0, n > 0, "{n} leaves");
            assert_eq!(picture.height(), (TITLE + LEAF * n as i32 + 48) as u32);
        }
    }
}
