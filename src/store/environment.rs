//! Where and by what a result was made; provenance, never part of an id.

use std::fmt::Write as _;

/// The lines of `environment.toml`: versions, machine, and `facts` of the
/// caller (the command, the device, the number of jobs).
///
/// Values are written as JSON strings, which are also TOML basic strings.
pub(crate) fn to_toml(facts: &[(&str, String)]) -> String {
    let own = [
        ("lrscout", env!("CARGO_PKG_VERSION").to_owned()),
        ("os", std::env::consts::OS.to_owned()),
        ("architecture", std::env::consts::ARCH.to_owned()),
        ("cpu", cpu_model()),
        ("cores", cores().to_string()),
    ];
    let mut text = String::new();
    for (key, value) in own.iter().chain(facts) {
        let value = serde_json::Value::from(value.as_str());
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{key} = {value}");
    }
    text
}

/// Cores that this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn cpu_model() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    info.lines()
        .find_map(|line| line.strip_prefix("model name"))
        .and_then(|rest| rest.split_once(':'))
        .map_or_else(|| "unknown".to_owned(), |(_, name)| name.trim().into())
}
