//! Learning-rate schedules: pure functions of the step, in closed form.
//!
//! A [`ScheduleSpec`] is a schedule as TOML names it, free of any learning
//! rate; [`ScheduleSpec::build`] fixes the peak and the budget and gives a
//! [`Schedule`]. Nothing in here holds state, so there is nothing to
//! checkpoint, and two runs whose first rates agree can share those steps.
//!
//! `kinds` lists the kinds with their keys, `shapes` and `cycles` have their
//! formulas, `checks` the limits of their values, and `compose` adds warm-up,
//! cooldown and `join`. `parse`, `field` and `value` read and write specs.
//! `compat` has the conventions of other libraries, `course` what reacts to the
//! training, `average` which average of the weights is evaluated, `family` what
//! a search draws from.

mod average;
mod bound;
mod checks;
mod compat;
mod compose;
mod course;
mod cycles;
mod family;
mod field;
mod formula;
mod kinds;
mod parse;
mod reach;
mod refine;
mod shapes;
mod spec;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use average::Average;
pub use bound::{Bound, bound};
pub use compat::Library;
pub(crate) use course::{Course, parts, shared_steps};
pub(crate) use family::candidates;
pub(crate) use formula::{Binary, Expr, Formula, Less, Unary};
pub(crate) use kinds::{KeyInfo, KindInfo, MODIFIERS, kinds};
pub(crate) use reach::never_reached;
pub use spec::ScheduleSpec;
pub(crate) use value::{ParamValue, percent};

use crate::error::Problem;

/// A learning-rate schedule: a pure function of the step.
///
/// `step` counts optimizer updates from 0. No schedule holds state, so there
/// is nothing to checkpoint, reset or clone. Any closure is a schedule:
///
/// ```
/// use lrscout::Schedule;
///
/// let inverse_sqrt = |step: usize| 1e-3 / (1.0 + step as f64).sqrt();
/// assert_eq!(inverse_sqrt.lr(3), 5e-4);
/// ```
pub trait Schedule: Send + Sync {
    /// Learning rate of update `step`; finite and never negative.
    fn lr(&self, step: usize) -> f64;
}

impl<F: Fn(usize) -> f64 + Send + Sync> Schedule for F {
    fn lr(&self, step: usize) -> f64 {
        self(step)
    }
}

impl Schedule for Box<dyn Schedule> {
    fn lr(&self, step: usize) -> f64 {
        (**self).lr(step)
    }
}
