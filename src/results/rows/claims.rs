//! Tables of claims, and of what the runs say about them.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A claim about schedules, as a row of a table of claims.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Statement {
    /// In words.
    pub(crate) claim: String,
    /// What is measured.
    #[serde(default)]
    pub(crate) measure: Measure,
    /// Label of a schedule; several with ` | ` between them are one that has
    /// other parameters at other budgets. Empty for the measures of an order.
    #[serde(default)]
    pub(crate) a: String,
    /// The schedule that it is compared with.
    #[serde(default)]
    pub(crate) b: String,
    /// Only runs with this kind of optimizer.
    #[serde(default)]
    pub(crate) optimizer: Option<String>,
    /// Only runs with this budget.
    #[serde(default)]
    pub(crate) budget: Budgets,
    /// Only runs at this multiple of the rate found; `tuned`: each schedule
    /// at its best one, chosen on other seeds.
    #[serde(default)]
    pub(crate) lr_multiple: Option<String>,
    /// How what is measured stands to the size.
    pub(crate) relation: Relation,
    /// Of a difference, on the scale of the ranking: 0.02 is about 2 % of a
    /// loss.
    pub(crate) size: f64,
}

/// What a claim is about.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Measure {
    /// The difference `a - b`, turned so that more means that `a` is worse.
    #[default]
    #[serde(alias = "")]
    Difference,
    /// Spearman's correlation of the convex bounds and the mean ranks.
    BoundOrder,
    /// Spearman's correlation of the mean regrets at two budgets.
    BudgetOrder,
}

/// The budgets that a claim is about: an empty cell, `250`, or `250 - 1000`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Budgets {
    /// All, averaged.
    #[default]
    All,
    /// One, in steps.
    One(u64),
    /// The first against the second: a difference of differences, or the
    /// correlation of two orders.
    Two(u64, u64),
}

impl fmt::Display for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::One(steps) => write!(f, "{steps}"),
            Self::Two(first, second) => write!(f, "{first} - {second}"),
        }
    }
}

impl<'de> Deserialize<'de> for Budgets {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let steps = |text: &str| text.trim().parse::<u64>().ok();
        let budgets = match text.split_once('-') {
            _ if text.trim().is_empty() => Some(Self::All),
            None => steps(&text).map(Self::One),
            Some((first, second)) => {
                let both = steps(first).zip(steps(second));
                both.map(|(first, second)| Self::Two(first, second))
            }
        };
        budgets.ok_or_else(|| {
            D::Error::custom("a budget is a number of steps, or `250 - 1000`")
        })
    }
}

impl Serialize for Budgets {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// How a difference stands to the size of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Relation {
    /// It is above it, and above 0 beyond chance.
    Above,
    /// It is below it.
    Below,
    /// It is between it and its opposite.
    Within,
}

/// What the runs say about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Stand {
    /// The effect is as claimed, and not by chance.
    Confirmed,
    /// The 95 % interval of the effect excludes what is claimed.
    Refuted,
    /// Neither.
    NotDecided,
}

impl Stand {
    /// In words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Refuted => "refuted",
            Self::NotDecided => "not decided",
        }
    }
}

/// One row of the answer to a table of claims: the claim, and what the runs
/// say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ClaimRow {
    /// As in [`Statement`], up to `size`.
    pub(crate) claim: String,
    pub(crate) a: String,
    pub(crate) b: String,
    pub(crate) optimizer: Option<String>,
    pub(crate) budget: Budgets,
    pub(crate) lr_multiple: Option<String>,
    pub(crate) relation: Relation,
    pub(crate) size: f64,
    /// Clusters compared.
    pub(crate) clusters: usize,
    /// What was measured: the mean difference over them, or a correlation.
    /// Empty where runs diverged.
    pub(crate) effect: Option<f64>,
    /// Lower end of its 95 % interval.
    pub(crate) low: Option<f64>,
    /// Upper end of it.
    pub(crate) high: Option<f64>,
    /// Two-sided p of the signed-rank test; empty for an order, which its
    /// interval decides.
    pub(crate) p: Option<f64>,
    /// The same after Holm's correction over all claims that have a p.
    pub(crate) p_holm: Option<f64>,
    /// What the runs say.
    pub(crate) stand: Stand,
    /// As in [`Statement`].
    pub(crate) measure: Measure,
}
