//! The kinds of schedule: their parameters, defaults and sources.
//!
//! A new kind is one entry in the table below, one check in `checks`, and
//! one formula in `shapes`.

use super::Problem;
use super::field::{Field, Fields};
use super::value::ParamValue;
use crate::synonyms;
use crate::text::nearest;
use std::path::PathBuf;
use std::sync::LazyLock;

/// One kind, as `schedules list` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KindInfo {
    /// Name in TOML.
    pub(crate) name: &'static str,
    /// Its own keys; every kind takes the [`MODIFIERS`] as well.
    pub(crate) keys: Vec<KeyInfo>,
    /// One line on the shape.
    pub(crate) about: &'static str,
    /// Where it comes from.
    pub(crate) source: &'static str,
}

impl KindInfo {
    /// Whether the kind gives rates without a key, a file or a run.
    pub(crate) fn stands_alone(&self) -> bool {
        !matches!(self.name, "piecewise" | "table" | "refined" | "plateau")
    }
}

/// One key of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyInfo {
    /// Name in TOML.
    pub(crate) name: &'static str,
    /// The default as TOML writes it, or in words; empty where there is none.
    pub(crate) default: String,
}

/// The keys that every kind and `join` take, with their defaults.
pub(crate) const MODIFIERS: &[(&str, &str)] = &[
    ("warmup", "0"),
    ("warmup_shape", "linear"),
    ("warmup_start_ratio", "from 1/(warmup + 1) of the peak"),
    ("cooldown", "0"),
    ("cooldown_shape", "linear"),
    ("cooldown_end_ratio", "0 (exponential: 0.01)"),
    ("average", "off"),
    ("average_decay", "0.999"),
    ("average_from", "0.75"),
];

/// All kinds, in the order of the documentation.
pub(crate) fn kinds() -> &'static [KindInfo] {
    static KINDS: LazyLock<Vec<KindInfo>> = LazyLock::new(Kind::table);
    &KINDS
}

/// An enum whose variants are words in TOML.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident: $wanted:literal {
        $($(#[$about:meta])* $variant:ident = $word:literal,)+
    })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $name {
            $($(#[$about])* $variant,)+
        }

        impl Field for $name {
            const WANTED: &'static str = $wanted;

            fn read(value: &ParamValue) -> Option<Self> {
                match value {
                    ParamValue::Text(text) => match text.as_str() {
                        $($word => Some(Self::$variant),)+
                        _ => None,
                    },
                    _ => None,
                }
            }

            fn value(&self) -> Option<ParamValue> {
                Some(match self {
                    $(Self::$variant => $word.into(),)+
                })
            }
        }
    )+};
}

words! {
    /// How a decay phase falls; `shapes` has the formulas.
    Shape: "one of \"linear\", \"one-minus-sqrt\", \"cosine\", \"square\", \
            \"exponential\"" {
        /// 1 - x.
        Linear = "linear",
        /// 1 - sqrt(x).
        OneMinusSqrt = "one-minus-sqrt",
        /// Half a cosine.
        Cosine = "cosine",
        /// 1 - x².
        Square = "square",
        /// The end ratio to the power x.
        Exponential = "exponential",
    }
    /// How a warm-up rises.
    Rise: "one of \"linear\", \"cosine\", \"exponential\"" {
        /// In proportion to the step.
        Linear = "linear",
        /// Half a cosine.
        Cosine = "cosine",
        /// By a constant factor a step.
        Exponential = "exponential",
    }
    /// How one-cycle goes from one rate to the next.
    Anneal: "\"cos\" or \"linear\"" {
        /// Half a cosine.
        Cos = "cos",
        /// A straight line.
        Linear = "linear",
    }
    /// What happens to the amplitude of cyclical rates.
    Mode: "one of \"triangular\", \"triangular2\", \"exp-range\"" {
        /// It stays.
        Triangular = "triangular",
        /// It halves with each cycle.
        Triangular2 = "triangular2",
        /// It falls by a factor each step.
        ExpRange = "exp-range",
    }
}

