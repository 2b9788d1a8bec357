//! Products with one matrix again and again, as the steps of a recurrent layer have them: the matrix is laid out once
//! in the order in which it is read. With the few rows that a step has, that is half as fast again as packing
//! it anew for each product.

use super::{Simd, Vector, WithVector};

/// Most rows of a tile.
const ROWS: usize = 6;
/// Steps along the common side that are done at once, so that what is read stays in the nearest cache.
const DEPTH: usize = 256;
/// A matrix of (depth, columns), in panels of two registers' width.
#[derive(Debug, Clone)]
pub struct PackedMatrix {
    simd: Simd,
    depth: usize,
    columns: usize,
    /// Panel by panel, (depth, width); the last is filled up with zeros.
    values: Vec<f32>,
}

impl PackedMatrix {
    /// Of values whose (row, column) stands at `row * strides.0 + column * strides.1`.
    pub fn new(values: &[f32], depth: usize, columns: usize, strides: (usize, usize)) -> Self {
        Self::with(Simd::best(), values, depth, columns, strides)
    }

    fn with(simd: Simd, values: &[f32], depth: usize, columns: usize, strides: (usize, usize)) -> Self {
        assert!(values.len() >= depth * columns);
        let width = 2 * simd.lanes();
        let mut packed = vec![0f32; depth * columns.div_ceil(width) * width];
        for (p, panel) in packed.chunks_exact_mut((depth * width).max(1)).enumerate() {
            let first = p * width;
            for (row, line) in panel.chunks_exact_mut(width).enumerate() {
                for (column, v) in line.iter_mut().enumerate().take(columns - first) {
                    *v = values[row * strides.0 + (first + column) * strides.1];
                }
            }
        }
        Self { simd, depth, columns, values: packed }
    }

    /// Columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Rows.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// `out = a * self`, or `out += a * self` with `keep`; `a` is (rows, depth), `out` (rows, columns), both
    /// row-major. Each value is summed in one order, whatever the number of rows.
    ///
    /// # Panics
    /// When `out` and `a` have another number of rows.
    pub fn multiply(&self, out: &mut [f32], a: &[f32], keep: bool) {
        if self.depth == 0 || self.columns == 0 {
            return;
        }
        let rows = out.len() / self.columns;
        assert_eq!((rows * self.columns, rows * self.depth), (out.len(), a.len()));
        self.simd.run(Panels { packed: self, out, a, keep });
    }

    /// # Safety
    /// The machine has the instructions of `T`; `out` and `a` have as many rows, of `columns` and `depth` values.
    #[inline(always)]
    unsafe fn panels<T: Vector>(&self, out: &mut [f32], a: &[f32], keep: bool) {
        let width = 2 * T::LANES;
        let rows = out.len() / self.columns;
        // Where the last panel is wider than what is left of the matrix.
        let mut edge = vec![0f32; if self.columns.is_multiple_of(width) { 0 } else { rows * width }];
        for (p, panel) in self.values.chunks_exact(self.depth * width).enumerate() {
            let first = p * width;
            let left = (self.columns - first).min(width);
            let partial = left < width;
            if partial && keep {
                for (line, row) in edge.chunks_exact_mut(width).zip(out.chunks_exact(self.columns)) {
                    line[..left].copy_from_slice(&row[first..]);
                }
            }
            let (to, stride) =
                if partial { (edge.as_mut_ptr(), width) } else { (out[first..].as_mut_ptr(), self.columns) };
            for from in (0..self.depth).step_by(DEPTH) {
                let depth = DEPTH.min(self.depth - from);
                let keep = keep || from > 0;
                let b = panel[from * width..].as_ptr();
                let mut row = 0;
                while row < rows {
                    // SAFETY: the tile's rows are within `a` and `to`, `width` values of each row of `to` can
                    // be written, and the panel holds `depth` lines from `b` on.
                    unsafe {
                        let (a, to) = (a.as_ptr().add(row * self.depth + from), to.add(row * stride));
                        let size = (a, self.depth, b, depth, to, stride);
                        // Tiles of four at the end rather than one that is nearly empty.
                        row += match rows - row {
                            6 | 9.. => tile::<T, ROWS>(size, keep),
                            4.. => tile::<T, 4>(size, keep),
                            _ => tile::<T, 1>(size, keep),
                        };
                    }
                }
            }
            if partial {
                for (line, row) in edge.chunks_exact(width).zip(out.chunks_exact_mut(self.columns)) {
                    row[first..].copy_from_slice(&line[..left]);
                }
            }
        }
    }
}

