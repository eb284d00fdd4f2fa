//! Vectors of the instruction sets under one set of names, for
//! [`tile`](super::tile).

/// Side of the squares that are transposed at once.
pub(super) const SQUARE: usize = 8;

/// 16 numbers in AVX-512.
#[cfg(target_arch = "x86_64")]
pub(super) mod wide {
    use std::arch::x86_64::{
        __m512, __mmask16, _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps,
        _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_max_ps,
        _mm512_set1_ps, _mm512_setzero_ps,
    };

    pub(in super::super) use super::narrow::square;

    pub(in super::super) type Vector = __m512;

    /// The first `count` lanes.
    #[inline(always)]
    fn mask(count: usize) -> __mmask16 {
        __mmask16::MAX >> (16 - count)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in super::super) fn zero() -> Vector {
        _mm512_setzero_ps()
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in super::super) fn splat(x: f32) -> Vector {
        _mm512_set1_ps(x)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in super::super) fn add(a: Vector, b: Vector) -> Vector {
        _mm512_add_ps(a, b)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in super::super) fn fma(a: Vector, b: Vector, c: Vector) -> Vector {
        _mm512_fmadd_ps(a, b, c)
    }

    /// `max(x, 0)`; of a NaN the instruction gives its second operand.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in super::super) fn rectify(x: Vector) -> Vector {
        _mm512_max_ps(_mm512_setzero_ps(), x)
    }

    /// # Safety
    ///
    /// 16 numbers can be read.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in super::super) unsafe fn load(from: *const f32) -> Vector {
        // SAFETY: as the caller promises.
        unsafe { _mm512_loadu_ps(from) }
    }

    /// # Safety
    ///
    /// `count` numbers, 1 to 16, can be read.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in super::super) unsafe fn part(
        from: *const f32,
        count: usize,
    ) -> Vector {
        // SAFETY: as the caller promises.
        unsafe { _mm512_maskz_loadu_ps(mask(count), from) }
    }

    /// # Safety
    ///
    /// `count` numbers, 1 to 16, can be written.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in super::super) unsafe fn store(
        to: *mut f32,
        x: Vector,
        count: usize,
    ) {
        // SAFETY: as the caller promises.
        unsafe { _mm512_mask_storeu_ps(to, mask(count), x) }
    }
}

/// 8 numbers in AVX2.
#[cfg(target_arch = "x86_64")]
pub(super) mod narrow {
    use super::SQUARE;
    use std::arch::x86_64::{
        __m256, __m256i, _mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps,
        _mm256_loadu_si256, _mm256_maskload_ps, _mm256_maskstore_ps,
        _mm256_max_ps, _mm256_permute2f128_ps, _mm256_set1_ps,
        _mm256_setzero_ps, _mm256_shuffle_ps, _mm256_storeu_ps,
        _mm256_unpackhi_ps, _mm256_unpacklo_ps,
    };

    pub(in super::super) type Vector = __m256;

    /// All ones in the first `count` lanes, 1 to 8.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn mask(count: usize) -> __m256i {
        const ONES: [i32; 16] =
            [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
        let lanes = &ONES[8 - count..][..8];
        // SAFETY: the slice has eight numbers.
        unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) fn zero() -> Vector {
        _mm256_setzero_ps()
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) fn splat(x: f32) -> Vector {
        _mm256_set1_ps(x)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) fn add(a: Vector, b: Vector) -> Vector {
        _mm256_add_ps(a, b)
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    pub(in super::super) fn fma(a: Vector, b: Vector, c: Vector) -> Vector {
        _mm256_fmadd_ps(a, b, c)
    }

    /// `max(x, 0)`; of a NaN the instruction gives its second operand.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) fn rectify(x: Vector) -> Vector {
        _mm256_max_ps(_mm256_setzero_ps(), x)
    }

