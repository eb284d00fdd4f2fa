//! Signals that stop the program.

use crate::error::{Error, Result};
use crate::store::environment;
use crate::train;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// How long runs in flight may take to see that they are to stop; what is
/// finished is safe at any instant.
const GRACE: Duration = Duration::from_secs(4);

/// Exit code of a program that was stopped.
const INTERRUPTED: i32 = 130;

/// How often a second signal is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// A flag that Ctrl-C, TERM or the end of the terminal sets (but not under
/// `nohup`); a second one of them ends this program at once, and the programs
/// that it started. So does the first one after a while, if an update takes
/// that long.
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
    // Whoever started this program may have had it ignored, and then the end
    // of no program could be waited for.
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
            // At once: runs that go on may be at anything.
            signal_hook::low_level::exit(INTERRUPTED);
        }
    });
    Ok(stop)
}
