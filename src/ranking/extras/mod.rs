//! What stands beside a ranking: none of it decides a verdict.

pub(crate) mod calibration;
pub(crate) mod change;
pub(crate) mod robust;
pub(crate) mod shortlist;
pub(super) mod theory;
pub(super) mod tuned;