    /// # Safety
    ///
    /// 8 numbers can be read.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) unsafe fn load(from: *const f32) -> Vector {
        // SAFETY: as the caller promises.
        unsafe { _mm256_loadu_ps(from) }
    }

    /// # Safety
    ///
    /// `count` numbers, 1 to 8, can be read.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) unsafe fn part(
        from: *const f32,
        count: usize,
    ) -> Vector {
        // SAFETY: as the caller promises; other lanes are not touched.
        unsafe { _mm256_maskload_ps(from, mask(count)) }
    }

    /// # Safety
    ///
    /// `count` numbers, 1 to 8, can be written.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) unsafe fn store(
        to: *mut f32,
        x: Vector,
        count: usize,
    ) {
        // SAFETY: as the caller promises; other lanes are not touched.
        unsafe { _mm256_maskstore_ps(to, mask(count), x) }
    }

    /// The transpose of eight lines of eight numbers, to lines that are
    /// `apart` from each other.
    ///
    /// # Safety
    ///
    /// The lines can be read, and their places written.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) unsafe fn square(
        lines: [*const f32; SQUARE],
        to: *mut f32,
        apart: usize,
    ) {
        // SAFETY: as the caller promises.
        let line = lines.map(|line| unsafe { _mm256_loadu_ps(line) });
        // Pairs of numbers, then quarters of columns, then whole columns.
        let pairs: [__m256; SQUARE] = std::array::from_fn(|i| {
            let (a, b) = (line[i / 2 * 2], line[i / 2 * 2 + 1]);
            if i % 2 == 0 {
                _mm256_unpacklo_ps(a, b)
            } else {
                _mm256_unpackhi_ps(a, b)
            }
        });
        let quarters: [__m256; SQUARE] = std::array::from_fn(|i| {
            let first = i / 4 * 4 + i % 4 / 2;
            let (a, b) = (pairs[first], pairs[first + 2]);
            if i % 2 == 0 {
                _mm256_shuffle_ps::<0x44>(a, b)
            } else {
                _mm256_shuffle_ps::<0xee>(a, b)
            }
        });
        for i in 0..SQUARE {
            let (a, b) = (quarters[i % 4], quarters[i % 4 + 4]);
            let column = if i < 4 {
                _mm256_permute2f128_ps::<0x20>(a, b)
            } else {
                _mm256_permute2f128_ps::<0x31>(a, b)
            };
            // SAFETY: as the caller promises.
            unsafe { _mm256_storeu_ps(to.add(i * apart), column) };
        }
    }
}

/// 8 numbers in plain code, which compilers make vectors of (SSE2, NEON).
pub(super) mod plain {
    use super::SQUARE;

    const LANES: usize = 8;

    pub(in super::super) type Vector = [f32; LANES];

    #[inline(always)]
    pub(in super::super) fn zero() -> Vector {
        [0.0; LANES]
    }

    #[inline(always)]
    pub(in super::super) fn splat(x: f32) -> Vector {
        [x; LANES]
    }

    #[inline(always)]
    pub(in super::super) fn add(a: Vector, b: Vector) -> Vector {
        std::array::from_fn(|i| a[i] + b[i])
    }

    /// Fused where the target always has the instruction; elsewhere it would
    /// be a call of the C library.
    #[inline(always)]
    pub(in super::super) fn fma(a: Vector, b: Vector, c: Vector) -> Vector {
        std::array::from_fn(|i| {
            if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
                a[i].mul_add(b[i], c[i])
            } else {
                a[i] * b[i] + c[i]
            }
        })
    }

    /// `max(x, 0)`, NaN for NaN.
    #[inline(always)]
    pub(in super::super) fn rectify(x: Vector) -> Vector {
        x.map(|x| if x < 0.0 { 0.0 } else { x })
    }

    /// # Safety
    ///
    /// 8 numbers can be read.
    #[inline(always)]
    pub(in super::super) unsafe fn load(from: *const f32) -> Vector {
        // SAFETY: as the caller promises.
        unsafe { from.cast::<Vector>().read_unaligned() }
    }

    /// # Safety
    ///
    /// `count` numbers, 1 to 8, can be read.
    #[inline(always)]
    pub(in super::super) unsafe fn part(
        from: *const f32,
        count: usize,
    ) -> Vector {
        let mut x = zero();
        // SAFETY: as the caller promises.
        let given = unsafe { std::slice::from_raw_parts(from, count) };
        x[..count].copy_from_slice(given);
        x
    }

    /// # Safety
    ///
    /// `count` numbers, 1 to 8, can be written.
    #[inline(always)]
    pub(in super::super) unsafe fn store(
        to: *mut f32,
        x: Vector,
        count: usize,
    ) {
        // SAFETY: as the caller promises.
        let to = unsafe { std::slice::from_raw_parts_mut(to, count) };
        to.copy_from_slice(&x[..count]);
    }

    /// The transpose of eight lines of eight numbers, to lines that are
    /// `apart` from each other.
    ///
    /// # Safety
    ///
    /// The lines can be read, and their places written.
    #[inline(always)]
    pub(in super::super) unsafe fn square(
        lines: [*const f32; SQUARE],
        to: *mut f32,
        apart: usize,
    ) {
        // SAFETY: as the caller promises.
        let lines = lines.map(|line| unsafe {
            line.cast::<[f32; SQUARE]>().read_unaligned()
        });
        for i in 0..SQUARE {
            let column = lines.map(|line| line[i]);
            // SAFETY: as the caller promises.
            unsafe {
                to.add(i * apart).cast::<Vector>().write_unaligned(column);
            }
        }
    }
}
