//! The generated data sets.

use super::SetKind::{Regression, Signal};
use super::{Form, Set, Target, set};

pub(super) static SETS: &[Set] = &[
    set(
        Signal,
        "mnist1d",
        Form::Signal(1, 40),
        Target::Classes(10),
        [3500, 500, 1000],
    )
    .about("digits as signals"),
    set(
        Regression,
        "teacher-student",
        Form::Rows(32),
        Target::Values(1),
        [8000, 1000, 2000],
    )
    .about("a random net with one hidden layer")
    .like("smooth functions"),
    set(
        Regression,
        "power-law",
        Form::Rows(64),
        Target::Values(1),
        [4000, 1000, 1000],
    )
    .about("a linear function of features with a power-law spectrum"),
];
