//! What trainings of a script cost and what they can show, in words.

use crate::stats::advantage::{Advantage, NOISE};

/// Seconds from which on the first start of a script is slow: its files may not
/// have been in memory yet.
pub(super) const SLOW_START: f64 = 5.0;

/// Where the score of a script comes from; `source` is who evaluates, if
/// anybody does.
pub(super) fn score(source: Option<&str>) -> String {
    match source {
        Some(source) => format!("its validation ({source})"),
        None => "its training loss, as it evaluates nothing after the last \
                 update"
            .to_owned(),
    }
}

/// A time in minutes or hours.
pub(super) fn minutes(seconds: f64) -> String {
    match seconds / 60.0 {
        some if some < 1.0 => "a minute".to_owned(),
        some if some < 120.0 => format!("{some:.0} minutes"),
        some => format!("{:.1} hours", some / 60.0),
    }
}

/// The smallest improvement that `seeds` seeds are likely to prove.
pub(super) fn shows(seeds: usize) -> String {
    format!(
        "it takes an improvement of {:.1} % to be stated with probability \
         0.95, if seeds scatter by {:.0} %",
        -100.0 * (-Advantage::needed(seeds)).exp_m1(),
        100.0 * NOISE,
    )
}

/// A time of an update.
pub(super) fn moment(seconds: f64) -> String {
    match seconds {
        some if some < 1e-3 => format!("{:.0} us", 1e6 * some),
        some if some < 1.0 => format!("{:.1} ms", 1e3 * some),
        some => format!("{some:.1} s"),
    }
}
