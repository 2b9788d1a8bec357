//! The inner loops by the instructions that a machine has, chosen at run time. The only unsafe code here.
//!
//! Whole products are written out for each set of instructions; the rest is one portable body, compiled once
//! for each set. No operation is fused with another, so all give the same bits; a test compares them.

use std::sync::LazyLock;

use super::functions::cell;
use super::quantised::{Block, COLUMNS, ROWS, Values, quantise};
use super::vector::{self, Portable, Vector, WithVector};

/// Instructions that this machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Simd(Kind);

/// Only [`Simd::all`] makes them: those other than `Portable` promise that the machine has the instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Simd {
    /// All that this machine has, the slowest first.
    pub fn all() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut all = vec![Self(Kind::Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                all.push(Self(Kind::Avx2));
            }
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
                all.push(Self(Kind::Avx512));
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            all.push(Self(Kind::Neon));
        }
        all
    }

    /// The fastest that this machine has, found out once a process.
    pub fn best() -> Self {
        static BEST: LazyLock<Simd> = LazyLock::new(|| Simd::all().pop().unwrap_or(Simd(Kind::Portable)));
        *BEST
    }

    /// Whether the machine has AVX2.
    pub fn has_avx2(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return self.0 != Kind::Portable;
        #[cfg(not(target_arch = "x86_64"))]
        return false;
    }

    /// Runs a kernel with vectors of f32 as wide as these instructions have them.
    #[inline(always)]
    pub fn run<K: WithVector>(self, kernel: K) -> K::Result {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this kind is only made where the machine has the instructions.
            Kind::Avx2 => unsafe { x86::run_avx2(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the same.
            Kind::Avx512 => unsafe { x86::run_avx512(kernel) },
            // SAFETY: plain code, which every machine runs.
            _ => unsafe { kernel.run::<Portable>() },
        }
    }

    /// Values of a vector of f32.
    pub fn lanes(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => 8,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => 16,
            _ => Portable::LANES,
        }
    }

    /// Registers of vectors of f32.
    pub fn registers(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => 16,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => 32,
            _ => Portable::REGISTERS,
        }
    }

    /// Name of the instructions.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "AVX-512",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "NEON",
        }
    }

    /// Sums of a matrix's rows, [`ROWS`] by [`ROWS`]: of each block its whole product with its part of the
    /// vector, times its scale.
    pub(super) fn multiply(self, blocks: &[Block], values: &[Values], sums: &mut [[f32; ROWS]]) {
        assert!(!values.is_empty() && blocks.len() == values.len() * sums.len());
        match self.0 {
            Kind::Portable => portable(blocks, values, sums),
            // SAFETY: this kind is only made where the machine has the instructions.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { x86::multiply_avx2(blocks, values, sums) },
            // SAFETY: the same.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { x86::multiply_avx512(blocks, values, sums) },
            // SAFETY: the same.
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => unsafe { neon(blocks, values, sums) },
        }
    }

    /// [`quantise`].
    pub(super) fn quantise(self, x: &[f32], out: &mut [Values]) -> f32 {
        match self.0 {
            // SAFETY: this kind is only made where the machine has the instructions.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { x86::quantise_avx2(x, out) },
            // SAFETY: the same.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { x86::quantise_avx512(x, out) },
            _ => quantise(x, out),
        }
    }

    /// [`cell`].
    pub(crate) fn cell(self, gates: &[f32], c: &mut [f32], h: &mut [f32]) {
        match self.0 {
            // SAFETY: this kind is only made where the machine has the instructions.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { x86::cell_avx2(gates, c, h) },
            // SAFETY: the same.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { x86::cell_avx512(gates, c, h) },
            _ => cell(gates, c, h),
        }
    }
}

/// Two values as a 32-bit number, as a vector register holds them in every second half.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
fn pair(x: &Values, i: usize) -> i32 {
    let (low, high) = (x.0[2 * i].cast_unsigned(), x.0[2 * i + 1].cast_unsigned());
    (u32::from(low) | u32::from(high) << 16).cast_signed()
}

