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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_until_a_run_takes_half_of_what_is_left() {
        let now = Memory::now();
        assert!(!now.is_short(1), "nothing was added");
        if let (Some(before), Some(left)) =
            (now.before_bytes, available_bytes())
        {
            assert!(before > 0 && left > 0);
            // As if all that it holds came with one run.
            let grown = Memory { before_bytes: Some(0) };
            assert_eq!(grown.is_short(1), before > left / 2);
        }
    }
}