/// A product whose lengths [`PackedMatrix::multiply`] has checked.
struct Panels<'a> {
    packed: &'a PackedMatrix,
    out: &'a mut [f32],
    a: &'a [f32],
    keep: bool,
}

impl WithVector for Panels<'_> {
    type Result = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        // SAFETY: as the caller's.
        unsafe { self.packed.panels::<V>(self.out, self.a, self.keep) }
    }
}

/// Where a tile reads and writes: rows and their stride, the panel and its lines, the result and its stride.
type Tile = (*const f32, usize, *const f32, usize, *mut f32, usize);

/// R rows by two registers. Returns R.
///
/// # Safety
/// The machine has the instructions of `T`, and all of the tile can be read and written.
#[inline(always)]
unsafe fn tile<T: Vector, const R: usize>((a, rows, b, depth, to, stride): Tile, keep: bool) -> usize {
    // SAFETY: as the caller's.
    unsafe {
        let mut sums = [[T::splat(0.0); 2]; R];
        if keep {
            for (r, sum) in sums.iter_mut().enumerate() {
                *sum = [T::load(to.add(r * stride)), T::load(to.add(r * stride + T::LANES))];
            }
        }
        for i in 0..depth {
            let line = b.add(i * 2 * T::LANES);
            let (b0, b1) = (T::load(line), T::load(line.add(T::LANES)));
            for (r, sum) in sums.iter_mut().enumerate() {
                let x = T::splat(*a.add(r * rows + i));
                *sum = [sum[0].plus(x, b0), sum[1].plus(x, b1)];
            }
        }
        for (r, sum) in sums.iter().enumerate() {
            sum[0].store(to.add(r * stride));
            sum[1].store(to.add(r * stride + T::LANES));
        }
    }
    R
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_definition() {
        let value = |i: usize, by: usize| ((i * by) % 23) as f32 * 0.1 - 1.0;
        for simd in Simd::all() {
            for (rows, depth, columns) in [(1, 1, 1), (32, 300, 48), (7, 512, 70), (13, 33, 31), (8, 257, 16)]
            {
                let a: Vec<f32> = (0..rows * depth).map(|i| value(i, 7)).collect();
                let w: Vec<f32> = (0..depth * columns).map(|i| value(i, 5)).collect();
                let start: Vec<f32> = (0..rows * columns).map(|i| value(i, 3)).collect();
                // As it lies, and as its own transpose.
                for turned in [false, true] {
                    let strides = if turned { (1, depth) } else { (columns, 1) };
                    let packed = PackedMatrix::with(simd, &w, depth, columns, strides);
                    for keep in [false, true] {
                        let mut out = start.clone();
                        packed.multiply(&mut out, &a, keep);
                        for r in 0..rows {
                            for c in 0..columns {
                                let product: f64 = (0..depth)
                                    .map(|d| {
                                        let w = w[d * strides.0 + c * strides.1];
                                        f64::from(a[r * depth + d]) * f64::from(w)
                                    })
                                    .sum();
                                let before = if keep { f64::from(start[r * columns + c]) } else { 0.0 };
                                let found = f64::from(out[r * columns + c]);
                                assert!((found - product - before).abs() < 2e-4, "{simd:?} {r} {c}");
                            }
                        }
                    }
                }
            }
        }
    }
}