fn portable(blocks: &[Block], values: &[Values], sums: &mut [[f32; ROWS]]) {
    for (sums, blocks) in sums.iter_mut().zip(blocks.chunks_exact(values.len())) {
        let mut totals = [0f32; ROWS];
        for (block, x) in blocks.iter().zip(values) {
            let mut products = [0i32; ROWS];
            for i in 0..COLUMNS / 2 {
                let (w, x0, x1) = (&block.weights[i], i32::from(x.0[2 * i]), i32::from(x.0[2 * i + 1]));
                for r in 0..ROWS {
                    products[r] += i32::from(w[2 * r]) * x0 + i32::from(w[2 * r + 1]) * x1;
                }
            }
            for r in 0..ROWS {
                totals[r] += products[r] as f32 * block.scales[r];
            }
        }
        *sums = totals;
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::vector;
    use super::{Block, COLUMNS, ROWS, Values, WithVector, cell, pair, quantise};

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn run_avx2<K: WithVector>(kernel: K) -> K::Result {
        // SAFETY: this function is only called where the machine has the instructions.
        unsafe { kernel.run::<vector::x86::Avx2>() }
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn run_avx512<K: WithVector>(kernel: K) -> K::Result {
        // SAFETY: the same.
        unsafe { kernel.run::<vector::x86::Avx512>() }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn multiply_avx2(blocks: &[Block], values: &[Values], sums: &mut [[f32; ROWS]]) {
        for (sums, blocks) in sums.iter_mut().zip(blocks.chunks_exact(values.len())) {
            // Rows 0 to 7 and 8 to 15.
            let mut totals = [_mm256_setzero_ps(); 2];
            for (block, x) in blocks.iter().zip(values) {
                let mut products = [_mm256_setzero_si256(); 2];
                for i in 0..COLUMNS / 2 {
                    let x = _mm256_set1_epi32(pair(x, i));
                    for half in 0..2 {
                        // SAFETY: sixteen weights from the half's first on lie within the 32 of the pair.
                        let w = unsafe { _mm_loadu_si128(block.weights[i].as_ptr().add(16 * half).cast()) };
                        let product = _mm256_madd_epi16(_mm256_cvtepi8_epi16(w), x);
                        products[half] = _mm256_add_epi32(products[half], product);
                    }
                }
                for half in 0..2 {
                    // SAFETY: eight scales from the half's first on lie within the sixteen.
                    let scales = unsafe { _mm256_loadu_ps(block.scales.as_ptr().add(8 * half)) };
                    let product = _mm256_mul_ps(_mm256_cvtepi32_ps(products[half]), scales);
                    totals[half] = _mm256_add_ps(totals[half], product);
                }
            }
            for half in 0..2 {
                // SAFETY: eight sums from the half's first on lie within the sixteen.
                unsafe { _mm256_storeu_ps(sums.as_mut_ptr().add(8 * half), totals[half]) };
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn multiply_avx512(blocks: &[Block], values: &[Values], sums: &mut [[f32; ROWS]]) {
        for (sums, blocks) in sums.iter_mut().zip(blocks.chunks_exact(values.len())) {
            let mut totals = _mm512_setzero_ps();
            for (block, x) in blocks.iter().zip(values) {
                // Two sums, so that the next need not wait for the last.
                let mut products = [_mm512_setzero_si512(); 2];
                for i in 0..COLUMNS / 2 {
                    // SAFETY: a pair of columns has 32 weights.
                    let w = unsafe { _mm256_loadu_si256(block.weights[i].as_ptr().cast()) };
                    let (w, x) = (_mm512_cvtepi8_epi16(w), _mm512_set1_epi32(pair(x, i)));
                    products[i % 2] = _mm512_add_epi32(products[i % 2], _mm512_madd_epi16(w, x));
                }
                let product = _mm512_cvtepi32_ps(_mm512_add_epi32(products[0], products[1]));
                // SAFETY: there are sixteen scales.
                let scales = unsafe { _mm512_loadu_ps(block.scales.as_ptr()) };
                totals = _mm512_add_ps(totals, _mm512_mul_ps(product, scales));
            }
            // SAFETY: there are sixteen sums.
            unsafe { _mm512_storeu_ps(sums.as_mut_ptr(), totals) };
        }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn quantise_avx2(x: &[f32], out: &mut [Values]) -> f32 {
        quantise(x, out)
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn quantise_avx512(x: &[f32], out: &mut [Values]) -> f32 {
        quantise(x, out)
    }

    #[target_feature(enable = "avx2")]
    pub(crate) fn cell_avx2(gates: &[f32], c: &mut [f32], h: &mut [f32]) {
        cell(gates, c, h);
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    pub(crate) fn cell_avx512(gates: &[f32], c: &mut [f32], h: &mut [f32]) {
        cell(gates, c, h);
    }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn neon(blocks: &[Block], values: &[Values], sums: &mut [[f32; ROWS]]) {
    use std::arch::aarch64::*;

    for (sums, blocks) in sums.iter_mut().zip(blocks.chunks_exact(values.len())) {
        let mut totals = [vdupq_n_f32(0.0); 4];
        for (block, x) in blocks.iter().zip(values) {
            // Two rows each, with the even columns' sum beside the odd ones'.
            let mut products = [vdupq_n_s32(0); 8];
            for i in 0..COLUMNS / 2 {
                let x = vreinterpretq_s16_s32(vdupq_n_s32(pair(x, i)));
                for half in 0..2 {
                    // SAFETY: sixteen weights from the half's first on lie within the 32 of the pair.
                    let w = unsafe { vld1q_s8(block.weights[i].as_ptr().add(16 * half)) };
                    for (quarter, w) in [vmovl_s8(vget_low_s8(w)), vmovl_high_s8(w)].into_iter().enumerate() {
                        let at = 4 * half + 2 * quarter;
                        products[at] = vmlal_s16(products[at], vget_low_s16(w), vget_low_s16(x));
                        products[at + 1] = vmlal_high_s16(products[at + 1], w, x);
                    }
                }
            }
            for four in 0..4 {
                let product = vcvtq_f32_s32(vpaddq_s32(products[2 * four], products[2 * four + 1]));
                // SAFETY: four scales from the fourth's first on lie within the sixteen.
                let scales = unsafe { vld1q_f32(block.scales.as_ptr().add(4 * four)) };
                totals[four] = vaddq_f32(totals[four], vmulq_f32(product, scales));
            }
        }
        for four in 0..4 {
            // SAFETY: four sums from the fourth's first on lie within the sixteen.
            unsafe { vst1q_f32(sums.as_mut_ptr().add(4 * four), totals[four]) };
        }
    }
}
