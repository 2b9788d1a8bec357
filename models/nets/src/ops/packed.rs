//! [`PackedMatrix`] on rayon's threads.

use rayon::prelude::*;
use sideman_inference::kernel::PackedMatrix;

/// Multiplications that are worth a thread.
const WORTH: usize = 1 << 20;

/// A matrix that is multiplied with again and again, as the steps of a recurrent layer do.
pub(super) struct Packed(PackedMatrix);

impl Packed {
    /// See [`PackedMatrix::new`].
    pub(super) fn new(values: &[f32], depth: usize, columns: usize, strides: (usize, usize)) -> Self {
        Self(PackedMatrix::new(values, depth, columns, strides))
    }

    /// See [`PackedMatrix::multiply`]. The number of threads changes no bit.
    pub(super) fn multiply(&self, out: &mut [f32], a: &[f32], keep: bool) {
        let (depth, columns) = (self.0.depth(), self.0.columns());
        let rows = out.len() / columns.max(1);
        let worth = (rows * columns * depth / WORTH).clamp(1, rayon::current_num_threads());
        let share = rows.div_ceil(worth);
        if worth == 1 {
            self.0.multiply(out, a, keep);
            return;
        }
        out.par_chunks_mut(share * columns)
            .zip(a.par_chunks(share * depth))
            .for_each(|(out, a)| self.0.multiply(out, a, keep));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let (rows, depth, columns) = (32, 256, 1024);
        let a: Vec<f32> = (0..rows * depth).map(|i| (i % 31) as f32 * 0.03).collect();
        let w: Vec<f32> = (0..depth * columns).map(|i| (i % 29) as f32 * 0.07 - 1.0).collect();
        let packed = Packed::new(&w, depth, columns, (columns, 1));
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut out = vec![0f32; rows * columns];
            pool.install(|| packed.multiply(&mut out, &a, false));
            out
        };
        assert_eq!(with(1), with(3));
    }
}
