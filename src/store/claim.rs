//! Claims: which process computes which cell, so that two runners on one
//! store do not compute the same result twice.
//!
//! A claim is a file that its owner locks and renews. Claims only save work:
//! results are correct without them, and a claim whose owner has ended is
//! ignored.
//!
//! The lock shows at once that an owner on this machine has ended, in
//! whatever way. It is not sufficient: on some network file systems, locks
//! hold on one machine only or not at all. The owner of a claim on another
//! machine counts as ended when it no longer renews the claim.

use super::{Store, write};
use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::{Duration, Instant, SystemTime};

/// A claim that was not renewed for this time has no owner any more.
const EXPIRY: Duration = Duration::from_secs(120);

/// The same for a claim without the name of its owner: the owner writes its
/// name at once, unless it has ended.
const UNSIGNED: Duration = Duration::from_secs(2);

/// A cell that this process computes, until dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
    /// Locked while it is open.
    file: File,
    /// The text of the file.
    owner: String,
}

impl Drop for Claim {
    fn drop(&mut self) {
        // If this process was taken for dead, another one may own the claim.
        if fs::read_to_string(&self.path).is_ok_and(|text| text == self.owner) {
            // Best effort: otherwise the claim expires.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Claim {
    /// Shows that the owner is still at work.
    pub(crate) fn renew(&self) {
        // Best effort: at worst another runner repeats the work.
        let _ = self.file.set_modified(SystemTime::now());
    }
}

/// A claim of another process, with the time when this state was first seen.
#[derive(Debug)]
pub(super) struct Sight {
    modified: SystemTime,
    seen: Instant,
}

impl Store {
    /// Claims the cell `id`; `None` if another process has a valid claim.
    ///
    /// # Errors
    ///
    /// If the claim can be neither created nor read.
    pub(crate) fn claim(&self, id: &str) -> Result<Option<Claim>> {
        self.claim_at(id, Instant::now())
    }

    fn claim_at(&self, id: &str, now: Instant) -> Result<Option<Claim>> {
        let folder = self.root.join("claims");
        let path = folder.join(id);
        // The second attempt follows the removal of a claim without owner.
        for _ in 0..2 {
            let made = write::patiently(|| {
                fs::create_dir_all(&folder)?;
                File::create_new(&path)
            });
            match made {
                Ok(mut file) => {
                    // A claim without lock or text holds until it expires.
                    // The text is written last: it implies the lock.
                    let owner = owner();
                    let _ = file.try_lock();
                    let _ = file.write_all(owner.as_bytes());
                    return Ok(Some(Claim { path, file, owner }));
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    if !self.is_orphan(&path, now) {
                        return Ok(None);
                    }
                    let _ = fs::remove_file(&path);
                }
                Err(error) => return Err(Error::io(&path)(error)),
            }
        }
        Ok(None)
    }

    /// Whether the claim at `path` has no owner any more.
    fn is_orphan(&self, path: &Path, now: Instant) -> bool {
        let text = fs::read_to_string(path).unwrap_or_default();
        let patience = if text.is_empty() { UNSIGNED } else { EXPIRY };
        let modified = fs::metadata(path).and_then(|file| file.modified());
        let silent = modified.is_ok_and(|modified| {
            let age = SystemTime::now().duration_since(modified);
            age.is_ok_and(|age| age > patience)
                || self.watched(path, modified, now) > patience
        });
        silent || is_of_the_dead(path, &text)
    }

    /// For how long this process has seen the claim at `path` unchanged. This
    /// does not depend on the clocks of other machines.
    fn watched(
        &self,
        path: &Path,
        modified: SystemTime,
        now: Instant,
    ) -> Duration {
        let mut sights =
            self.sights.lock().unwrap_or_else(PoisonError::into_inner);
        let sight = sights
            .entry(path.to_owned())
            .or_insert(Sight { modified, seen: now });
        if sight.modified != modified {
            *sight = Sight { modified, seen: now };
        }
        now.saturating_duration_since(sight.seen)
    }
}

/// A name for this process, unique among all machines that share the store.
/// It includes the time: process numbers repeat when a container restarts.
fn owner() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let nanos = now.unwrap_or_default().as_nanos();
    format!("{} {} {nanos}", host(), std::process::id())
}

fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname");
    name.unwrap_or_default().trim().to_owned()
}

/// Whether the owner named by `text` was a process of this machine and has
/// ended: the lock of its file is free.
fn is_of_the_dead(path: &Path, text: &str) -> bool {
    let host = host();
    !host.is_empty()
        && text.split(' ').next() == Some(&host)
        && File::options()
            .write(true)
            .open(path)
            .is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::super::tests::store;
    use super::*;

    #[test]
    fn a_claim_holds_until_it_is_dropped() {
        let (_folder, store) = store();
        let claim = store.claim("abcd").expect("writable");
        assert!(claim.is_some());
        assert!(store.claim("abcd").expect("writable").is_none());
        assert!(store.claim("efgh").expect("writable").is_some());
        drop(claim);
        assert!(store.claim("abcd").expect("writable").is_some());
    }

    fn put(path: &Path, owner: &str, modified: SystemTime) {
        fs::write(path, owner).expect("writable");
        let file = File::options().write(true).open(path);
        file.and_then(|f| f.set_modified(modified)).expect("settable");
    }

    #[test]
    fn claims_of_the_dead_and_the_silent_count_for_nothing() {
        let (folder, store) = store();
        let path = folder.path().join("store/claims/abcd");
        drop(store.claim("abcd").expect("writable"));
        let now = SystemTime::now();
        let dead = [
            // No process has this number.
            format!("{} 4194999 1", host()),
            // One has it again.
            format!("{} {} 1", host(), std::process::id()),
        ];
        for dead in &dead {
            put(&path, dead, now);
            if cfg!(target_os = "linux") {
                assert!(store.claim("abcd").expect("writable").is_some());
            }
        }
        put(&path, "elsewhere 1 1", now);
        assert!(store.claim("abcd").expect("writable").is_none());
        put(&path, "elsewhere 1 1", now - 2 * EXPIRY);
        assert!(store.claim("abcd").expect("writable").is_some());
        put(&path, "", now - 2 * UNSIGNED);
        assert!(store.claim("abcd").expect("writable").is_some());
    }

    #[test]
    fn a_claim_from_the_future_expires() {
        let (folder, store) = store();
        let path = folder.path().join("store/claims/abcd");
        drop(store.claim("abcd").expect("writable"));
        let next_year = SystemTime::now() + 3000 * EXPIRY;
        put(&path, "elsewhere 1 1", next_year);
        let now = Instant::now();
        let claim = |after| store.claim_at("abcd", now + after);
        assert!(claim(Duration::ZERO).expect("readable").is_none());
        assert!(claim(EXPIRY).expect("readable").is_none());
        // It is renewed: its owner is alive.
        put(&path, "elsewhere 1 1", next_year + EXPIRY);
        assert!(claim(EXPIRY * 3 / 2).expect("readable").is_none());
        assert!(claim(EXPIRY * 2).expect("readable").is_none());
        assert!(claim(EXPIRY * 3).expect("readable").is_some());
    }

    #[test]
    fn a_claim_that_is_another_ones_by_now_stays() {
        let (folder, store) = store();
        let path = folder.path().join("store/claims/abcd");
        let claim = store.claim("abcd").expect("writable");
        put(&path, "elsewhere 1 1", SystemTime::now());
        drop(claim);
        assert!(path.exists());
    }
}
