//! Admission: how many runs fit into memory.

use super::workers::lock;
use crate::store::environment::{available_bytes, resident_bytes};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long other runs wait for a run with a slow first update.
const PATIENCE: Duration = Duration::from_secs(10);

/// The memory before the runs started, and how many of the running ones have
/// shown their memory use.
pub(super) struct Admission {
    before_bytes: Option<u64>,
    settled: AtomicUsize,
    /// When a run last started or settled.
    changed: Mutex<Instant>,
}

/// A running run, until dropped.
pub(super) struct Admitted<'a> {
    by: &'a Admission,
    settled: AtomicBool,
}

impl Admission {
    /// The state before any run.
    pub(super) fn now() -> Self {
        Self {
            before_bytes: resident_bytes(),
            settled: AtomicUsize::new(0),
            changed: Mutex::new(Instant::now()),
        }
    }

    /// Adds a run of unknown memory use.
    pub(super) fn admit(&self) -> Admitted<'_> {
        *lock(&self.changed) = Instant::now();
        Admitted { by: self, settled: AtomicBool::new(false) }
    }

    /// Whether one more run beside `busy` runs would take more than half of
    /// the free memory, estimated from the running ones. Their memory use is
    /// known after their first update. Until then, the number of new runs is
    /// at most the number of settled ones: one starts, then one, two, four. A
    /// run that hangs is not waited for. If the system does not report its
    /// memory, there is room.
    pub(super) fn is_short(&self, busy: usize) -> bool {
        self.is_short_at(busy, Instant::now())
    }

    fn is_short_at(&self, busy: usize, now: Instant) -> bool {
        let waited = now.saturating_duration_since(*lock(&self.changed));
        let (Some(before), Some(held), Some(left)) =
            (self.before_bytes, resident_bytes(), available_bytes())
        else {
            return false;
        };
        let settled = self.settled.load(Ordering::Relaxed).min(busy);
        let new = busy - settled;
        if new >= settled && waited < PATIENCE {
            return true;
        }
        let each = held.saturating_sub(before) / settled.max(1) as u64;
        each.saturating_mul(new as u64 + 1) > left / 2
    }
}

impl Admitted<'_> {
    /// Marks its memory use as known; returns whether it was unknown before.
    pub(super) fn settle(&self) -> bool {
        let news = !self.settled.swap(true, Ordering::Relaxed);
        if news {
            *lock(&self.by.changed) = Instant::now();
            self.by.settled.fetch_add(1, Ordering::Relaxed);
        }
        news
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if *self.settled.get_mut() {
            self.by.settled.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_until_a_run_takes_half_of_what_is_left() {
        let now = Admission::now();
        let admitted = now.admit();
        admitted.settle();
        assert!(!now.is_short(1), "nothing was added");
        if let (Some(before), Some(left)) =
            (now.before_bytes, available_bytes())
        {
            assert!(before > 0 && left > 0);
            // As if all that it holds came with one run.
            let grown = Admission { before_bytes: Some(0), ..Admission::now() };
            let admitted = grown.admit();
            admitted.settle();
            assert_eq!(grown.is_short(1), before > left / 2);
        }
    }

    #[test]
    fn runs_of_unknown_size_wait_for_each_other() {
        let admission = Admission::now();
        if admission.before_bytes.is_none() || available_bytes().is_none() {
            return;
        }
        let first = admission.admit();
        assert!(admission.is_short(1), "the first shows what a run takes");
        let later = Instant::now() + PATIENCE;
        assert!(!admission.is_short_at(1, later), "but not for ever");
        assert!(first.settle() && !first.settle());
        assert!(!admission.is_short(1));
        assert!(admission.is_short(2), "the second is new");
        let second = admission.admit();
        second.settle();
        assert!(!admission.is_short(2) && !admission.is_short(3));
        assert!(admission.is_short(4));
        drop(first);
        assert!(admission.is_short(2), "one that has ended vouches for none");
    }
}
