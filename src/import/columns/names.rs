//! Names of columns: what tools call the fields of a run.

/// What tools put in front of the names of settings and results.
const AROUND: &[&str] = &[
    "config.",
    "config/",
    "params.",
    "params/",
    "params_",
    "user_attrs_",
    "values_",
    "metrics.",
    "metrics/",
    "summary.",
    "summary/",
    "tags.",
    "hparams.",
    "hparams/",
    "hyperparameters.",
    "hyperparameters/",
    "args.",
];

pub(super) const WORKLOADS: &[&str] =
    &["workload", "workloadname", "task", "taskname", "problem", "benchmark"];
pub(super) const DATA: &[&str] =
    &["dataset", "datasetname", "data", "dataname"];
pub(super) const MODELS: &[&str] = &[
    "model",
    "modelname",
    "arch",
    "architecture",
    "network",
    "net",
    "backbone",
    "modelnameorpath",
];
pub(super) const SCHEDULES: &[&str] = &[
    "schedule",
    "lrschedule",
    "lrscheduler",
    "scheduler",
    "lrschedulertype",
    "schedulertype",
    "scheduletype",
    "schedulername",
    "schedulename",
    "lrschedulername",
    "lrscheduletype",
    "learningrateschedule",
    "learningratescheduler",
    "lrpolicy",
    "sched",
];
pub(super) const SEEDS: &[&str] = &[
    "seed",
    "randomseed",
    "randomstate",
    "rngseed",
    "manualseed",
    "globalseed",
    "torchseed",
    "trainseed",
    "replicate",
    "repetition",
    "repeat",
    "fold",
];
pub(super) const BUDGETS: &[&str] = &[
    "budget",
    "maxsteps",
    "totalsteps",
    "numsteps",
    "trainsteps",
    "nsteps",
    "maxepochs",
    "totalepochs",
    "numepochs",
    "numtrainepochs",
    "nepochs",
    "epochs",
    "iterations",
    "maxiters",
    "maxiterations",
    "timebudget",
    "timelimit",
    "maxtime",
];
pub(super) const RATES: &[&str] = &[
    "lr",
    "learningrate",
    "peaklr",
    "maxlr",
    "baselr",
    "initlr",
    "initiallr",
    "startlr",
    "eta",
];
pub(super) const OUTCOMES: &[&str] =
    &["outcome", "state", "status", "runstate", "trialstate"];
pub(super) const RUNS: &[&str] = &[
    "run", "runid", "trialid", "runuuid", "id", "runname", "name", "number",
    "trial",
];
pub(super) const STEPS: &[&str] = &[
    "step",
    "globalstep",
    "trainerglobalstep",
    "trainingiteration",
    "epoch",
    "iteration",
    "iter",
    "update",
    "batch",
];
/// Words in the names of schedules.
const LABELS: &[&str] = &[
    "anneal",
    "constant",
    "cosine",
    "cycle",
    "cyclic",
    "decay",
    "exponential",
    "linear",
    "noam",
    "plateau",
    "polynomial",
    "sgdr",
    "sqrt",
    "step",
    "warmup",
    "wsd",
];
/// Last parts of names that say nothing: `scheduler.name`.
const EMPTY: &[&str] = &["name", "type", "kind", "value", "target", "id"];

/// A name without what tools put around it.
pub(in crate::import) fn bare(name: &str) -> &str {
    let name = name.strip_suffix(".value").unwrap_or(name);
    let rest = AROUND.iter().find_map(|around| name.strip_prefix(around));
    // `values_0` is a whole name.
    let says = |rest: &&str| rest.contains(|c: char| !c.is_ascii_digit());
    rest.filter(says).unwrap_or(name)
}

/// Whether a column tells runs apart: one run has no need of it.
pub(in crate::import) fn is_of_runs(name: &str) -> bool {
    let name = plain(bare(name));
    [WORKLOADS, DATA, MODELS, SCHEDULES, SEEDS, RUNS]
        .iter()
        .any(|words| words.contains(&name.as_str()))
}

/// Letters and digits of a name, small.
pub(super) fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// What a name of a schedule has in common with others that may mean the
/// same: `CosineAnnealingLR`, `cosine_annealing`.
pub(in crate::import) fn stem(name: &str) -> String {
    // The point of a number says which.
    let letters = name.chars().filter(|&c| c.is_alphanumeric() || c == '.');
    let name: String = letters.flat_map(char::to_lowercase).collect();
    let ends = ["lr", "schedule", "scheduler"];
    let stem = ends.iter().find_map(|end| name.strip_suffix(end));
    stem.filter(|stem| !stem.is_empty()).unwrap_or(&name).to_owned()
}

/// The last part of a name that says something: `lr` of `optimizer.lr`,
/// `scheduler` of `scheduler.name`.
pub(super) fn last_part(name: &str) -> String {
    let parts: Vec<String> = bare(name).split(['.', '/']).map(plain).collect();
    let said = |part: &&String| !EMPTY.contains(&part.as_str());
    parts.iter().rev().find(said).cloned().unwrap_or_default()
}

/// Whether a column has the name of a schedule.
pub(super) fn is_schedule(name: &str) -> bool {
    let name = plain(bare(name));
    LABELS.iter().any(|word| name.contains(word))
}
