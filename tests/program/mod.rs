//! The program in a folder of its own.

use assert_cmd::Command;
use std::fs;
use std::path::Path;

/// `lrscout` in `folder`.
pub(crate) fn lrscout(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("lrscout").expect("the binary");
    command.current_dir(folder);
    command
}

/// A fresh folder with `grid.toml`.
pub(crate) fn folder_with(grid: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("grid.toml"), grid).expect("writable");
    folder
}
