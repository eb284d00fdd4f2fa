//! What a results folder gives to an export: the recommended schedule, the
//! peak, the steps, and the place on the leaderboard.

use crate::error::{Error, Result};
use crate::grid::{Baseline, Outline};
use crate::ranking::{Protocol, Ranking, Runs};
use crate::results::rows::{FindRow, LeaderboardRow};
use crate::results::{Folder, Sheet};
use crate::schedule::ScheduleSpec;
use crate::text::listed;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

/// A folder of results.
pub(super) struct Results {
    folder: Folder,
    sheet: Sheet,
    runs: Vec<RunOf>,
    outline: Outline,
}

/// The same, ranked as `recommend` does.
pub(super) struct Ranked<'a> {
    results: &'a Results,
    ranking: Ranking,
    /// The multiple of the rate found that the ranking is at.
    multiple: Option<f64>,
}

/// The columns of `runs.csv` that say what was trained.
#[derive(Deserialize)]
struct RunOf {
    workload: String,
    schedule: String,
    #[serde(default)]
    budget: Option<usize>,
    #[serde(default)]
    lr_multiple: Option<f64>,
    #[serde(default)]
    peak_lr: Option<f64>,
}

impl Results {
    /// Reads the runs of `dir`.
    ///
    /// # Errors
    ///
    /// If it has none.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let folder = Folder::open(dir)?;
        let sheet = folder.runs()?;
        let runs = sheet.rows()?;
        let outline = folder.outline();
        Ok(Self { folder, sheet, runs, outline })
    }

    /// Ranks them.
    ///
    /// # Errors
    ///
    /// If they cannot be ranked.
    pub(super) fn ranked(&self) -> Result<Ranked<'_>> {
        let control = self.outline.control.clone();
        let protocol = Protocol { control, ..Protocol::default() };
        let runs = Runs::read(&self.sheet, None)?;
        let (ranking, multiple) = runs.leading(&protocol)?;
        Ok(Ranked { results: self, ranking, multiple })
    }

    /// The budget.
    ///
    /// # Errors
    ///
    /// If there is not exactly one.
    pub(super) fn steps(&self) -> Result<usize> {
        let budgets: BTreeSet<usize> =
            self.runs.iter().filter_map(|run| run.budget).collect();
        let texts: Vec<String> = budgets.iter().map(usize::to_string).collect();
        match (budgets.first(), budgets.len()) {
            (Some(one), 1) => Ok(*one),
            (Some(_), _) => Err(self.several("budgets", "`--steps`", &texts)),
            (None, _) => Err(Error::Invalid(format!(
                "the runs of {} have no `budget`: give `--steps`",
                self.folder.dir().display()
            ))),
        }
    }

    /// The workload `wanted`, or the only one.
    ///
    /// # Errors
    ///
    /// If it is not there, or there are several to choose from.
    pub(super) fn workload<'a>(
        &'a self,
        wanted: Option<&'a str>,
    ) -> Result<&'a str> {
        let names: BTreeSet<&str> =
            self.runs.iter().map(|run| run.workload.as_str()).collect();
        let all: Vec<String> =
            names.iter().map(|name| (*name).to_owned()).collect();
        match (wanted, names.first(), names.len()) {
            (Some(name), ..) if names.contains(name) => Ok(name),
            (Some(name), ..) => Err(Error::Invalid(format!(
                "{} has no workload `{name}`, it has {}",
                self.folder.dir().display(),
                listed(&all)
            ))),
            (None, Some(one), 1) => Ok(one),
            (None, ..) => Err(self.several(
                "workloads, each with a rate of its own",
                "`--workload`, or the rate with `--peak`",
                &all,
            )),
        }
    }

    /// That there are several of something, which `option` chooses from.
    fn several(&self, what: &str, option: &str, all: &[String]) -> Error {
        Error::Invalid(format!(
            "{} has several {what}: choose one with {option}, from {}",
            self.folder.dir().display(),
            listed(all)
        ))
    }
}

