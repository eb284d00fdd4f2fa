//! Atomic writing: a file is complete or absent, also after a crash.

use crate::error::Error;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;
use std::time::Duration;
use tempfile::{NamedTempFile, PersistError};

/// Waiting times before a temporary failure is tried again.
const PATIENCE: [Duration; 3] = [
    Duration::from_millis(20),
    Duration::from_millis(200),
    Duration::from_secs(1),
];

/// Suffix of the names of unfinished files.
const UNFINISHED: &str = ".tmp";

/// Writes `bytes` to `path` so that a crash at any instant leaves either the
/// old file or the new one. Creates the folder. Does not touch an equal file.
/// Tries again after temporary failures (an interrupted call, too many open
/// files).
///
/// # Errors
///
/// If the file cannot be written; the temporary file is then removed.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    patiently(|| attempt(path, bytes, &|file| file.persist(path)))
        .map_err(Error::io(path))
}

/// The same, unless the file already exists. Returns whether it was written.
/// An existing file is never replaced, even if it appeared a moment ago.
///
/// # Errors
///
/// If anything cannot be written; the temporary file is removed then.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<bool, Error> {
    let add = |file: NamedTempFile| match file.persist_noclobber(path) {
        Err(fault) if has_no_links(&fault.error) => fault.file.persist(path),
        added => added,
    };
    match patiently(|| attempt(path, bytes, &add)) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        written => written.map(|()| true).map_err(Error::io(path)),
    }
}

/// Whether the file system supports neither hard links nor renaming without
/// replacement.
fn has_no_links(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied)
}

/// Repeats an operation a few times while its failure may be temporary.
pub(super) fn patiently<T>(
    mut attempt: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    for wait in PATIENCE {
        match attempt() {
            Err(error) if may_pass(&error) => std::thread::sleep(wait),
            done => return done,
        }
    }
    attempt()
}

/// Writes `bytes` to a temporary file beside `path`, which `place` moves to
/// `path`. If this fails, the temporary file is removed.
fn attempt(
    path: &Path,
    bytes: &[u8],
    place: &dyn Fn(NamedTempFile) -> Result<File, PersistError>,
) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    at(Step::Folder)?;
    fs::create_dir_all(folder)?;
    at(Step::Create)?;
    let mut file = unfinished(folder)?;
    at(Step::Write)?;
    file.write_all(bytes)?;
    at(Step::Flush)?;
    file.as_file().sync_all()?;
    at(Step::Rename)?;
    place(file)?;
    at(Step::FlushFolder)?;
    File::open(folder)?.sync_all()
}

/// A new file in `folder`, removed when dropped. Its name is not the final
/// name with a suffix, because that may exceed the length limit of names.
pub(super) fn unfinished(folder: &Path) -> io::Result<NamedTempFile> {
    let mut new = tempfile::Builder::new();
    new.prefix(".").suffix(UNFINISHED);
    // The file mode follows the umask of the user.
    #[cfg(unix)]
    new.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    new.tempfile_in(folder)
}

/// Whether `path` has the name of an unfinished file.
pub(super) fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') && name.ends_with(UNFINISHED)
}

fn may_pass(error: &io::Error) -> bool {
    const TOO_MANY_OPEN_FILES: [i32; 2] = [23, 24];
    matches!(
        error.kind(),
        ErrorKind::Interrupted
            | ErrorKind::TimedOut
            | ErrorKind::WouldBlock
            | ErrorKind::ResourceBusy
            | ErrorKind::StaleNetworkFileHandle
    ) || (cfg!(unix)
        && error
            .raw_os_error()
            .is_some_and(|code| TOO_MANY_OPEN_FILES.contains(&code)))
}

/// The steps of a write.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Folder,
    Create,
    Write,
    Flush,
    Rename,
    FlushFolder,
}

