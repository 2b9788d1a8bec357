//! The inner loops of convolutions, compiled for each set of instructions and chosen at run time.

use crate::kernel::{Activation, Simd, Vector, WithVector};

/// Most output channels of a tile.
const MOST_ROWS: usize = 8;
/// Most positions of a tile.
const MOST_COLUMNS: usize = 48;

/// Output channels that a tile computes with given instructions: weights come in blocks of as many.
pub(super) fn block(simd: Simd) -> usize {
    if simd.registers() == 32 { 8 } else { 4 }
}

/// A stretch of positions, and where its results go.
pub(super) struct Correlation<'a> {
    /// The padded copy of the source.
    pub(super) source: &'a [f32],
    /// Where each tap lies from a position on.
    pub(super) offsets: &'a [usize],
    /// Weights (blocks of channels, taps, channels of the block).
    pub(super) weights: &'a [f32],
    /// As many as channels, in whole blocks.
    pub(super) bias: &'a [f32],
    /// What follows.
    pub(super) activation: Activation,
    /// First position of each output row, ascending, and its place in the destination.
    pub(super) rows: &'a [(usize, usize)],
    /// Positions of a row.
    pub(super) width: usize,
    /// Values of the destination from one position to the next.
    pub(super) step: usize,
    /// Output channels.
    pub(super) channels: usize,
    /// Values of the destination from one channel to the next.
    pub(super) plane: usize,
}

impl Correlation<'_> {
    /// Computes all rows.
    pub(super) fn run(&self, simd: Simd, destination: &mut [f32]) {
        let (Some(&(last, _)), true) = (self.rows.last(), self.width > 0 && self.channels > 0) else {
            return;
        };
        let (rows, reach) = (block(simd), self.offsets.iter().max().copied().unwrap_or(0));
        let blocks = self.channels.div_ceil(rows);
        assert!(last + self.width + MOST_COLUMNS + reach <= self.source.len());
        assert_eq!(self.weights.len(), blocks * self.offsets.len() * rows);
        assert_eq!(self.bias.len(), blocks * rows);
        assert!(self.rows.is_sorted());
        simd.run(Tiles { correlation: self, destination });
    }

    /// # Safety
    /// The machine has the instructions of `T`, and the lengths are those that `run` checks.
    #[inline(always)]
    unsafe fn tiles<T: Vector, const R: usize>(&self, destination: &mut [f32]) {
        let mut buffer = [0f32; MOST_ROWS * MOST_COLUMNS];
        let end = self.rows.last().map_or(0, |r| r.0 + self.width);
        let (mut first, mut at) = (0, 0);
        loop {
            while self.rows.get(first).is_some_and(|r| r.0 + self.width <= at) {
                first += 1;
            }
            let Some(&(start, place)) = self.rows.get(first) else { return };
            at = at.max(start);
            let vectors = (end - at).div_ceil(T::LANES).min(3);
            let columns = vectors * T::LANES;
            // A tile within one row is stored in its place.
            let whole = self.step == 1 && at + columns <= start + self.width;
            let depth = self.offsets.len();
            for (b, (weights, bias)) in
                self.weights.chunks_exact(depth * R).zip(self.bias.chunks_exact(R)).enumerate()
            {
                let channels = R.min(self.channels - b * R);
                let to = b * R * self.plane + place + at - start;
                let direct = whole && channels == R;
                let (out, stride) = if direct {
                    (&mut destination[to..to + (R - 1) * self.plane + columns], self.plane)
                } else {
                    (&mut buffer[..R * columns], columns)
                };
                // SAFETY: `run` checked that every tap of `MOST_COLUMNS` positions from `at` on can be read;
                // the slice made just now holds R rows of `columns` values, `stride` apart.
                unsafe {
                    let (source, out) = (self.source.as_ptr().add(at), out.as_mut_ptr());
                    let relu = self.activation == Activation::Relu;
                    match vectors {
                        1 => tile::<T, R, 1>(source, self.offsets, weights, bias, relu, out, stride),
                        2 => tile::<T, R, 2>(source, self.offsets, weights, bias, relu, out, stride),
                        _ => tile::<T, R, 3>(source, self.offsets, weights, bias, relu, out, stride),
                    }
                }
                if direct {
                    if self.activation == Activation::Elu {
                        for r in 0..R {
                            let from = to + r * self.plane;
                            self.activation.apply(&mut destination[from..from + columns]);
                        }
                    }
                    continue;
                }
                if self.activation == Activation::Elu {
                    self.activation.apply(&mut buffer[..channels * columns]);
                }
                for (r, values) in buffer.chunks_exact(columns).take(channels).enumerate() {
                    let channel = (b * R + r) * self.plane;
                    for &(start, place) in self.rows[first..].iter().take_while(|r| r.0 < at + columns) {
                        let (from, to) = (start.max(at), (start + self.width).min(at + columns));
                        let values = &values[from - at..to - at];
                        let to = channel + place + (from - start) * self.step;
                        if self.step == 1 {
                            destination[to..to + values.len()].copy_from_slice(values);
                        } else {
                            let places = destination[to..].iter_mut().step_by(self.step);
                            places.zip(values).for_each(|(d, v)| *d = *v);
                        }
                    }
                }
            }
            at += columns;
        }
    }
}

/// All tiles of a correlation whose lengths [`Correlation::run`] has checked.
struct Tiles<'a> {
    correlation: &'a Correlation<'a>,
    destination: &'a mut [f32],
}

impl WithVector for Tiles<'_> {
    type Result = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        // SAFETY: as the caller's.
        unsafe {
            match V::REGISTERS {
                32 => self.correlation.tiles::<V, 8>(self.destination),
                _ => self.correlation.tiles::<V, 4>(self.destination),
            }
        }
    }
}

/// R channels of V vectors of positions, over all taps.
///
/// # Safety
/// The machine has the instructions; every offset with V vectors behind it can be read from `source` on, R
/// weights a tap and R biases, and V vectors written to each of R rows `stride` apart.
#[inline(always)]
unsafe fn tile<T: Vector, const R: usize, const V: usize>(
    source: *const f32,
    offsets: &[usize],
    weights: &[f32],
    bias: &[f32],
    relu: bool,
    out: *mut f32,
    stride: usize,
) {
    // SAFETY: as the caller's.
    unsafe {
        let mut sums = [[T::splat(0.0); V]; R];
        for r in 0..R {
            sums[r] = [T::splat(*bias.get_unchecked(r)); V];
        }
        let mut weights = weights.as_ptr();
        for &offset in offsets {
            let mut x = [T::splat(0.0); V];
            for v in 0..V {
                x[v] = T::load(source.add(offset + v * T::LANES));
            }
            for r in 0..R {
                let w = T::splat(*weights.add(r));
                for v in 0..V {
                    sums[r][v] = sums[r][v].plus(w, x[v]);
                }
            }
            weights = weights.add(R);
        }
        for r in 0..R {
            for v in 0..V {
                let sum = if relu { sums[r][v].relu() } else { sums[r][v] };
                sum.store(out.add(r * stride + v * T::LANES));
            }
        }
    }
}