/// The only definition of a kind's keys, types and defaults: everything that
/// reads, writes, labels or lists them comes from here.
macro_rules! kinds {
    ($(
        #[doc = $about:literal]
        $name:literal $variant:ident from $source:literal {
            $($key:ident: $type:ty = $default:expr $(, $note:literal)?;)*
        }
    )+) => {
        /// The kind of a schedule with its parameters.
        #[derive(Clone, Debug, PartialEq)]
        pub(super) enum Kind {
            $(
                #[doc = $about]
                $variant { $($key: $type,)* },
            )+
        }

        impl Kind {
            /// Name in TOML.
            pub(super) fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)+
                }
            }

            /// Takes the keys of the kind `name` out of `fields`.
            pub(super) fn read(
                name: &str,
                fields: &mut Fields,
            ) -> Result<Self, Problem> {
                match name {
                    $($name => {
                        $(let $key = fields
                            .read::<$type>(stringify!($key), $default)?;)*
                        Ok(Self::$variant { $($key,)* })
                    })+
                    _ => Err(unknown_kind(name)),
                }
            }

            /// The keys with their values and default values; `None` may be
            /// left out of a file.
            pub(super) fn entries(&self) -> Vec<Entry> {
                match self {
                    $(Self::$variant { $($key,)* } => vec![$(
                        Entry {
                            key: stringify!($key),
                            value: Field::value($key),
                            default: <$type as Field>::value(&$default),
                        },
                    )*],)+
                }
            }

            /// Name and keys of every kind.
            fn table() -> Vec<KindInfo> {
                vec![$(KindInfo {
                    name: $name,
                    keys: vec![$(KeyInfo {
                        name: stringify!($key),
                        default: <$type as Field>::value(&$default)
                            .map_or_else(String::new, |v| v.label())
                            $(+ $note)?,
                    },)*],
                    about: $about.trim_ascii(),
                    source: $source,
                },)+]
            }
        }
    };
}

/// A key with its value and its default.
pub(super) struct Entry {
    pub(super) key: &'static str,
    pub(super) value: Option<ParamValue>,
    pub(super) default: Option<ParamValue>,
}

