//! A running program: its output lines and its end.
//!
//! The program leads its own process group, so that its child processes end
//! with it. Those of torchrun have groups of their own: they are found by their
//! task. Its pipes are polled without a thread, so a program that floods,
//! hangs or closes them uses little memory and blocks nothing.

use super::{Launched, Workers, fault, plain};
use crate::error::Result;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group,
    waitid,
};
use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a caller waits for output.
const BEAT: Duration = Duration::from_millis(50);

/// How long a program may take to end after TERM.
const GRACE: Duration = Duration::from_secs(2);

/// Bytes read at once.
const CHUNK: usize = 1 << 16;

/// Longest line, in bytes; the rest of a longer one is dropped.
const LONGEST_LINE: usize = 1 << 20;

/// Largest output besides events, in bytes; beyond it a program is ended.
const FLOOD: usize = 1 << 28;

/// Last lines of the output that are kept for messages.
const LAST_LINES: usize = 12;

/// How often, and how far apart, the processes of a task are killed until none
/// is left: one may have started another meanwhile.
const KILLS: usize = 200;
const BETWEEN_KILLS: Duration = Duration::from_millis(5);

/// Process groups of the running programs. Before this program exits at once,
/// it must end them.
static GROUPS: Mutex<BTreeMap<i32, Workers>> = Mutex::new(BTreeMap::new());

/// A running program. It is ended when dropped.
pub(super) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: Option<ChildStdout>,
    errors: Option<ChildStderr>,
    /// The incomplete last line of standard output and of standard error.
    open: [Vec<u8>; 2],
    events: VecDeque<String>,
    log: Log,
    chunk: Vec<u8>,
    /// When the end of the program was noticed.
    ended: Option<Instant>,
    over: bool,
    workers: Workers,
    /// Kept until the program has ended.
    _holds: Box<dyn Send>,
}

/// News from a program.
pub(super) enum Heard {
    /// An event.
    Event(String),
    /// Nothing for the moment.
    Nothing,
    /// The program has ended, and all its output was read.
    Ended(std::process::ExitStatus),
}

/// The last output besides events.
#[derive(Default)]
struct Log {
    last: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Process {
    /// Starts the program; with `interactive` it can be [told](Self::tell)
    /// new rates.
    pub(super) fn start(launched: Launched, interactive: bool) -> Result<Self> {
        let Launched { mut command, workers, holds } = launched;
        let program = command.get_program().to_string_lossy().into_owned();
        let stdin = if interactive { Stdio::piped() } else { Stdio::null() };
        let mut child = command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| {
                fault("not_started", &format!("`{program}`: {error}"))
            })?;
        let group = Pid::from_child(&child).as_raw_pid();
        groups().insert(group, Arc::clone(&workers));
        Ok(Self {
            input: child.stdin.take(),
            output: child.stdout.take(),
            errors: child.stderr.take(),
            child,
            open: [vec![], vec![]],
            events: VecDeque::new(),
            log: Log::default(),
            chunk: vec![0; CHUNK],
            ended: None,
            over: false,
            workers,
            _holds: holds,
        })
    }

    /// The next news; `Heard::Nothing` after a short time without output.
    ///
    /// # Errors
    ///
    /// If the program floods its output.
    pub(super) fn hear(&mut self) -> Result<Heard> {
        // Checked before the pipes are read: they hold the last output then.
        let has_ended = self.has_ended();
        if has_ended {
            self.ended.get_or_insert_with(Instant::now);
        }
        // Processes that it left behind may write for a limited time.
        let late = self.ended.is_some_and(|ended| ended.elapsed() > GRACE);
        if late {
            self.signal(Signal::KILL);
        }
        if self.events.is_empty() {
            let patience = if has_ended { Duration::ZERO } else { BEAT };
            let silent = !self.read(patience);
            if has_ended && silent {
                // A last line without a line break.
                (0..2).for_each(|i| self.line(i));
                if self.events.is_empty() {
                    return self.reap().map(Heard::Ended);
                }
            }
        }
        if self.log.bytes > FLOOD {
            let message = format!(
                "wrote more than {} MB that are not events",
                FLOOD >> 20
            );
            return Err(fault("flood", &message));
        }
        Ok(self.events.pop_front().map_or(Heard::Nothing, Heard::Event))
    }

