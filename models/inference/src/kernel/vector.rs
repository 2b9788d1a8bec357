//! Vectors of f32, by the instructions that a machine has.

/// A function whose loops are compiled once more with AVX2, twice as wide as the build allows, and run so where
/// the machine has it. Nothing is fused, so both give the same bits.
#[macro_export]
macro_rules! wide {
    ($(#[$about:meta])* fn $name:ident($($argument:ident: $kind:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$about])*
        fn $name($($argument: $kind),*) $(-> $result)? {
            #[inline(always)]
            fn plain($($argument: $kind),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn avx2($($argument: $kind),*) $(-> $result)? {
                    plain($($argument),*)
                }
                if $crate::kernel::Simd::best().has_avx2() {
                    // SAFETY: the machine has the instructions.
                    return unsafe { avx2($($argument),*) };
                }
            }
            plain($($argument),*)
        }
    };
}

/// Some f32 side by side. Its functions must only be reached where the machine has the instructions.
pub trait Vector: Copy {
    /// How many.
    const LANES: usize;
    /// Registers of them.
    const REGISTERS: usize;

    /// The same value in all lanes.
    ///
    /// # Safety
    /// The machine has the instructions.
    unsafe fn splat(v: f32) -> Self;

    /// # Safety
    /// The machine has the instructions, and `LANES` values can be read.
    unsafe fn load(from: *const f32) -> Self;

    /// # Safety
    /// The machine has the instructions, and `LANES` values can be written.
    unsafe fn store(self, to: *mut f32);

    /// `self + a b`.
    ///
    /// # Safety
    /// The machine has the instructions.
    unsafe fn plus(self, a: Self, b: Self) -> Self;

    /// max(0, x).
    ///
    /// # Safety
    /// The machine has the instructions.
    unsafe fn relu(self) -> Self;

    /// The sum of all lanes of each of four.
    ///
    /// # Safety
    /// The machine has the instructions.
    unsafe fn sums(of: [Self; 4]) -> [f32; 4];
}

/// A kernel that is compiled for vectors of every width, see [`super::Simd::run`].
pub trait WithVector {
    /// What comes out of it.
    type Result;

    /// Runs it. To be inlined always, so that it is compiled with the instructions of its caller.
    ///
    /// # Safety
    /// The machine has the instructions of `V`.
    unsafe fn run<V: Vector>(self) -> Self::Result;
}

/// Four lanes in plain code, which every compiler target of ours turns into vector instructions.
#[derive(Clone, Copy)]
pub struct Portable([f32; 4]);

impl Vector for Portable {
    const LANES: usize = 4;
    const REGISTERS: usize = if cfg!(target_arch = "aarch64") { 32 } else { 16 };

    #[inline(always)]
    unsafe fn splat(v: f32) -> Self {
        Self([v; 4])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for four values; the read asks for no alignment.
        Self(unsafe { from.cast::<[f32; 4]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for four places; the write asks for no alignment.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn plus(self, a: Self, b: Self) -> Self {
        // Fused where every machine of the target has the instruction; elsewhere that would be a call.
        if cfg!(target_arch = "aarch64") {
            Self(std::array::from_fn(|i| a.0[i].mul_add(b.0[i], self.0[i])))
        } else {
            Self(std::array::from_fn(|i| self.0[i] + a.0[i] * b.0[i]))
        }
    }

    #[inline(always)]
    unsafe fn relu(self) -> Self {
        Self(self.0.map(|v| v.max(0.0)))
    }

    #[inline(always)]
    unsafe fn sums(of: [Self; 4]) -> [f32; 4] {
        of.map(|v| (v.0[0] + v.0[2]) + (v.0[1] + v.0[3]))
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use std::arch::x86_64::*;

    use super::Vector;

    macro_rules! vector {
        ($name:ident, $kind:ty, $lanes:literal, $fold:ident:
            $splat:ident $load:ident $store:ident $fma:ident $max:ident $add:ident $low:ident $high:ident
            $shuffle:ident) => {
            /// A register.
            #[derive(Clone, Copy)]
            pub(crate) struct $name($kind);

            // SAFETY of every block below: the callers vouch for the instructions and the memory; loads and
            // stores ask for no alignment.
            #[allow(clippy::undocumented_unsafe_blocks)]
            impl Vector for $name {
                const LANES: usize = $lanes;
                const REGISTERS: usize = 2 * $lanes;

                #[inline(always)]
                unsafe fn splat(v: f32) -> Self {
                    Self(unsafe { $splat(v) })
                }

                #[inline(always)]
                unsafe fn load(from: *const f32) -> Self {
                    Self(unsafe { $load(from) })
                }

                #[inline(always)]
                unsafe fn store(self, to: *mut f32) {
                    unsafe { $store(to, self.0) }
                }

                #[inline(always)]
                unsafe fn plus(self, a: Self, b: Self) -> Self {
                    Self(unsafe { $fma(a.0, b.0, self.0) })
                }

                #[inline(always)]
                unsafe fn relu(self) -> Self {
                    Self(unsafe { $max(self.0, $splat(0.0)) })
                }

                #[inline(always)]
                unsafe fn sums(of: [Self; 4]) -> [f32; 4] {
                    unsafe {
                        // Each quarter of a register adds up its own four lanes of all four.
                        let [a, b, c, d] = of.map(|v| v.0);
                        let ab = $add($low(a, b), $high(a, b));
                        let cd = $add($low(c, d), $high(c, d));
                        $fold($add($shuffle::<0b01_00_01_00>(ab, cd), $shuffle::<0b11_10_11_10>(ab, cd)))
                    }
                }
            }
        };
    }

    vector!(Avx2, __m256, 8, fold256:
        _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_fmadd_ps _mm256_max_ps _mm256_add_ps
        _mm256_unpacklo_ps _mm256_unpackhi_ps _mm256_shuffle_ps);
    vector!(Avx512, __m512, 16, fold512:
        _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_fmadd_ps _mm512_max_ps _mm512_add_ps
        _mm512_unpacklo_ps _mm512_unpackhi_ps _mm512_shuffle_ps);

    /// # Safety
    /// The machine has AVX.
    #[inline(always)]
    unsafe fn fold256(v: __m256) -> [f32; 4] {
        let mut four = [0f32; 4];
        // SAFETY: the caller vouches for the instructions; there are four places.
        unsafe {
            let halves = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
            _mm_storeu_ps(four.as_mut_ptr(), halves);
        }
        four
    }

    /// # Safety
    /// The machine has AVX-512.
    #[inline(always)]
    unsafe fn fold512(v: __m512) -> [f32; 4] {
        // SAFETY: the caller vouches for the instructions.
        unsafe {
            let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(v)));
            fold256(_mm256_add_ps(_mm512_castps512_ps256(v), high))
        }
    }
}
