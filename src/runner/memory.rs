//! How many runs fit into memory.

use crate::store::environment::{available_bytes, resident_bytes};

/// What the program held before the runs began.
pub(super) struct Memory {
    before_bytes: Option<u64>,
}

impl Memory {
    /// As it is now.
    pub(super) fn now() -> Self {
        Self { before_bytes: resident_bytes() }
    }

    /// Whether one more beside `busy` runs would take more than half of what
    /// is left, by what these take now. Where the system does not tell, there
    /// is room.
    pub(super) fn is_short(&self, busy: usize) -> bool {
        let (Some(before), Some(now), Some(left)) =
            (self.before_bytes, resident_bytes(), available_bytes())
        else {
            return false;
        };
        now.saturating_sub(before) / busy.max(1) as u64 > left / 2
    }
}
