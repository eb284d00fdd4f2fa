//! A training script given as a command: recorded, then an experiment.

use crate::cli::forecast;
use crate::error::{Error, Result};
use crate::grid::{
    Baseline, DeviceSpec, Experiment, LrFindPer, LrFindSpec, WorkloadEntry,
    fingerprint,
};
use crate::learner::{Budget, Limits};
use crate::results::Folder;
use crate::results::rows::{CycledRow, FactorRow};
use crate::runner::{self, Event, Options};
use crate::schedule::ScheduleSpec;
use crate::spec::{ExternalSpec, ScriptFolder, TrainerSpec, is_python};
use crate::store::Store;
use crate::text::count;
use crate::train::{Outlook, Recording};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// Most that the recorded start may take.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Times the recorded start that a training may take, as several run at once,
/// and a while for its start.
const SLOWER: u32 = 10;
const START: Duration = Duration::from_secs(120);

/// The table of the script's own rates.
const BASELINE: &str = "baseline.csv";

/// A training script that a command starts.
pub(super) struct Script {
    name: String,
    spec: ExternalSpec,
}

impl Script {
    /// The script that `command` starts in `base`.
    ///
    /// # Errors
    ///
    /// If an argument needs what is not known before the first start.
    pub(super) fn new(command: &[String], base: &Path) -> Result<Self> {
        let unknown = |word: &&String| word.contains("{lr}");
        if let Some(word) = command.iter().find(unknown) {
            return Err(Error::Invalid(format!(
                "`{word}`: the first start records the script's own rate, so \
                 `{{lr}}` is not known then: leave it out, or use a grid"
            )));
        }
        let spec = ExternalSpec {
            command: command.to_vec(),
            script: Some(ScriptFolder::Own),
            fingerprint: fingerprint(base, command),
            timeout: PATIENCE,
            model: None,
            dataset: None,
            optimizer: None,
            batch: None,
            metric: None,
        };
        Ok(Self { name: name(command), spec })
    }

