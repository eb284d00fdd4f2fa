//! Provenance of results: program, machine, command. It is not part of an id.

/// Versions, machine, and the `facts` of the caller (command, device).
pub(crate) fn facts(facts: &[(&str, String)]) -> Vec<(String, String)> {
    let own = [
        ("lrscout", env!("CARGO_PKG_VERSION").to_owned()),
        ("os", std::env::consts::OS.to_owned()),
        ("architecture", std::env::consts::ARCH.to_owned()),
        ("cpu", cpu_model()),
        ("cores", cores().to_string()),
    ];
    let all = own.iter().chain(facts);
    all.map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

/// The lines of `environment.toml`. Values are written as JSON strings, which
/// are also TOML basic strings.
pub(crate) fn to_toml(facts: &[(String, String)]) -> String {
    let line = |(key, value): &(String, String)| {
        format!("{key} = {}\n", serde_json::Value::from(value.as_str()))
    };
    facts.iter().map(line).collect()
}

/// Cores that this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Resident memory of this process, in bytes; `None` if the system does not
/// report it.
pub(crate) fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    kibibytes(&status, "VmRSS:")
}

/// Memory that this process can still allocate, in bytes: the least of what
/// the machine, the control group and the address space allow. `None` if the
/// system does not report it.
pub(crate) fn available_bytes() -> Option<u64> {
    let machine = std::fs::read_to_string("/proc/meminfo").ok()?;
    let machine = kibibytes(&machine, "MemAvailable:")?;
    let number = |name: &str| -> Option<u64> {
        let path = format!("/sys/fs/cgroup/memory.{name}");
        std::fs::read_to_string(path).ok()?.trim().parse().ok()
    };
    let group = || Some(number("max")?.saturating_sub(number("current")?));
    let limits = [group(), addresses_left()].into_iter().flatten();
    Some(limits.fold(machine, u64::min))
}

/// Address space that is left under `ulimit -v`, in bytes; `None` without a
/// limit.
fn addresses_left() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let limit = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max address space"))?;
    let limit: u64 = limit.split_whitespace().next()?.parse().ok()?;
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    Some(limit.saturating_sub(kibibytes(&status, "VmSize:")?))
}

/// Whether this program ignores the end of its terminal, as under `nohup`;
/// `None` if the system does not report it.
pub(crate) fn ignores_hangups() -> Option<bool> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
    // The first bit is for the first signal, HUP.
    Some(mask & 1 == 1)
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(number * 1024)
}

fn cpu_model() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    info.lines()
        .find_map(|line| line.strip_prefix("model name"))
        .and_then(|rest| rest.split_once(':'))
        .map_or_else(|| "unknown".to_owned(), |(_, name)| name.trim().into())
}
