//! Named random streams: the only place where generators are made.
//!
//! candle cannot seed its CPU generator, and one generator shared by several
//! purposes would tie every number to the order of the calls. Here each
//! purpose of each seed has its own stream, so drawing more for one leaves
//! the others as they were.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The generator for one purpose of one seed: a weight's name, `"batches"`.
///
/// The stream is the same on every platform and release (FNV-1a over the
/// bytes, then `ChaCha8`), so a seed in a leaderboard stays meaningful.
pub(crate) fn stream(seed: u64, purpose: &str) -> ChaCha8Rng {
    let bytes = seed.to_le_bytes().into_iter().chain(purpose.bytes());
    ChaCha8Rng::seed_from_u64(fnv(bytes))
}

/// numpy's `RandomState`: MT19937 with its doubles, polar normals and masked
/// rejection, for recipes that were published with it.
pub(crate) struct NumpyLegacy {
    words: rand_mt::Mt,
    spare_normal: Option<f64>,
}

impl NumpyLegacy {
    /// `numpy.random.RandomState(seed)`.
    pub(crate) fn new(seed: u32) -> Self {
        Self { words: rand_mt::Mt::new(seed), spare_normal: None }
    }

    /// `rand()`: uniform in `[0, 1)` with 53 bits.
    pub(crate) fn uniform(&mut self) -> f64 {
        let high = f64::from(self.words.next_u32() >> 5);
        let low = f64::from(self.words.next_u32() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    /// `randn()`: standard normal by Marsaglia's polar method.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare_normal.take() {
            return spare;
        }
        loop {
            let x = 2.0 * self.uniform() - 1.0;
            let y = 2.0 * self.uniform() - 1.0;
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let scale = (-2.0 * square.ln() / square).sqrt();
                self.spare_normal = Some(scale * x);
                return scale * y;
            }
        }
    }

    /// `choice(n)` and the draws of `permutation`: uniform in `0 .. n`, for
    /// `n` up to 2^32.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        let most = n - 1;
        if most == 0 {
            return 0;
        }
        let mask = u32::MAX >> most.leading_zeros();
        loop {
            let value = self.words.next_u32() & mask;
            if value <= most {
                return value;
            }
        }
    }

    /// `permutation(n)`: Fisher and Yates from the end.
    pub(crate) fn permutation(&mut self, n: u32) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n).collect();
        for i in (1..n).rev() {
            let j = self.below(i + 1);
            order.swap(i as usize, j as usize);
        }
        order
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014), for recipes that were published
/// with it.
pub(crate) struct SplitMix(u64);

impl SplitMix {
    /// The generator whose first state is FNV-1a of `name`.
    pub(crate) fn named(name: &str) -> Self {
        Self(fnv(name.bytes()))
    }

    /// Uniform in `[0, 1)` with 53 bits.
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
    }
}

/// FNV-1a, 64 bits.
fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |h, byte| {
        (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
