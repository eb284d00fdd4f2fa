//! How far it is and how long it will take.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// Seconds between two plain lines where there is no terminal.
const PLAIN_LINE_SECONDS: u64 = 15;

/// A bar on a terminal, a plain line now and then elsewhere.
pub(crate) struct Progress<'a> {
    bar: ProgressBar,
    say: &'a dyn Fn(&str),
    plain: bool,
    stage: String,
    began: Instant,
    last_line: Instant,
    total: f64,
    spent: f64,
    tasks: usize,
    finished: usize,
}

impl<'a> Progress<'a> {
    /// A stage of `tasks` tasks that cost `total` in some unit of their own;
    /// `say` prints a line to the user and is not called on a terminal.
    pub(crate) fn new(
        stage: &str,
        tasks: usize,
        total: f64,
        quiet: bool,
        say: &'a dyn Fn(&str),
    ) -> Self {
        let target = if quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr_with_hz(4)
        };
        let bar = ProgressBar::with_draw_target(Some(tasks as u64), target);
        let style = ProgressStyle::with_template(
            "{prefix} [{bar:30}] {pos}/{len} {msg}",
        )
        .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        bar.set_prefix(stage.to_owned());
        let now = Instant::now();
        Self {
            plain: bar.is_hidden() && !quiet,
            bar,
            say,
            stage: stage.to_owned(),
            began: now,
            last_line: now,
            total,
            spent: 0.0,
            tasks,
            finished: 0,
        }
    }

    /// One more task is done; it had the share `cost` of the total.
    pub(crate) fn advance(&mut self, cost: f64, what: &str) {
        self.spent += cost;
        self.finished += 1;
        let left = (self.total - self.spent).max(0.0);
        let eta = self.began.elapsed().as_secs_f64() * left
            / self.spent.max(f64::MIN_POSITIVE);
        let eta = Duration::try_from_secs_f64(eta).unwrap_or_default();
        self.bar.set_message(format!("eta {}  {what}", clock(eta)));
        self.bar.inc(1);
        let due = self.last_line.elapsed().as_secs() >= PLAIN_LINE_SECONDS;
        if self.plain && due {
            self.last_line = Instant::now();
            (self.say)(&format!(
                "{} {}/{}  eta {}  {what}",
                self.stage,
                self.finished,
                self.tasks,
                clock(eta)
            ));
        }
    }

    /// Shows `line` above the bar, or as a line of its own.
    pub(crate) fn note(&self, line: &str) {
        if self.bar.is_hidden() {
            (self.say)(line);
        } else {
            self.bar.println(line);
        }
    }

    /// Removes the bar; gives the wall time of the stage.
    pub(crate) fn finish(self) -> Duration {
        self.bar.finish_and_clear();
        self.began.elapsed()
    }
}

/// `1h02m`, `3m07s`, `12s`.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s:02}s"),
        (h, m, _) => format!("{h}h{m:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_like_a_clock() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (187, "3m07s"), (3720, "1h02m")]
        {
            assert_eq!(clock(Duration::from_secs(seconds)), text);
        }
    }
}