    /// Sends the program a line.
    ///
    /// # Errors
    ///
    /// If the program does not read its input.
    pub(super) fn tell(&mut self, line: &str) -> Result<()> {
        let Some(input) = &mut self.input else { return Ok(()) };
        let mut writable = [PollFd::new(&*input, PollFlags::OUT)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        if poll(&mut writable, Some(&now)) == Ok(0) {
            let message = "does not read the answers to its `eval` lines";
            return Err(fault("bad_event", message));
        }
        // Short enough to be written whole. If the program has ended, its exit
        // status is reported instead.
        let _ = writeln!(input, "{line}");
        Ok(())
    }

    /// The last output besides events, for a message.
    pub(super) fn last_words(&self) -> String {
        let mut lines = self.log.lines();
        // What the launcher has said is the message itself.
        lines.retain(|line| !line.starts_with("lrscout: "));
        if lines.is_empty() {
            return "it wrote no other output".to_owned();
        }
        format!("its last output: {}", lines.join(" | "))
    }

    /// Ends the program and its child processes: first TERM, then KILL.
    pub(super) fn end(&mut self) {
        if self.over {
            return;
        }
        self.signal(Signal::TERM);
        let asked = Instant::now();
        while !self.has_ended() && asked.elapsed() < GRACE {
            // A program that waits for a reader cannot end.
            self.read(Duration::from_millis(5));
            self.events.clear();
        }
        // Nothing more can be done where this fails.
        let _ = self.reap();
    }

    /// Reads its exit status and ends the processes that it left behind.
    fn reap(&mut self) -> Result<std::process::ExitStatus> {
        // Before the process number can be reused.
        self.signal(Signal::KILL);
        groups().remove(&Pid::from_child(&self.child).as_raw_pid());
        self.over = true;
        let status = self.child.wait().map_err(|error| {
            fault("killed", &format!("its exit status is unknown: {error}"))
        });
        kill_all(&self.workers);
        status
    }

    fn signal(&self, signal: Signal) {
        // An error means that the group has ended.
        let _ = kill_process_group(Pid::from_child(&self.child), signal);
    }

    /// Whether the program has ended. Its number is not reused until it is
    /// reaped.
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED
            | WaitIdOptions::NOHANG
            | WaitIdOptions::NOWAIT;
        let who = WaitId::Pid(Pid::from_child(&self.child));
        // An error means that there is no such process.
        !matches!(waitid(who, options), Ok(None))
    }

    /// Reads available output, and waits for it at most `patience`. Returns
    /// whether there was any.
    fn read(&mut self, patience: Duration) -> bool {
        let ready = |waiting: &PollFd<'_>| !waiting.revents().is_empty();
        let (mut output, mut errors) = (false, false);
        {
            let mut pipes = vec![];
            if let Some(pipe) = &self.output {
                pipes.push(PollFd::new(pipe, PollFlags::IN));
            }
            if let Some(pipe) = &self.errors {
                pipes.push(PollFd::new(pipe, PollFlags::IN));
            }
            let nanoseconds = i64::from(patience.subsec_nanos());
            let patience = Timespec { tv_sec: 0, tv_nsec: nanoseconds };
            if poll(&mut pipes, Some(&patience)).is_ok() {
                let mut pipes = pipes.iter();
                output =
                    self.output.is_some() && pipes.next().is_some_and(ready);
                errors = pipes.next().is_some_and(ready);
            }
        }
        let mut chunk = std::mem::take(&mut self.chunk);
        if output {
            let count = read_from(&mut self.output, &mut chunk);
            self.take(0, &chunk[..count]);
        }
        if errors {
            let count = read_from(&mut self.errors, &mut chunk);
            self.take(1, &chunk[..count]);
        }
        self.chunk = chunk;
        output || errors
    }

    /// Takes bytes of standard output (0) or standard error (1).
    fn take(&mut self, pipe: usize, bytes: &[u8]) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let room = LONGEST_LINE.saturating_sub(self.open[pipe].len());
            let kept = part.len().min(room);
            self.log.bytes += part.len() - kept;
            self.open[pipe].extend(&part[..kept]);
            if part.ends_with(b"\n") {
                self.line(pipe);
            }
        }
    }

    /// Completes the current line.
    fn line(&mut self, pipe: usize) {
        let line = std::mem::take(&mut self.open[pipe]);
        if pipe == 0 && line.trim_ascii_start().starts_with(b"{") {
            let text = String::from_utf8_lossy(&line);
            if text.contains("\"event\"") {
                self.events.push_back(text.trim().to_owned());
                return;
            }
        }
        self.log.push(line);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

impl Log {
    fn push(&mut self, line: Vec<u8>) {
        self.bytes += line.len();
        // Lines of marks in a traceback carry no information.
        if !line.iter().all(|byte| b"^~ \t\r\n".contains(byte)) {
            self.last.push_back(line);
        }
        if self.last.len() > LAST_LINES {
            self.last.pop_front();
        }
    }

    fn lines(&self) -> Vec<String> {
        let shown = |line: &Vec<u8>| {
            let line = String::from_utf8_lossy(line);
            // A progress bar overwrites its line: only the last state is kept.
            let line = line.trim_end().rsplit('\r').next().unwrap_or_default();
            plain(line).trim().to_owned()
        };
        self.last.iter().map(shown).collect()
    }
}

/// Reads once, and closes a pipe that is at its end.
fn read_from<R: Read>(pipe: &mut Option<R>, chunk: &mut [u8]) -> usize {
    match pipe.as_mut().map_or(Ok(0), |pipe| pipe.read(chunk)) {
        // A signal came; the next call reads again.
        Err(error) if error.kind() == ErrorKind::Interrupted => 0,
        Ok(0) | Err(_) => {
            *pipe = None;
            0
        }
        Ok(count) => count,
    }
}

/// Kills `workers` until there are none.
fn kill_all(workers: &Workers) {
    for _ in 0..KILLS {
        let left = workers();
        if left.is_empty() {
            return;
        }
        for worker in left.into_iter().filter_map(Pid::from_raw) {
            // An error means that it has ended.
            let _ = kill_process(worker, Signal::KILL);
        }
        std::thread::sleep(BETWEEN_KILLS);
    }
}

fn groups() -> MutexGuard<'static, BTreeMap<i32, Workers>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends all running programs and their child processes at once, before this
/// program exits.
pub(crate) fn kill_programs() {
    for (&group, workers) in &*groups() {
        if let Some(group) = Pid::from_raw(group) {
            // An error means that the group has ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
        kill_all(workers);
    }
}
