//! Averages of the weights along a training: its run is evaluated at one.

use super::spec::ScheduleSpec;

/// An average of the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Average {
    /// Of the schedule-free form of an optimizer, which keeps it itself.
    ///
    /// Source: Defazio et al., *The Road Less Scheduled* (2024).
    ScheduleFree,
}

impl ScheduleSpec {
    /// The average that a run of `steps` updates is evaluated at; `None` for
    /// its last weights.
    pub(super) fn average(&self, _steps: usize) -> Option<Average> {
        self.is_schedule_free().then_some(Average::ScheduleFree)
    }
}
