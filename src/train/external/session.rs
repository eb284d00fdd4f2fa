//! The dialogue with a program, from its `hello` to its end.

use super::event::{self, Event};
use super::process::{Heard, Process};
use super::training::Next;
use super::{External, ProgramTask, fault, plain};
use crate::error::{Error, Result};
use crate::spec::ExternalSpec;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

/// How long a program may take to end after `done`.
const FAREWELL: Duration = Duration::from_secs(10);

const TWICE: &str = "sends `hello` twice: does a process that it starts run \
                     the whole script, too? Then its training has to stand \
                     under `if __name__ == \"__main__\":`";

impl External {
    /// Runs the program on `task`; `hear` receives each event between the
    /// first and the last.
    pub(super) fn drive(
        &self,
        task: &ProgramTask<'_>,
        stop: &dyn Fn() -> bool,
        hear: &mut dyn FnMut(Event) -> Result<Next>,
    ) -> Result<Spent> {
        let mut process =
            Process::start((self.launch)(task)?, task.interactive)?;
        let spent = self.listen(&mut process, stop, hear);
        process.end();
        let name = &self.name;
        spent.map_err(|error| match error {
            Error::Program { status, message } => {
                let last = process.last_words();
                let message = format!("`{name}`: {message}; {last}");
                Error::Program { status, message }
            }
            Error::TimedOut { limit, .. } => {
                let said = format!("; `{name}`: {}", process.last_words());
                Error::TimedOut { limit, said }
            }
            other => other,
        })
    }

    fn listen(
        &self,
        process: &mut Process,
        stop: &dyn Fn() -> bool,
        hear: &mut dyn FnMut(Event) -> Result<Next>,
    ) -> Result<Spent> {
        let started = Instant::now();
        let mut began = None;
        loop {
            if stop() {
                return Err(Error::Interrupted);
            }
            if started.elapsed() > self.timeout {
                let said = String::new();
                return Err(Error::TimedOut { limit: self.timeout, said });
            }
            let line = match process.hear()? {
                Heard::Event(line) => line,
                Heard::Nothing => continue,
                Heard::Ended(status) => return Err(ended_early(status)),
            };
            let event = event::parse(&line).map_err(|why| {
                fault(
                    "bad_event",
                    &format!("sent an invalid event: {why}: {line}"),
                )
            })?;
            if let Event::Error { status, message } = event {
                return Err(reported(&status, &message));
            }
            let Some(began) = began else {
                greeted(&event)?;
                began = Some(Instant::now());
                continue;
            };
            let spent = |whole| {
                let (time, notes) = (began.elapsed(), vec![]);
                Spent { time, whole, notes }
            };
            if let Event::Hello { .. } = event {
                return Err(fault("bad_event", TWICE));
            }
            if let Event::Done { notes } = event {
                let spent = Spent { notes, ..spent(true) };
                // The launcher ends a script wherever it is.
                if self.is_script {
                    return Ok(spent);
                }
                return farewell(process, stop).map(|()| spent);
            }
            match hear(event)? {
                Next::Go => {}
                Next::Tell(line) => process.tell(&line)?,
                Next::Enough => return Ok(spent(false)),
            }
        }
    }
}

/// The duration of a program.
pub(super) struct Spent {
    /// Time since `hello`.
    pub(super) time: Duration,
    /// Whether the program completed its task and was not ended early.
    pub(super) whole: bool,
    /// What its reader should know.
    pub(super) notes: Vec<String>,
}

/// A fault that the program reports itself.
fn reported(status: &str, message: &str) -> Error {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let status: String = status.chars().filter(|&c| is_word(c)).collect();
    let status = if status.is_empty() { "error".to_owned() } else { status };
    Error::Program { status: status.into(), message: plain(message) }
}

/// Checks that the first event is `hello` with the right protocol.
fn greeted(event: &Event) -> Result<()> {
    let ours = ExternalSpec::PROTOCOL;
    let message = match event {
        Event::Hello { protocol } if *protocol == ours => return Ok(()),
        Event::Hello { protocol } => {
            format!("uses protocol {protocol}, this lrscout uses {ours}")
        }
        _ => "its first event must be `hello`".to_owned(),
    };
    Err(fault("bad_event", &message))
}

/// Waits for the end of a program after `done`.
fn farewell(process: &mut Process, stop: &dyn Fn() -> bool) -> Result<()> {
    let done = Instant::now();
    while done.elapsed() < FAREWELL {
        if stop() {
            return Err(Error::Interrupted);
        }
        match process.hear()? {
            Heard::Ended(status) if status.success() => return Ok(()),
            Heard::Ended(status) => return Err(ended_early(status)),
            Heard::Event(line) if line.contains("\"hello\"") => {
                return Err(fault("bad_event", TWICE));
            }
            Heard::Event(line) => {
                let message = format!("sends an event after `done`: {line}");
                return Err(fault("bad_event", &message));
            }
            Heard::Nothing => {}
        }
    }
    let message = format!(
        "did not end within {} s after `done`: its own threads or \
         processes may keep it running",
        FAREWELL.as_secs()
    );
    Err(fault("no_exit", &message))
}

/// The error of a program that ended before `done`.
fn ended_early(status: ExitStatus) -> Error {
    match (status.code(), status.signal()) {
        (Some(0), _) => fault("no_done", "ended without the event `done`"),
        (Some(code), _) => {
            fault("exit_code", &format!("ended with exit code {code}"))
        }
        (None, Some(signal)) => {
            fault("killed", &format!("was killed by signal {signal}"))
        }
        (None, None) => fault("killed", "was killed"),
    }
}