    /// What it does by itself, and whether the time of the choice was told
    /// during this. Before anything starts, says what will.
    ///
    /// # Errors
    ///
    /// As [`runner::recording`].
    pub(super) fn record<'a>(
        &self,
        means: Means,
        store: &Store,
        options: &dyn Fn(HashSet<String>) -> Options<'a>,
    ) -> Result<(Recording, bool)> {
        let options = options(HashSet::new());
        let schedules = Budget::steps(20).into_schedules().len() + 1;
        let text = format!(
            "{}: {}\n{}\n{}: one undisturbed start, to record its rates \
             (kept in the results)",
            self.name,
            self.spec.command.join(" "),
            self.plan(schedules, means),
            self.name
        );
        (options.tell)(&Event::Note { text: &text });
        let base = Path::new("");
        let mut told = false;
        let mut hear = |outlook: &Outlook| {
            if !told {
                told = outlook.updates.is_some();
                let text = self.forecast(outlook, means);
                (options.tell)(&Event::Note { text: &text });
            }
        };
        let recorded = runner::recording(
            &self.name,
            &self.spec,
            base,
            means.steps,
            store,
            &options,
            &mut hear,
        );
        let recorded = recorded.map_err(|error| options.explained(error))?;
        Ok((recorded, told))
    }

    /// The schedules and the baseline, with `seeds` seeds.
    ///
    /// # Errors
    ///
    /// If the script has no rate.
    pub(super) fn experiment(
        &self,
        recording: &Recording,
        Means { seeds, limits, .. }: Means,
    ) -> Result<Experiment> {
        let steps = recording.rates.len();
        let peak = recording.rates.iter().copied().fold(0.0, f64::max);
        if peak <= 0.0 {
            return Err(Error::Invalid(format!(
                "`{}`: all its rates are 0",
                self.name
            )));
        }
        if steps < 10 {
            return Err(Error::Invalid(format!(
                "`{}` makes {}, too few to compare schedules: let it train \
                 for at least 10",
                self.name,
                count(steps, "update", "updates")
            )));
        }
        let own = own_rates(&recording.schedule(peak), steps)?;
        let mut schedules = Budget::steps(steps).into_schedules();
        schedules.push(own.clone());
        let timeout =
            Duration::try_from_secs_f64(recording.seconds).unwrap_or(PATIENCE);
        let spec = ExternalSpec {
            timeout: timeout.saturating_mul(SLOWER).saturating_add(START),
            ..self.spec.clone()
        };
        let finder = limits.finder();
        let few = finder.is_some_and(|trainings| trainings < 5.0);
        Ok(Experiment {
            name: format!("auto-{}", self.name),
            title: Some(self.spec.command.join(" ")),
            seeds: (0..seeds as u64).collect(),
            jobs: None,
            budgets: vec![steps],
            lr_multiples: vec![1.0],
            control: own.label(),
            race: false,
            device: DeviceSpec::default(),
            lr_find: LrFindSpec {
                per: LrFindPer::Budget,
                trainings: finder.unwrap_or(1.0),
                seeds: few.then_some(1),
                fallback: Some(peak),
                ..LrFindSpec::default()
            },
            workloads: vec![WorkloadEntry {
                at: 0,
                name: self.name.clone(),
                spec: TrainerSpec::External(spec),
                cluster: self.name.clone(),
                lr: finder.is_none().then_some(peak),
                baseline: None,
            }],
            baseline: Some((own.label(), peak)),
            schedules,
            text: String::new(),
        })
    }

    /// What the script does, and how long the choice takes, once it is
    /// recorded; the latter only if it was not `told` yet.
    pub(super) fn cost(
        &self,
        recording: &Recording,
        experiment: &Experiment,
        means: Means,
        told: bool,
    ) -> String {
        let rates = &recording.rates;
        let peak = rates.iter().copied().fold(0.0, f64::max);
        let last = rates.last().copied().unwrap_or(0.0);
        let seconds = recording.seconds;
        let source = recording.valid.and(recording.source.as_deref());
        let schedules = experiment.schedules.len();
        let mut text = format!(
            "{}: {} updates in {seconds:.1} s, peak rate {peak:.3e}, last \
             {last:.3e}; the score is {}",
            self.name,
            rates.len(),
            forecast::score(source),
        );
        if !told {
            let start = (seconds - recording.train_seconds).max(0.0);
            let time = time(seconds, start, schedules, means);
            let _ = write!(text, "; {time}");
        }
        for note in &recording.notes {
            let _ = write!(text, "\n{}: note: {note}", self.name);
        }
        text
    }

    /// The same after the first updates of the recorded start.
    fn forecast(&self, outlook: &Outlook, means: Means) -> String {
        let Outlook { pace, updates, evaluates, scheduled, .. } = outlook;
        let most = means.steps.unwrap_or(usize::MAX);
        let updates = updates.map(|updates| updates.min(most)).or(means.steps);
        let seconds = updates.map(|updates| pace.seconds(updates));
        let length = match (updates, seconds) {
            (Some(updates), Some(seconds)) => format!(
                "{updates} updates, so about {} a training",
                forecast::minutes(seconds)
            ),
            _ => "how many updates it makes, and so the time, is known at its \
                  end"
            .to_owned(),
        };
        let own = if *scheduled {
            "its scheduler, which is overruled afterwards"
        } else {
            "its own rate"
        };
        let schedules = Budget::steps(20).into_schedules().len() + 1;
        let time = seconds
            .map(|seconds| time(seconds, pace.start_seconds, schedules, means));
        format!(
            "{}: {:.1} s to start, {} an update under {own}; {length}; the \
             score is {}{}",
            self.name,
            pace.start_seconds,
            forecast::moment(pace.step_seconds),
            forecast::score(evaluates.as_deref()),
            time.map(|time| format!("; {time}")).unwrap_or_default(),
        )
    }

    /// Trainings and what they can show: what is known before any start.
    fn plan(
        &self,
        schedules: usize,
        Means { limits, seeds, most_time, .. }: Means,
    ) -> String {
        let limits = Limits { used: 1, ..limits };
        let (schedules, seeds) = limits.outlook(schedules, seeds);
        let finder = match limits.finder() {
            Some(_) => {
                format!("about {} for the rate", limits.finder_starts())
            }
            None => "none for the rate, which is yours".to_owned(),
        };
        let all = 1 + limits.finder_starts() + schedules * seeds;
        let most = match limits.most {
            Some(most) => format!("at most {most}"),
            None => format!("about {all}"),
        };
        let most_time = most_time.map(|time| {
            let time = forecast::minutes(time.as_secs_f64());
            format!("; it stops after {time}")
        });
        let seeds_in_words = count(seeds, "seed", "seeds");
        format!(
            "{}: {most} trainings: the recorded one, {finder}, {} x \
             {seeds_in_words}{}\n{}: with {seeds_in_words}, {}",
            self.name,
            count(schedules, "schedule", "schedules"),
            most_time.unwrap_or_default(),
            self.name,
            forecast::shows(seeds),
        )
    }
}

