//! The inner loops of convolutions, compiled for each set of instructions and chosen at run time.

use super::super::Activation;
use super::super::vector::{Instructions, Portable, Vector};

/// Most output channels of a tile.
const MOST_ROWS: usize = 8;
/// Most positions of a tile.
const MOST_COLUMNS: usize = 48;

/// Output channels that a tile computes with given instructions: weights come in blocks of as many.
pub(super) fn block(instructions: Instructions) -> usize {
    match instructions {
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx512 => 8,
        Instructions::Portable if cfg!(target_arch = "aarch64") => 8,
        _ => 4,
    }
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
    /// Computes all rows with given instructions, which the machine must have.
    pub(super) fn run(&self, instructions: Instructions, destination: &mut [f32]) {
        let (Some(&(last, _)), true) = (self.rows.last(), self.width > 0 && self.channels > 0) else {
            return;
        };
        let (rows, reach) = (block(instructions), self.offsets.iter().max().copied().unwrap_or(0));
        let blocks = self.channels.div_ceil(rows);
        assert!(last + self.width + MOST_COLUMNS + reach <= self.source.len());
        assert_eq!(self.weights.len(), blocks * self.offsets.len() * rows);
        assert_eq!(self.bias.len(), blocks * rows);
        assert!(self.rows.is_sorted());
        // SAFETY: `Instructions` are only those that the machine has; the lengths were checked above.
        unsafe {
            match instructions {
                Instructions::Portable if cfg!(target_arch = "aarch64") => {
                    self.tiles::<Portable, 8>(destination);
                }
                Instructions::Portable => self.tiles::<Portable, 4>(destination),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => self.avx2(destination),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => self.avx512(destination),
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn avx2(&self, destination: &mut [f32]) {
        // SAFETY: as the caller's.
        unsafe { self.tiles::<super::super::vector::x86::Avx2, 4>(destination) }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    unsafe fn avx512(&self, destination: &mut [f32]) {
        // SAFETY: as the caller's.
        unsafe { self.tiles::<super::super::vector::x86::Avx512, 8>(destination) }
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

/// Adds the products of a gradient with the source under every tap: the gradient of the weights.
pub(super) struct Products<'a> {
    /// Gradient of the results (channels, `stretch`), zero where there is no output.
    pub(super) gradient: &'a [f32],
    /// Positions of a channel, a multiple of 16.
    pub(super) stretch: usize,
    /// The padded copy of the source.
    pub(super) source: &'a [f32],
    /// Where each tap lies from a position on.
    pub(super) offsets: &'a [usize],
}

impl Products<'_> {
    /// Adds to `sums` (channels, taps) with given instructions, which the machine must have.
    pub(super) fn add(&self, instructions: Instructions, sums: &mut [f32]) {
        let reach = self.offsets.iter().max().copied().unwrap_or(0);
        if self.stretch == 0 || sums.is_empty() {
            return;
        }
        assert!(self.stretch.is_multiple_of(16) && self.gradient.len().is_multiple_of(self.stretch));
        assert!(self.stretch + reach <= self.source.len());
        assert_eq!(sums.len(), self.gradient.len() / self.stretch * self.offsets.len());
        // SAFETY: `Instructions` are only those that the machine has; the lengths were checked above.
        unsafe {
            match instructions {
                Instructions::Portable if cfg!(target_arch = "aarch64") => {
                    self.blocks::<Portable, 4, 6>(sums);
                }
                Instructions::Portable => self.blocks::<Portable, 3, 4>(sums),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => self.avx2(sums),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => self.avx512(sums),
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn avx2(&self, sums: &mut [f32]) {
        // SAFETY: as the caller's.
        unsafe { self.blocks::<super::super::vector::x86::Avx2, 3, 4>(sums) }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    unsafe fn avx512(&self, sums: &mut [f32]) {
        // SAFETY: as the caller's.
        unsafe { self.blocks::<super::super::vector::x86::Avx512, 4, 6>(sums) }
    }

    /// A channels by B taps at a time, four or a multiple of it together.
    ///
    /// # Safety
    /// The machine has the instructions of `T`, and the lengths are those that `add` checks.
    #[inline(always)]
    unsafe fn blocks<T: Vector, const A: usize, const B: usize>(&self, sums: &mut [f32]) {
        let (taps, channels) = (self.offsets.len(), self.gradient.len() / self.stretch);
        for a0 in (0..channels).step_by(A) {
            // Beyond the last, the last again, and its products dropped.
            let rows: [usize; A] = std::array::from_fn(|a| (a0 + a).min(channels - 1) * self.stretch);
            for b0 in (0..taps).step_by(B) {
                let offsets: [usize; B] = std::array::from_fn(|b| self.offsets[(b0 + b).min(taps - 1)]);
                let mut products = [[0f32; B]; A];
                // SAFETY: the machine has the instructions; `stretch`, a multiple of the lanes, positions of
                // every row of the gradient and from every offset on lie within their slices.
                unsafe {
                    let (gradient, source) = (self.gradient.as_ptr(), self.source.as_ptr());
                    let mut totals = [[T::splat(0.0); B]; A];
                    for i in (0..self.stretch).step_by(T::LANES) {
                        let mut g = [T::splat(0.0); A];
                        for a in 0..A {
                            g[a] = T::load(gradient.add(rows[a] + i));
                        }
                        for b in 0..B {
                            let x = T::load(source.add(offsets[b] + i));
                            for a in 0..A {
                                totals[a][b] = totals[a][b].plus(g[a], x);
                            }
                        }
                    }
                    for i in (0..A * B).step_by(4) {
                        let four = T::sums(std::array::from_fn(|j| totals[(i + j) / B][(i + j) % B]));
                        for (j, sum) in four.into_iter().enumerate() {
                            products[(i + j) / B][(i + j) % B] = sum;
                        }
                    }
                }
                for (a, products) in products.iter().enumerate().take(channels - a0) {
                    let sums = &mut sums[(a0 + a) * taps + b0..(a0 + a + 1) * taps];
                    sums.iter_mut().zip(products).for_each(|(s, p)| *s += p);
                }
            }
        }
    }
}
