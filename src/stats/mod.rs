//! Statistics: slices of `f64` in, numbers out.
//!
//! Differences are oriented by the caller; nothing here knows schedules,
//! workloads or files. Sums run in the order given, so callers who want
//! results that do not depend on row order pass canonical orders.
//!
//! One file per test. `multiple` corrects for several tests, `power` says what
//! a study of a given size can show.

pub(crate) mod advantage;
pub(crate) mod average;
pub(crate) mod bayes;
pub(crate) mod bootstrap;
pub(crate) mod evalue;
pub(crate) mod friedman;
pub(crate) mod hierarchical;
pub(crate) mod multiple;
pub(crate) mod nemenyi;
pub(crate) mod paired;
pub(crate) mod power;
pub(crate) mod ranks;
pub(crate) mod robust;
pub(crate) mod skillings_mack;
pub(crate) mod superiority;
pub(crate) mod trend;
pub(crate) mod variance;
pub(crate) mod wilcoxon;