/// How long all trainings but the recorded one take, which took `seconds`,
/// `start` of them before its first update.
fn time(
    seconds: f64,
    start: f64,
    schedules: usize,
    Means { limits, seeds, jobs, .. }: Means,
) -> String {
    let limits = Limits { used: 1, ..limits };
    let (schedules, seeds) = limits.outlook(schedules, seeds);
    // Trials are shorter than trainings.
    let work = limits.finder().unwrap_or(0.0) + (schedules * seeds) as f64;
    let all = work * seconds / jobs.min(schedules).max(1) as f64;
    let less = if start > forecast::SLOW_START {
        ", or less, as the first start is the slowest"
    } else {
        ""
    };
    format!("all about {} with {jobs} at once{less}", forecast::minutes(all))
}

/// `spec` over `steps` updates, as the table that is written beside the
/// answer. Like the baseline of a grid, it is called `baseline`.
///
/// # Errors
///
/// If the schedule cannot have so many.
pub(super) fn own_rates(
    spec: &ScheduleSpec,
    steps: usize,
) -> Result<ScheduleSpec> {
    let table = serde_json::json!({ "kind": "table", "file": BASELINE });
    let own: std::result::Result<ScheduleSpec, _> =
        serde_json::from_value(table);
    let mut own = own.expect("a table");
    let course = spec.course(1.0, steps)?;
    let momenta = (0..steps).filter_map(|step| course.momentum(step));
    own.set_table(spec.rates(1.0, steps)?, momenta.collect());
    Ok(own.named(Baseline::LABEL))
}

/// Writes the table of `own`, which [`own_rates`] made.
///
/// # Errors
///
/// If it cannot be written.
pub(super) fn write_own(
    own: &ScheduleSpec,
    steps: usize,
    folder: &Folder,
) -> Result<()> {
    let course = own.course(1.0, steps)?;
    let stem = BASELINE.trim_end_matches(".csv");
    let cycled: Vec<CycledRow> = (0..steps)
        .filter_map(|step| {
            let (factor, momentum) = (course.lr(step), course.momentum(step)?);
            Some(CycledRow { step, factor, momentum })
        })
        .collect();
    if !cycled.is_empty() {
        return folder.table(stem, &cycled);
    }
    let row = |step| FactorRow { step, factor: course.lr(step) };
    folder.table(stem, &(0..steps).map(row).collect::<Vec<_>>())
}

/// What a choice may spend.
#[derive(Clone, Copy)]
pub(super) struct Means {
    pub(super) limits: Limits,
    pub(super) seeds: usize,
    /// Most updates of a training.
    pub(super) steps: Option<usize>,
    /// Most time.
    pub(super) most_time: Option<Duration>,
    /// Trainings at once.
    pub(super) jobs: usize,
}

/// What the choice is called: like the script or its module.
fn name(command: &[String]) -> String {
    let module = command.iter().position(|word| word == "-m");
    let module = module.and_then(|at| command.get(at + 1));
    let file = command.iter().skip(1).find(|word| is_python(word));
    let name = match (file, module) {
        (Some(file), _) => {
            let stem = Path::new(file).file_stem().unwrap_or_default();
            stem.to_string_lossy().into_owned()
        }
        (None, Some(module)) => module.clone(),
        (None, None) => "script".to_owned(),
    };
    let usable = |c: char| c.is_alphanumeric() || "._-".contains(c);
    name.chars().map(|c| if usable(c) { c } else { '-' }).collect()
}
