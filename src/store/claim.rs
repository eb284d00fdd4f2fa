//! Who computes what, so that two runners on one store do little twice.
//!
//! A claim is a file that exists. It saves work and no more: a result is
//! right whether or not its cell was claimed, and a claim whose owner is gone
//! counts for nothing.

use super::Store;
use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A claim that was not renewed for so long has no owner any more.
const EXPIRY: Duration = Duration::from_secs(120);

/// A cell that this process computes, until dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Best effort: it expires otherwise.
        let _ = fs::remove_file(&self.path);
    }
}

impl Claim {
    /// Says that its owner is still at work.
    pub(crate) fn renew(&self) {
        // Best effort: at worst another runner does the work, too.
        let _ = File::options()
            .write(true)
            .open(&self.path)
            .and_then(|file| file.set_modified(SystemTime::now()));
    }
}

impl Store {
    /// Claims the cell `id`; `None` if another process does it right now.
    ///
    /// # Errors
    ///
    /// If the claim can neither be made nor be read.
    pub(crate) fn claim(&self, id: &str) -> Result<Option<Claim>> {
        let folder = self.root.join("claims");
        let path = folder.join(id);
        // The second time after a claim without an owner was removed.
        for _ in 0..2 {
            fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
            match File::create_new(&path) {
                Ok(mut file) => {
                    // Unreadable, it still holds until it expires.
                    let _ = file.write_all(owner().as_bytes());
                    return Ok(Some(Claim { path }));
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    if !is_orphan(&path) {
                        return Ok(None);
                    }
                    let _ = fs::remove_file(&path);
                }
                Err(error) => return Err(Error::io(&path)(error)),
            }
        }
        Ok(None)
    }
}

/// This process, among those of all machines that see the store.
fn owner() -> String {
    format!("{} {}", host(), std::process::id())
}

fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname");
    name.unwrap_or_default().trim().to_owned()
}

fn is_orphan(path: &Path) -> bool {
    let age = fs::metadata(path)
        .and_then(|file| file.modified())
        .map(|time| SystemTime::now().duration_since(time).unwrap_or_default());
    if age.is_ok_and(|age| age > EXPIRY) {
        return true;
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    match text.rsplit_once(' ') {
        Some((name, pid)) => {
            Path::new("/proc/self").exists()
                && name == host()
                && !Path::new("/proc").join(pid).exists()
        }
        None => false,
    }
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

    #[test]
    fn claims_of_the_dead_and_the_silent_count_for_nothing() {
        let (folder, store) = store();
        let path = folder.path().join("store/claims/abcd");
        drop(store.claim("abcd").expect("writable"));
        // No process has this number.
        let dead = format!("{} 4194999", host());
        fs::write(&path, dead).expect("writable");
        if cfg!(target_os = "linux") {
            assert!(store.claim("abcd").expect("writable").is_some());
        }
        fs::write(&path, "elsewhere 1").expect("writable");
        assert!(store.claim("abcd").expect("writable").is_none());
        let long_ago = SystemTime::now() - 2 * EXPIRY;
        let file = File::options().write(true).open(&path);
        file.and_then(|f| f.set_modified(long_ago)).expect("settable");
        assert!(store.claim("abcd").expect("writable").is_some());
    }
}