/// A point at which a test can make a write fail.
#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "in tests it may fail")]
fn at(_: Step) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
use tests::at;

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::cell::Cell;

    const STEPS: [Step; 6] = [
        Step::Folder,
        Step::Create,
        Step::Write,
        Step::Flush,
        Step::Rename,
        Step::FlushFolder,
    ];

    thread_local! {
        static FAULT: Cell<Option<(Step, ErrorKind, u32)>> =
            const { Cell::new(None) };
    }

    /// Where a child process of a test ends at once, and what it writes.
    const ABORT: &str = "LRSCOUT_TEST_ABORT_AT";
    const PLACE: &str = "LRSCOUT_TEST_ABORT_PATH";

    pub(super) fn at(step: Step) -> io::Result<()> {
        if std::env::var(ABORT).is_ok_and(|at| at == format!("{step:?}")) {
            std::process::abort();
        }
        match FAULT.get() {
            Some((fault, kind, times)) if fault == step && times > 0 => {
                FAULT.set(Some((fault, kind, times - 1)));
                Err(io::Error::new(kind, format!("injected at {step:?}")))
            }
            _ => Ok(()),
        }
    }

    fn files(folder: &Path) -> Vec<String> {
        let Ok(entries) = fs::read_dir(folder) else { return vec![] };
        entries
            .map(|e| e.expect("an entry").file_name().display().to_string())
            .collect()
    }

    #[test]
    fn a_fault_at_any_step_leaves_the_old_file_or_the_new_one() {
        for step in STEPS {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let path = folder.path().join("deep/x.csv");
            for old in [None, Some(b"old")] {
                if let Some(old) = old {
                    write_atomically(&path, old).expect("writable");
                }
                FAULT.set(Some((step, ErrorKind::StorageFull, 1)));
                let error =
                    write_atomically(&path, b"new").expect_err("a fault");
                FAULT.set(None);
                let text = error.to_string();
                assert!(text.contains("x.csv"), "{text}");
                let there = fs::read(&path).ok();
                let old = old.map(|old| old.to_vec());
                let new = Some(b"new".to_vec());
                let renamed = step == Step::FlushFolder;
                assert_eq!(there, if renamed { new } else { old }, "{step:?}");
                let left = files(path.parent().expect("a folder"));
                let rest = left.iter().any(|name| name != "x.csv");
                assert!(!rest, "{step:?} leaves {left:?}");
                write_atomically(&path, b"new").expect("a later success");
                assert_eq!(fs::read(&path).expect("readable"), b"new");
                fs::remove_file(&path).expect("removable");
            }
        }
    }

    #[test]
    fn a_crash_at_any_step_leaves_the_old_file_or_the_new_one() {
        let Ok(path) = std::env::var(PLACE) else {
            for step in STEPS {
                crash_at(step);
            }
            return;
        };
        // The child: it ends in there.
        let _ = write_atomically(Path::new(&path), b"new");
        unreachable!("it was to crash");
    }

    fn crash_at(step: Step) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x.csv");
        let name = "a_crash_at_any_step_leaves_the_old_file_or_the_new_one";
        for old in [None, Some(b"old".to_vec())] {
            if let Some(old) = &old {
                write_atomically(&path, old).expect("writable");
            }
            let child = std::env::current_exe().expect("this test");
            let child = std::process::Command::new(child)
                .args(["--exact", &format!("store::write::tests::{name}")])
                .env(ABORT, format!("{step:?}"))
                .env(PLACE, &path)
                .output()
                .expect("starts");
            assert!(!child.status.success(), "{step:?}");
            let there = fs::read(&path).ok();
            let renamed = step == Step::FlushFolder;
            let new = Some(b"new".to_vec());
            assert_eq!(there, if renamed { new } else { old }, "{step:?}");
            write_atomically(&path, b"newer").expect("a later success");
            assert_eq!(fs::read(&path).expect("readable"), b"newer");
            fs::remove_file(&path).expect("removable");
        }
    }

    #[test]
    fn a_new_file_replaces_none() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x.json");
        assert!(write_new(&path, b"first").expect("writable"));
        assert!(!write_new(&path, b"second").expect("writable"));
        assert_eq!(fs::read(&path).expect("readable"), b"first");
        assert_eq!(files(folder.path()), ["x.json"]);
    }

    #[test]
    fn unfinished_files_have_names_of_their_own() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let taken: Vec<_> = (0..1000)
            .map(|_| unfinished(folder.path()).expect("writable"))
            .collect();
        let mut names: Vec<&Path> =
            taken.iter().map(NamedTempFile::path).collect();
        assert!(names.iter().all(|name| is_unfinished(name)));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 1000);
        write_atomically(&folder.path().join("x"), b"a").expect("writable");
        assert!(taken.iter().all(|file| file.path().exists()));
    }

    #[cfg(unix)]
    #[test]
    fn files_are_for_everybody_whom_the_mask_lets_read_them() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (ours, usual) = (folder.path().join("x"), folder.path().join("y"));
        write_atomically(&ours, b"a").expect("writable");
        fs::write(&usual, b"a").expect("writable");
        let mode =
            |path| fs::metadata(path).expect("there").permissions().mode();
        assert_eq!(mode(ours), mode(usual));
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (kind, times, passes) in [
            (ErrorKind::Interrupted, 2, true),
            (ErrorKind::PermissionDenied, 1, false),
        ] {
            let path = folder.path().join(format!("{kind:?}"));
            FAULT.set(Some((Step::Flush, kind, times)));
            assert_eq!(write_atomically(&path, b"x").is_ok(), passes);
            FAULT.set(None);
        }
    }

    #[test]
    fn an_unwritable_place_is_an_error_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let blocked = folder.path().join("file");
        fs::write(&blocked, "in the way").expect("writable");
        let error = write_atomically(&blocked.join("x.csv"), b"a")
            .expect_err("a file is no folder");
        assert!(error.to_string().contains("file"), "{error}");
    }

    #[test]
    fn an_equal_file_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x.csv");
        write_atomically(&path, b"a").expect("writable");
        let before = fs::metadata(&path).and_then(|m| m.modified());
        write_atomically(&path, b"a").expect("writable");
        let after = fs::metadata(&path).and_then(|m| m.modified());
        assert_eq!(before.ok(), after.ok());
    }

    #[test]
    fn a_name_as_long_as_names_can_be_is_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x".repeat(255));
        write_atomically(&path, b"a").expect("writable");
    }
}