impl Ranked<'_> {
    /// The recommended schedule.
    ///
    /// # Errors
    ///
    /// If there is none, or the folder has only its name.
    pub(super) fn winner(&self) -> Result<ScheduleSpec> {
        let at = self.results.folder.dir().display();
        let board = self.ranking.leaderboard();
        let label = match (self.ranking.recommended(), board) {
            (Some(label), _) => label,
            (None, [one]) => &one.schedule,
            (None, _) => {
                return Err(Error::Invalid(format!(
                    "no schedule is recommended in {at}, for every run \
                     diverged: give a schedule and `--peak`"
                )));
            }
        };
        if label == Baseline::LABEL {
            return Err(Error::Invalid(format!(
                "nothing beats your own choice in {at}: keep it, or give the \
                 schedule, as in `lrscout export cosine --results {at}`"
            )));
        }
        let mut specs = self.results.outline.schedules.iter();
        specs.find(|spec| spec.label() == label).cloned().ok_or_else(|| {
            Error::Invalid(format!(
                "{at} recommends `{label}`, and has no `experiment.toml` that \
                 describes it: give the schedule, as in `lrscout export \
                 cosine --results {at}`"
            ))
        })
    }

    /// The peak at which the runs of a workload and a budget were trained.
    ///
    /// # Errors
    ///
    /// If the folder does not have exactly one.
    pub(super) fn peak(
        &self,
        spec: &ScheduleSpec,
        workload: &str,
        steps: usize,
    ) -> Result<f64> {
        let label = spec.label();
        let own = self.results.runs.iter().filter(|run| {
            run.workload == workload
                && run.schedule == label
                && run.budget == Some(steps)
                && (self.multiple.is_none() || run.lr_multiple == self.multiple)
        });
        // A run that failed has none.
        let own = own.filter_map(|run| run.peak_lr).filter(|&lr| lr > 0.0);
        let mut peaks: Vec<f64> = own.collect();
        if peaks.is_empty() {
            peaks = self.found(&label, workload, steps)?;
        }
        peaks.sort_by(f64::total_cmp);
        peaks.dedup();
        if let [one] = peaks[..] {
            return Ok(one);
        }
        let at = self.results.folder.dir().display();
        let texts: Vec<String> =
            peaks.iter().map(|peak| format!("{peak:?}")).collect();
        Err(Error::Invalid(if peaks.is_empty() {
            let budgets: BTreeSet<usize> =
                self.results.runs.iter().filter_map(|run| run.budget).collect();
            let budgets: Vec<String> =
                budgets.iter().map(usize::to_string).collect();
            format!(
                "{at} has no rate of `{workload}` for {steps} steps: give \
                 `--peak`{}",
                if budgets.is_empty() {
                    String::new()
                } else {
                    format!(", or take `--steps` from {}", listed(&budgets))
                }
            )
        } else {
            format!(
                "`{workload}` was trained with `{label}` at several rates in \
                 {at}: choose one with `--peak`, from {}",
                listed(&texts)
            )
        }))
    }

    /// The rates of `lr_find.csv` times the multiple of the ranking.
    fn found(
        &self,
        label: &str,
        workload: &str,
        steps: usize,
    ) -> Result<Vec<f64>> {
        let rows: Vec<FindRow> =
            self.results.folder.rows("lr_find")?.unwrap_or_default();
        let is_here = |row: &&FindRow| {
            let schedule = row.schedule.as_deref();
            row.workload == workload
                && row.budget == steps
                && schedule.is_none_or(|schedule| schedule == label)
        };
        let here: Vec<&FindRow> = rows.iter().filter(is_here).collect();
        // What is given beside a rate found is that of the baseline alone.
        let is_found = here.iter().any(|row| !row.is_given());
        let multiple = self.multiple.unwrap_or(1.0);
        Ok(here
            .into_iter()
            .filter(|row| !is_found || !row.is_given())
            .map(|row| row.lr * multiple)
            .collect())
    }

    /// What the leaderboard says of a schedule.
    ///
    /// # Errors
    ///
    /// If it is not on it.
    pub(super) fn evidence(&self, spec: &ScheduleSpec) -> Result<String> {
        let label = spec.label();
        let at = self.results.folder.dir().display();
        let board = self.ranking.leaderboard();
        let Some(row) = board.iter().find(|row| row.schedule == label) else {
            let labels: Vec<String> =
                board.iter().map(|row| row.schedule.clone()).collect();
            return Err(Error::Invalid(format!(
                "{at} has no schedule `{label}`, it has {}",
                labels.join(", ")
            )));
        };
        Ok(ranked(row, board.len(), &at.to_string()))
    }
}

/// What a leaderboard says.
fn ranked(row: &LeaderboardRow, of: usize, folder: &str) -> String {
    format!(
        "{} in {folder}: place {} of {of}, mean rank {:.2}, {} runs",
        row.verdict.name(),
        row.place,
        row.mean_rank,
        row.runs
    )
}
