//! The Python package of the launcher: its sources are part of this program,
//! so that scripts can be launched without installing it.

use crate::error::{Error, Result};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// Name and text of every source file.
macro_rules! sources {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../python/lrscout/", $name)))),*]
    };
}

/// The sources of the package.
const SOURCES: &[(&str, &str)] = sources![
    "__init__.py"
    "around_torch.py"
    "client.py"
    "events.py"
    "for_keras.py"
    "for_lightning.py"
    "for_torch.py"
    "for_transformers.py"
    "guard.py"
    "imports.py"
    "launch.py"
    "randomness.py"
    "session.py"
];

/// A folder with the package, for `PYTHONPATH`. It is removed when dropped.
#[derive(Debug)]
pub(crate) struct Package(TempDir);

impl Package {
    /// Writes the package among the temporary files of the system.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn new() -> Result<Self> {
        let folder = super::task::temporary("lrscout-package-")?;
        let package = folder.path().join("lrscout");
        fs::create_dir(&package).map_err(Error::io(&package))?;
        for (name, text) in SOURCES {
            let path = package.join(name);
            fs::write(&path, text).map_err(Error::io(&path))?;
        }
        Ok(Self(folder))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_of_the_package_is_there() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/python/lrscout");
        let mut there: Vec<String> = fs::read_dir(root)
            .expect("the package")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|end| end == "py"))
            .filter_map(|path| path.file_name()?.to_str().map(str::to_owned))
            .collect();
        there.sort_unstable();
        let ours: Vec<&str> = SOURCES.iter().map(|(name, _)| *name).collect();
        assert_eq!(there, ours, "the list above lacks a file or has too many");
    }
}
