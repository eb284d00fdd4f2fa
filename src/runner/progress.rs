//! Progress and remaining time.

use super::Options;
use indicatif::{
    MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle,
};
use serde::Serialize;
use std::fmt;
use std::time::{Duration, Instant};

/// Seconds between two lines without a terminal.
const LINE_SECONDS: u64 = 15;

/// Largest number of worker lines on a terminal.
const MOST_LINES: usize = 16;

/// An event during the computation of a grid.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event<'a> {
    /// The computation of cells of one kind starts.
    Began { stage: &'a str, cells: usize },
    /// One of them is finished.
    Finished {
        stage: &'a str,
        id: &'a str,
        name: &'a str,
        done: usize,
        cells: usize,
        /// If it can be estimated.
        eta_seconds: Option<f64>,
    },
    /// One of them failed; the others continue.
    Failed { stage: &'a str, id: &'a str, name: &'a str, why: &'a str },
    /// Another message.
    Note { text: &'a str },
    /// All are finished, or the computation was stopped.
    Ended {
        stage: &'a str,
        computed: usize,
        failed: usize,
        cells: usize,
        seconds: f64,
    },
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Event::Began { stage, cells } => write!(f, "{stage}: {cells}"),
            Event::Finished {
                stage, name, done, cells, eta_seconds, ..
            } => {
                write!(f, "{stage} {done}/{cells}")?;
                if let Some(seconds) = eta_seconds {
                    write!(f, "  eta {}", clock(seconds))?;
                }
                write!(f, "  {name}")
            }
            Event::Failed { name, why, .. } => {
                write!(f, "failed: {name}: {why}")
            }
            Event::Note { text } => f.write_str(text),
            Event::Ended { stage, computed, failed, cells, seconds } => {
                let time = clock(seconds);
                write!(f, "{stage}: {computed} of {cells} computed in {time}")?;
                match failed {
                    0 => Ok(()),
                    _ => write!(f, ", {failed} failed"),
                }
            }
        }
    }
}

/// On a terminal a progress bar and a line for each worker; otherwise a line
/// at intervals.
pub(super) struct Progress<'a> {
    bars: MultiProgress,
    bar: ProgressBar,
    workers: Vec<ProgressBar>,
    options: &'a Options<'a>,
    stage: &'a str,
    began: Instant,
    last_line: Instant,
    total: f64,
    spent: f64,
    /// Estimated seconds left, and when they were estimated.
    eta: Option<(f64, Instant)>,
    cells: usize,
    done: usize,
    failed: usize,
}

impl<'a> Progress<'a> {
    /// A bar for `cells` cells of `stage` with cost `total`, in seconds if
    /// `timed`.
    pub(super) fn new(
        options: &'a Options<'a>,
        stage: &'a str,
        cells: usize,
        total: f64,
        timed: bool,
    ) -> Self {
        let target = if options.bars {
            ProgressDrawTarget::stderr_with_hz(4)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bars = MultiProgress::with_draw_target(target);
        let styled = |bar: ProgressBar, template: &str| {
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.with_style(style.progress_chars("=> "))
        };
        let bar = bars.add(styled(
            ProgressBar::new(cells as u64),
            "{prefix} [{bar:30}] {pos}/{len} {msg}",
        ));
        bar.set_prefix(stage.to_owned());
        let lines = options.jobs.min(cells).min(MOST_LINES);
        let workers = (0..lines)
            .map(|_| bars.add(styled(ProgressBar::no_length(), "  {msg}")))
            .collect();
        (options.tell)(&Event::Began { stage, cells });
        let now = Instant::now();
        let jobs = options.jobs.min(cells) as f64;
        let progress = Self {
            bars,
            bar,
            workers,
            options,
            stage,
            began: now,
            last_line: now,
            total,
            spent: 0.0,
            eta: timed.then_some((total / jobs, now)),
            cells,
            done: 0,
            failed: 0,
        };
        progress.wait();
        progress
    }

    /// A worker starts the cell `name`.
    pub(super) fn began(&self, worker: usize, name: &str) {
        if let Some(line) = self.workers.get(worker) {
            line.set_message(name.to_owned());
        }
    }

    /// A worker is idle.
    pub(super) fn rests(&self, worker: usize) {
        self.began(worker, "");
    }

    /// Updates the remaining time.
    pub(super) fn wait(&self) {
        if let Some((seconds, told)) = self.eta {
            let left = (seconds - told.elapsed().as_secs_f64()).max(0.0);
            self.bar.set_message(format!("eta {}", clock(left)));
        }
    }

    /// The remaining time, estimated from the time spent so far.
    fn foresee(&mut self) {
        let left = (self.total - self.spent).max(0.0);
        let seconds = self.began.elapsed().as_secs_f64() * left / self.spent;
        if seconds.is_finite() {
            self.eta = Some((seconds, Instant::now()));
        }
        self.wait();
    }

    /// One more cell is finished; `cost` is its share of the total.
    pub(super) fn advance(&mut self, cost: f64, id: &str, name: &str) {
        self.spent += cost;
        self.done += 1;
        self.foresee();
        self.bar.inc(1);
        let due = self.last_line.elapsed().as_secs() >= LINE_SECONDS;
        if self.options.every_cell || (due && self.bar.is_hidden()) {
            self.last_line = Instant::now();
            (self.options.tell)(&Event::Finished {
                stage: self.stage,
                id,
                name,
                done: self.done,
                cells: self.cells,
                eta_seconds: self.eta.map(|(seconds, _)| seconds),
            });
        }
    }

    /// A cell failed.
    pub(super) fn failed(
        &mut self,
        cost: f64,
        id: &str,
        name: &str,
        why: &str,
    ) {
        self.spent += cost;
        self.failed += 1;
        self.foresee();
        self.bar.inc(1);
        let stage = self.stage;
        self.bars.suspend(|| {
            (self.options.tell)(&Event::Failed { stage, id, name, why });
        });
    }

    /// Removes the bars and prints a summary.
    pub(super) fn finish(self, computed: usize) {
        // Each bar is cleared, because a dropped bar is drawn once more.
        self.workers.iter().for_each(ProgressBar::finish_and_clear);
        self.bar.finish_and_clear();
        (self.options.tell)(&Event::Ended {
            stage: self.stage,
            computed,
            failed: self.failed,
            cells: self.cells,
            seconds: self.began.elapsed().as_secs_f64(),
        });
    }
}

/// `1h02m`, `3m07s`, `12s`.
pub(crate) fn clock(seconds: f64) -> String {
    let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
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
            [(0.4, "0s"), (59.0, "59s"), (187.0, "3m07s"), (3720.0, "1h02m")]
        {
            assert_eq!(clock(seconds), text);
        }
    }
}
