//! CPU kernels: f32 slices in, f32 slices out, one thread, no candle.
//!
//! This is the only room with `unsafe`. Loops are written so that the compiler
//! vectorises them. They are compiled for each instruction set of [`Level`],
//! and the best one of the machine is chosen at run time. The portable version
//! is the same code and gives the same results up to rounding. Matrix products
//! and convolutions use two hand-written inner loops ([`tile`]).
//!
//! NaN and infinity propagate through every kernel, so that divergence is
//! detected.

#![allow(
    unsafe_code,
    reason = "calls to functions compiled for found features, gemm's pointers"
)]

pub(crate) mod activation;
pub(crate) mod attention;
pub(crate) mod conv;
pub(crate) mod gemm;
pub(crate) mod norm;
pub(crate) mod orthogonal;
pub(crate) mod pool;
pub(crate) mod recurrent;
pub(crate) mod scratch;
pub(crate) mod softmax;
mod tile;
pub(crate) mod update;
mod vector;

use std::sync::OnceLock;

/// An instruction set that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// 512-bit vectors.
    Avx512,
    /// 256-bit vectors with fused multiply-add.
    Avx2,
    /// The minimum of the target (SSE2, NEON).
    Portable,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        }
    }
}

/// Lanes of the independent sums in reductions: enough for two 512-bit
/// vectors, the same on every path, so that all paths add in one order.
const LANES: usize = 16;

/// Copies a few numbers inline: a call of the C library costs more than the
/// copy.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    let (from, from_rest) = from.as_chunks::<LANES>();
    let (to, to_rest) = to.as_chunks_mut::<LANES>();
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    for (to, from) in to_rest.iter_mut().zip(from_rest) {
        *to = *from;
    }
}

fn detect() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        let avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq");
        let avx2 =
            is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        if avx512 && avx2 {
            return Level::Avx512;
        }
        if avx2 {
            return Level::Avx2;
        }
    }
    Level::Portable
}

/// The instruction set of this process, once it is known.
static LEVEL: OnceLock<Level> = OnceLock::new();

fn level() -> Level {
    #[cfg(test)]
    if let Some(level) = FORCED.get() {
        return level;
    }
    *LEVEL.get_or_init(detect)
}

/// The instruction sets that this machine has, the best one first.
fn levels() -> &'static [Level] {
    match detect() {
        Level::Avx512 => &[Level::Avx512, Level::Avx2, Level::Portable],
        Level::Avx2 => &[Level::Avx2, Level::Portable],
        Level::Portable => &[Level::Portable],
    }
}

/// Takes the path of this name from here on, instead of the best one of the
/// machine. Call it before any kernel.
///
/// # Errors
///
/// The paths that this machine has, if `name` is none of them.
pub(crate) fn take_path(name: &str) -> Result<(), Vec<&'static str>> {
    let known = levels().iter().find(|level| level.name() == name);
    let Some(level) = known else {
        return Err(levels().iter().map(|level| level.name()).collect());
    };
    LEVEL.get_or_init(|| *level);
    Ok(())
}

#[cfg(test)]
thread_local! {
    static FORCED: std::cell::Cell<Option<Level>> =
        const { std::cell::Cell::new(None) };
}

/// Runs `check` on every path that this machine has.
#[cfg(test)]
pub(crate) fn on_every_path(check: impl Fn(&str)) {
    for &path in levels() {
        FORCED.set(Some(path));
        check(&format!("{path:?}"));
    }
    FORCED.set(None);
}

/// The path taken on this machine: `avx512`, `avx2` or `portable`.
pub(crate) fn path() -> &'static str {
    level().name()
}

/// Defines a function whose body is compiled for every [`Level`] and
/// dispatched at run time.
macro_rules! vectorised {
    (
        $(#[$meta:meta])*
        fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block
    ) => {
        $(#[$meta])*
        pub(crate) fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn portable($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(
                    enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"
                )]
                fn avx512($($arg: $ty),*) $(-> $ret)? {
                    portable($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) $(-> $ret)? {
                    portable($($arg),*)
                }
                match $crate::kernels::level() {
                    // SAFETY: the features were found on this machine.
                    $crate::kernels::Level::Avx512 => {
                        return unsafe { avx512($($arg),*) };
                    }
                    // SAFETY: as above.
                    $crate::kernels::Level::Avx2 => {
                        return unsafe { avx2($($arg),*) };
                    }
                    $crate::kernels::Level::Portable => {}
                }
            }
            portable($($arg),*)
        }
    };
}
pub(crate) use vectorised;

/// Keeps candle's own threads out of the way: its element-wise operations
/// would otherwise spread over a pool that all runs share, and several runs
/// at once then wait for each other (measured: 1.8 to 3 times slower).
///
/// Call it first thing in a program, while there is one thread. What the
/// user has set stays.
pub(crate) fn one_thread_a_run() {
    for name in ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"] {
        if std::env::var_os(name).is_none() {
            // SAFETY: called before any thread is started, as the doc asks,
            // so nothing reads the environment meanwhile.
            unsafe { std::env::set_var(name, "1") };
        }
    }
}
