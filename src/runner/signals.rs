//! Signals that stop the program.

use crate::error::{Error, Result};
use crate::store::environment;
use crate::train;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// How long runs in flight may take to notice that they must stop. Finished
/// results are safe at any time.
const GRACE: Duration = Duration::from_secs(4);

/// Exit code after an interruption.
const INTERRUPTED: i32 = 130;

/// Interval of the check for a second signal.
const LOOK: Duration = Duration::from_millis(20);

/// A flag that Ctrl-C, TERM or the end of the terminal sets (the latter not
/// under `nohup`). A second signal ends this program and its child programs at
/// once. So does the first one after a while, if a single update takes too
/// long.
///
/// # Errors
///
/// If the handlers cannot be installed.
pub(crate) fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    let wrong = |error: std::io::Error| Error::Invalid(error.to_string());
    let stop = Arc::new(AtomicBool::new(false));
    let mut all = vec![SIGINT, SIGTERM];
    if environment::ignores_hangups() == Some(false) {
        all.push(SIGHUP);
    }
    for &signal in &all {
        let stop = Arc::clone(&stop);
        signal_hook::flag::register(signal, stop).map_err(wrong)?;
    }
    // The parent process may have set it to be ignored. Then no child process
    // could be waited for.
    signal_hook::flag::register(SIGCHLD, Arc::default()).map_err(wrong)?;
    let mut signals = Signals::new(all).map_err(wrong)?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            let asked = Instant::now();
            while asked.elapsed() < GRACE && signals.pending().next().is_none()
            {
                std::thread::sleep(LOOK);
            }
            train::kill_programs();
            // At once, in whatever state the runs are.
            signal_hook::low_level::exit(INTERRUPTED);
        }
    });
    Ok(stop)
}
