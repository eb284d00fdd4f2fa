//! The Python package: its own tests, where there is a Python. They need nothing
//! but its standard library; `make test-python` runs those with the frameworks.

use std::process::Command;

#[test]
fn the_python_package_passes_its_tests() {
    let version = "import sys; sys.exit(sys.version_info < (3, 8))";
    let python = Command::new("python3").args(["-c", version]).status();
    if !python.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no python3, or it is older than 3.8");
        return;
    }
    let run = Command::new("python3")
        .args(["-m", "unittest", "discover", "python/tests"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("started");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
}