kinds! {
    /// the peak throughout
    "constant" Constant from "baseline" {}
    /// straight line to the end ratio
    "linear" Linear from "Li et al. 2020; Defazio et al. 2023" {
        end_ratio: f64 = 0.0;
    }
    /// power of the share that is left
    "polynomial" Polynomial from "Chen et al. 2018 (DeepLab)" {
        power: f64 = 2.0;
        end_ratio: f64 = 0.0;
    }
    /// half a cosine, or `cycles` of them
    "cosine" Cosine from "Loshchilov & Hutter 2017, eq. 5" {
        end_ratio: f64 = 0.0;
        cycles: f64 = 0.5;
    }
    /// cosine in p^k: k above 1 stays high for longer
    "k-decay" KDecay from "Zhang & Li 2020, arXiv 2004.05909" {
        k: f64 = 1.5;
        end_ratio: f64 = 0.0;
    }
    /// 1 - sqrt p: steep first, flat at the end
    "one-minus-sqrt" OneMinusSqrt from "Hägele et al. 2024" {
        end_ratio: f64 = 0.0;
    }
    /// the same factor every step, down to the end ratio
    "exponential" Exponential from "classical" {
        end_ratio: f64 = 0.01;
    }
    /// 1 / (1 + rate p)
    "inverse-time" InverseTime from "Robbins & Monro 1951" {
        rate: f64 = 9.0;
    }
    /// 1 / sqrt(1 + t / timescale), whatever the budget
    "inverse-sqrt" InverseSqrt from "Vaswani et al. 2017" {
        timescale: Option<usize> = None, "the warm-up, at least 1";
    }
    /// times gamma at each milestone
    "step" Step from "He et al. 2016" {
        milestones: Vec<f64> = vec![0.5, 0.75];
        gamma: f64 = 0.1;
    }
    /// the peak, then a decay over the last part (warmup-stable-decay)
    "wsd" Wsd from "Hu et al. 2024; Hägele et al. 2024" {
        decay: f64 = 0.2;
        shape: Shape = Shape::Linear;
        end_ratio: Option<f64> = None, "0 (exponential: 0.01)";
    }
    /// explore at the peak, then a straight line to 0
    "knee" Knee from "Iyer et al. 2023" {
        explore: f64 = 0.5;
    }
    /// slow first, fast at the end; d sets how much
    "rex" Rex from "Chen et al. 2021" {
        d: f64 = 0.5;
    }
    /// up to the peak and down far below the start
    "one-cycle" OneCycle from "Smith & Topin 2019, as PyTorch's OneCycleLR" {
        pct_start: f64 = 0.3;
        div_factor: f64 = 25.0;
        final_div_factor: f64 = 1e4;
        anneal: Anneal = Anneal::Cos;
        three_phase: bool = false;
        cycle_momentum: Option<[f64; 2]> = None, "off";
    }
    /// straight up to the peak, straight down
    "triangular" Triangular from "Howard & Ruder 2018" {
        inc_fraction: f64 = 0.5;
        start_ratio: f64 = 0.1;
        end_ratio: Option<f64> = None, "start_ratio";
    }
    /// up and down between two rates
    "cyclical" Cyclical from "Smith 2017, as PyTorch's CyclicLR" {
        mode: Mode = Mode::Triangular;
        step_size_up: Option<usize> = None, "an eighth of the steps";
        step_size_down: Option<usize> = None, "step_size_up";
        base_ratio: f64 = 0.1;
        gamma: f64 = 1.0;
        cycle_momentum: Option<[f64; 2]> = None, "off";
    }
    /// cosine with warm restarts
    "sgdr" Sgdr from "Loshchilov & Hutter 2017" {
        t_0: Option<usize> = None, "all steps";
        cycles: Option<usize> = None, "1";
        t_mult: f64 = 1.0;
        end_ratio: f64 = 0.0;
        magnitude_decay: f64 = 1.0;
    }
    /// flat, a hyperbolic tangent down, flat
    "tanh" Tanh from "Hsueh et al. 2019" {
        lower: f64 = -7.0;
        upper: f64 = 3.0;
        end_ratio: f64 = 0.0;
    }
    /// its own linear rise, then inverse-sqrt, whatever the budget
    "noam" Noam from "Vaswani et al. 2017, section 5.3" {
        model_size: usize = 512;
        warmup_steps: usize = 4000;
    }
    /// straight lines between points [share, ratio]
    "piecewise" Piecewise from "your own" {
        points: Vec<[f64; 2]> = vec![];
    }
    /// factors from a file, one per step
    "table" Table from "your own" {
        file: Option<PathBuf> = None;
        factors: Vec<f64> = vec![];
        momenta: Vec<f64> = vec![];
    }
    /// from the gradient norms of one run with the schedule `from`
    "refined" Refined from "Defazio et al. 2023" {
        from: String = "linear".to_owned();
        tau: f64 = 0.1;
    }
    /// a constant rate, and an optimizer that averages its weights
    "schedule-free" ScheduleFree from "Defazio et al. 2024" {
        lr_ratio: f64 = 1.0;
    }
    /// the peak, times factor whenever the validation loss stops falling
    "plateau" Plateau from "PyTorch's ReduceLROnPlateau" {
        factor: f64 = 0.1;
        patience: usize = 2;
        min_ratio: f64 = 0.0;
        evaluations: usize = 20;
    }
}

pub(super) fn unknown_kind(name: &str) -> Problem {
    let known: Vec<&str> = kinds().iter().map(|kind| kind.name).collect();
    let remedy = if let Some(here) = synonyms::of_kind(name) {
        format!("here it is {here}")
    } else if let Some(kind) = nearest(name, &known) {
        format!("did you mean `{kind}`?")
    } else {
        format!("the kinds are {}", known.join(", "))
    };
    Problem::at("kind", format!("`kind` {name:?} is unknown, {remedy}"))
}
