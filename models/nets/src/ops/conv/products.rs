//! The inner loops of the gradient of weights.

use sideman_inference::kernel::{Simd, Vector, WithVector};

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
    /// Adds to `sums` (channels, taps).
    pub(super) fn add(&self, simd: Simd, sums: &mut [f32]) {
        let reach = self.offsets.iter().max().copied().unwrap_or(0);
        if self.stretch == 0 || sums.is_empty() {
            return;
        }
        assert!(self.stretch.is_multiple_of(16) && self.gradient.len().is_multiple_of(self.stretch));
        assert!(self.stretch + reach <= self.source.len());
        assert_eq!(sums.len(), self.gradient.len() / self.stretch * self.offsets.len());
        simd.run(Blocks { products: self, sums });
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

/// All blocks of products whose lengths [`Products::add`] has checked.
struct Blocks<'a> {
    products: &'a Products<'a>,
    sums: &'a mut [f32],
}

impl WithVector for Blocks<'_> {
    type Result = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        // SAFETY: as the caller's.
        unsafe {
            match V::REGISTERS {
                32 => self.products.blocks::<V, 4, 6>(self.sums),
                _ => self.products.blocks::<V, 3, 4>(self.sums),
            }
        }
    }
}
