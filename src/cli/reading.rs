use crate::error::Result;
use crate::import::{
    Asked, ByRate, ByRow, Imported, SOURCE, SOURCE_HASH, Tool, import,
    is_pattern,
};
use crate::ranking::{Direction, Protocol};
use crate::results::{Folder, Sheet};
use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use std::path::{Path, PathBuf};

/// How files of other tools are read.
#[derive(clap::Args, Debug, Default)]
#[command(next_help_heading = "Tables of other tools")]
pub(crate) struct Reading {
    /// Column of the workloads; default: `workload`, `task`, or `dataset` and
    /// `model`.
    #[arg(long, value_name = "COLUMN")]
    workload: Option<String>,
    #[command(flatten)]
    tables: Tables,
}

/// The options of [`Reading`] that every verb has under these names.
#[derive(clap::Args, Debug, Default)]
#[command(next_help_heading = "Tables of other tools")]
pub(crate) struct Tables {
    /// Tool that the files are from; default: found by their content.
    #[arg(long, value_name = "TOOL",
        value_parser = PossibleValuesParser::new(Tool::ALL.map(Tool::name))
            .try_map(|name| name.parse::<Tool>()))]
    from: Option<Tool>,
    /// Column of the schedules; default: `schedule`, `lr_scheduler_type`, ...
    #[arg(long, value_name = "COLUMN")]
    schedule: Option<String>,
    /// Column of the clusters (workloads with the same data).
    #[arg(long, value_name = "COLUMN")]
    cluster: Option<String>,
    /// Names in the path of each run: `{workload}/{schedule}-{seed}`.
    #[arg(long, value_name = "PATTERN")]
    path: Option<String>,
    /// Which of several rows of a run counts; default: the last.
    #[arg(long, value_enum, value_name = "WHICH")]
    row: Option<RowName>,
    /// Which of several learning rates of a schedule counts: the best (chosen
    /// on other seeds than it is scored on; the default), or each separately.
    #[arg(long, value_enum, value_name = "WHICH")]
    lr: Option<RateName>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RowName {
    Last,
    Best,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RateName {
    Best,
    Each,
}

/// Which scores count, and which of them are better.
#[derive(clap::Args, Debug, Default)]
pub(crate) struct Scores {
    /// Column of the scores; default: the validation loss by its name.
    #[arg(long, value_name = "COLUMN")]
    score: Option<String>,
    /// Column of the seeds; default: `seed`, `random_state`, ...
    #[arg(long, value_name = "COLUMN")]
    seed: Option<String>,
    /// Higher scores are better; default: by the name of the score.
    #[arg(long)]
    higher: bool,
    /// Lower scores are better.
    #[arg(long, conflicts_with = "higher")]
    lower: bool,
}

/// The direction that `--higher` or `--lower` say.
pub(crate) fn direction(higher: bool, lower: bool) -> Option<Direction> {
    match (higher, lower) {
        (true, _) => Some(Direction::Higher),
        (_, true) => Some(Direction::Lower),
        _ => None,
    }
}

impl Reading {
    /// All that was asked.
    pub(crate) fn with(self, scores: Scores) -> Asked {
        Asked { workload: self.workload, ..self.tables.with(scores) }
    }

    /// The same for a verb whose options of scores have other meanings.
    pub(crate) fn asked(
        self,
        score: Option<String>,
        seed: Option<String>,
        direction: Option<Direction>,
    ) -> Asked {
        let workload = self.workload;
        Asked { workload, seed, score, direction, ..self.tables.asked() }
    }
}

impl Tables {
    /// All that was asked, but for the column of the workloads.
    pub(crate) fn with(self, scores: Scores) -> Asked {
        let Scores { score, seed, higher, lower } = scores;
        let direction = direction(higher, lower);
        Asked { seed, score, direction, ..self.asked() }
    }

    fn asked(self) -> Asked {
        Asked {
            from: self.from,
            schedule: self.schedule,
            cluster: self.cluster,
            row: self.row.map(|name| match name {
                RowName::Last => ByRow::Last,
                RowName::Best => ByRow::Best,
            }),
            lr: self.lr.map(|name| match name {
                RateName::Best => ByRate::Best,
                RateName::Each => ByRate::Each,
            }),
            path: self.path,
            ..Asked::default()
        }
    }
}

/// Reads the files and says on standard error what was understood.
///
/// # Errors
///
/// As [`import`].
pub(crate) fn read(paths: &[PathBuf], asked: &Asked) -> Result<Imported> {
    let imported = import(paths, asked)?;
    if let Some(said) = &imported.said {
        super::say(super::printable(said));
    }
    Ok(imported)
}

/// Runs, and the folder of results that they are of.
pub(crate) struct Results {
    /// Where the other tables of our own results are; `None` where nothing
    /// is known beside the runs.
    pub(crate) own: Option<Folder>,
    /// One table.
    pub(crate) runs: Sheet,
    /// The column of the scores; `None`: the usual one.
    pub(crate) score: Option<String>,
    /// How runs of other tools are ranked.
    pub(crate) protocol: Protocol,
    /// Whether they are of another tool.
    pub(crate) is_foreign: bool,
}

/// The runs of a folder of results, or of files of other tools.
///
/// # Errors
///
/// If there are none, or they cannot be read.
pub(crate) fn results(path: &Path, asked: &Asked) -> Result<Results> {
    let file = if let Some(table) = Folder::new(path).runs_file() {
        table
    } else if path.exists() || is_pattern(path) {
        path.to_owned()
    } else {
        return Err(Folder::missing(path));
    };
    let imported = read(std::slice::from_ref(&file), asked)?;
    let is_foreign = imported.is_foreign();
    let protocol = Protocol {
        direction: asked.direction.or(imported.direction),
        allow_missing: is_foreign,
        ..Protocol::default()
    };
    let score = imported.score.or(asked.score.clone());
    // A folder of several tables of ours.
    let runs = Sheet::joined(imported.sheets);
    // What is beside a table of another name is not of its runs.
    let is_runs = Folder::is_runs(&file);
    let dir = if path.is_dir() { path } else { folder_of(path) };
    let is_own = !is_foreign && (is_runs || path.is_dir());
    let own = is_own.then(|| Folder::new(dir));
    Ok(Results { own, runs, score, protocol, is_foreign })
}

/// The folder that a file is in.
pub(crate) fn folder_of(file: &Path) -> &Path {
    let parent = file.parent().filter(|p| !p.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Names and hashes of the files that imported runs are from.
pub(crate) fn sources(runs: &Sheet) -> Result<Vec<(String, String)>> {
    let (name, hash) = (runs.column(SOURCE)?, runs.column(SOURCE_HASH)?);
    let mut found: Vec<(String, String)> = runs
        .records()
        .filter_map(|row| {
            let name = row.optional(name)?;
            Some((
                format!("imported from {name}"),
                row.optional(hash)?.to_owned(),
            ))
        })
        .collect();
    found.sort();
    found.dedup();
    Ok(found)
}
