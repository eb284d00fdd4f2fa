//! Who computes what, so that two runners on one store do little twice.
//!
//! A claim is a file that exists, renewed and locked by its owner. It saves
//! work and no more: a result is right whether or not its cell was claimed,
//! and a claim whose owner is gone counts for nothing.
//!
//! The lock says at once that an owner on this machine is gone, however it
//! ended. It alone is not enough: some network file systems keep locks to one
//! machine or have none, so the owners of other machines are gone when they
//! no longer renew their claims.

use super::{Store, write};
use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::{Duration, Instant, SystemTime};

/// A claim that was not renewed for so long has no owner any more.
const EXPIRY: Duration = Duration::from_secs(120);

/// The same for one without its owner's name: who made it either writes that
/// at once or is gone.
const UNSIGNED: Duration = Duration::from_secs(2);

/// A cell that this process computes, until dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
    /// Locked for as long as it is open.
    file: File,
    /// Its text.
    owner: String,
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Where this process was taken for dead it is another one's by now.
        if fs::read_to_string(&self.path).is_ok_and(|text| text == self.owner) {
            // Best effort: it expires otherwise.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Claim {
    /// Says that its owner is still at work.
    pub(crate) fn renew(&self) {
        // Best effort: at worst another runner does the work, too.
        let _ = self.file.set_modified(SystemTime::now());
    }
}

/// A claim of another process, as it was when it was first seen so.
#[derive(Debug)]
pub(super) struct Sight {
    modified: SystemTime,
    seen: Instant,
}

impl Store {
    /// Claims the cell `id`; `None` if another process does it right now.
    ///
    /// # Errors
    ///
    /// If the claim can neither be made nor be read.
    pub(crate) fn claim(&self, id: &str) -> Result<Option<Claim>> {
        self.claim_at(id, Instant::now())
    }

    fn claim_at(&self, id: &str, now: Instant) -> Result<Option<Claim>> {
        let folder = self.root.join("claims");
        let path = folder.join(id);
        // The second time after a claim without an owner was removed.
        for _ in 0..2 {
            let made = write::patiently(|| {
                fs::create_dir_all(&folder)?;
                File::create_new(&path)
            });
            match made {
                Ok(mut file) => {
                    // Without lock or text it still holds until it expires.
                    // The text is last: it says that there is a lock.
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

    /// How long this process has seen the claim at `path` as it is. Clocks
    /// that were set back, or of other machines, have no say in that.
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

/// This process, among those of all machines that see the store. With the
/// time: in a container that starts anew, processes get the same numbers.
fn owner() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let nanos = now.unwrap_or_default().as_nanos();
    format!("{} {} {nanos}", host(), std::process::id())
}

fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname");
    name.unwrap_or_default().trim().to_owned()
}

/// Whether the owner that `text` names was a process of this machine and has
/// ended: nobody holds the lock of its file.
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
