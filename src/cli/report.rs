use crate::error::{Error, Result};
use crate::report::html::html;
use crate::report::markdown::markdown;
use crate::report::plot::RangeTestPlot;
use crate::report::{LrFindRow, NoteRow, ReportInput};
use crate::store::{tables::read_rows, write_atomically};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Write the HTML and Markdown report of a results folder.
///
/// Both are made from the tables alone, so a folder from another machine
/// serves as well. The HTML is one file that needs no network.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  lrscout report results/smoke")]
pub(crate) struct Report {
    /// Results folder of one grid.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// A row of `lr_find/<workload>.csv`.
#[derive(Deserialize)]
struct CurveRow {
    lr: f64,
    loss: Option<f64>,
    smoothed: Option<f64>,
}

impl Report {
    pub(crate) fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        for path in write_report(&self.dir)? {
            writeln!(out, "{}", path.display())?;
        }
        Ok(())
    }
}

/// Writes `report.html` and `report.md` into `dir` and gives their paths.
///
/// # Errors
///
/// As [`load_report`], and if a file cannot be written.
pub(crate) fn write_report(dir: &Path) -> Result<Vec<PathBuf>> {
    let input = load_report(dir)?;
    let pages =
        [("report.html", html(&input)), ("report.md", markdown(&input))];
    let mut paths = vec![];
    for (name, text) in pages {
        let path = dir.join(name);
        write_atomically(&path, text.as_bytes())?;
        paths.push(path);
    }
    Ok(paths)
}

/// The tables of the results folder `dir`. Only `leaderboard.csv` has to be
/// there; the report says what else is missing.
///
/// # Errors
///
/// If `dir` has no leaderboard, or a table cannot be read.
pub(crate) fn load_report(dir: &Path) -> Result<ReportInput> {
    let overall = dir.join("leaderboard.csv");
    if !overall.is_file() {
        let what = if dir.is_dir() {
            "has no `leaderboard.csv`"
        } else {
            "is no folder"
        };
        return Err(Error::Invalid(format!(
            "`{}` {what}: run `lrscout run GRID` first, then give the folder \
             `results/<name of the grid>`",
            dir.display()
        )));
    }
    let mut boards = vec![("leaderboard".to_owned(), read_rows(&overall)?)];
    for path in csv_files(dir)? {
        let stem = stem(&path);
        if stem.starts_with("leaderboard-") {
            boards.push((stem, read_rows(&path)?));
        }
    }
    let mut notes: Vec<String> =
        optional::<NoteRow>(dir, "notes.csv", &mut vec![])?
            .into_iter()
            .map(|row| row.note)
            .collect();
    // The tables that belong to the leading board.
    let found = boards.iter().any(|(stem, _)| stem == "leaderboard-found");
    let (pairwise, of_workloads) = if found {
        ("pairwise-found.csv", "workloads-found.csv")
    } else {
        ("pairwise.csv", "workloads.csv")
    };
    let pairs = optional(dir, pairwise, &mut notes)?;
    let workloads = optional(dir, of_workloads, &mut notes)?;
    let lr_finds = optional(dir, "lr_find.csv", &mut notes)?;
    let regime = optional(dir, "regime.csv", &mut notes)?;
    // These two are there only where several multiples or shapes are.
    let robustness = optional(dir, "robustness.csv", &mut vec![])?;
    let theory = optional(dir, "theory.csv", &mut vec![])?;
    let experiment_toml = text(&dir.join("experiment.toml"))?;
    let environment = assignments(&text(&dir.join("environment.toml"))?);
    let name = folder_name(dir);
    let value = |entries: &[(String, String)], key: &str| {
        entries.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone())
    };
    Ok(ReportInput {
        title: value(&assignments(&experiment_toml), "title")
            .unwrap_or_else(|| name.clone()),
        command: value(&environment, "command").unwrap_or_default(),
        name,
        boards,
        pairs,
        workloads,
        regime,
        robustness,
        theory,
        range_tests: range_tests(dir, &lr_finds)?,
        lr_finds,
        environment,
        notes,
        experiment_toml,
    })
}

/// The rows of a table that may be missing; a note says so then.
fn optional<T: DeserializeOwned>(
    dir: &Path,
    name: &str,
    notes: &mut Vec<String>,
) -> Result<Vec<T>> {
    let path = dir.join(name);
    if path.is_file() {
        return read_rows(&path);
    }
    notes.push(format!("{name} was missing when this report was made."));
    Ok(vec![])
}

/// The range test of each workload's longest budget, where its curve is kept.
fn range_tests(
    dir: &Path,
    finds: &[LrFindRow],
) -> Result<Vec<(String, RangeTestPlot)>> {
    let folder = dir.join("lr_find");
    if !folder.is_dir() {
        return Ok(vec![]);
    }
    let files = csv_files(&folder)?;
    let mut plots = vec![];
    for find in finds {
        let longest = finds
            .iter()
            .filter(|other| other.workload == find.workload)
            .all(|other| other.budget <= find.budget);
        let file = files
            .iter()
            .find(|file| letters(&stem(file)) == letters(&find.workload));
        let (true, Some(file)) = (longest, file) else { continue };
        let rows: Vec<CurveRow> = read_rows(file)?;
        let smoothed: Vec<f64> =
            rows.iter().map(|row| row.smoothed.unwrap_or(f64::NAN)).collect();
        let plot = RangeTestPlot {
            rates: rows.iter().map(|row| row.lr).collect(),
            losses: rows
                .iter()
                .map(|row| row.loss.unwrap_or(f64::NAN))
                .collect(),
            smoothed: if smoothed.iter().any(|loss| loss.is_finite()) {
                smoothed
            } else {
                vec![]
            },
            suggestion: find.lr,
            interval: find.low.zip(find.high),
            trials: vec![],
        };
        let name = format!("{}, {} steps", find.workload, find.budget);
        plots.push((name, plot));
    }
    Ok(plots)
}

/// What of a workload's name surely is in the name of its file.
fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The CSV files of `dir` by name.
fn csv_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = vec![];
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let path = entry.map_err(Error::io(dir))?.path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The folder's own name, also of `.`.
fn folder_name(dir: &Path) -> String {
    let full = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    full.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The text of a file; empty if there is none.
fn text(path: &Path) -> Result<String> {
    match fs::read_to_string(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        text => text.map_err(Error::io(path)),
    }
}

/// The top-level `key = "text"` lines of a TOML file; the report shows them
/// and needs no more of it.
fn assignments(toml: &str) -> Vec<(String, String)> {
    toml.lines()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| {
            let (key, value) = line.split_once('=')?;
            Some((key.trim().to_owned(), string(value.trim())?))
        })
        .collect()
}

/// The TOML string that `text` begins with.
fn string(text: &str) -> Option<String> {
    if let Some(literal) = text.strip_prefix('\'') {
        return literal.split_once('\'').map(|(text, _)| text.to_owned());
    }
    // A basic string is a JSON string but for escapes that no title needs;
    // what follows it is a remark.
    serde_json::Deserializer::from_str(text).into_iter().next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "place,group,schedule,mean_rank,mean_regret,regret_low,\
        regret_high,win_rate_vs_control,p_holm,p_equivalent,diverged,runs,\
        verdict\n";
    const ROWS: &str = "1,a,cosine,1.25,0.01,0.005,0.02,0.8,0.04,,0,8,\
        recommended\n2,b,linear,1.75,0.02,0.01,0.03,,,,0,8,control\n";

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    fn put(dir: &Path, name: &str, text: &str) {
        let path = dir.join(name);
        let parent = path.parent().expect("a file in a folder");
        fs::create_dir_all(parent).expect("writable");
        fs::write(path, text).expect("writable");
    }

    #[test]
    fn a_folder_without_leaderboard_is_refused_with_the_remedy() {
        let folder = folder();
        let missing = folder.path().join("missing");
        for (dir, what) in [
            (folder.path(), "has no `leaderboard.csv`"),
            (missing.as_path(), "is no folder"),
        ] {
            let error = write_report(dir).expect_err("nothing to report");
            let said = error.to_string();
            assert!(said.contains(what), "{said}");
            assert!(said.contains("run `lrscout run GRID` first"), "{said}");
            assert!(matches!(error, Error::Invalid(_)));
        }
        assert!(!missing.exists());
    }

    #[test]
    fn a_leaderboard_alone_makes_a_report_that_says_what_is_missing() {
        let folder = folder();
        put(folder.path(), "leaderboard.csv", &format!("{HEAD}{ROWS}"));
        let written = write_report(folder.path()).expect("a report");
        let names: Vec<String> = written.iter().map(|p| stem(p)).collect();
        assert_eq!(names, ["report", "report"]);
        let page = fs::read_to_string(&written[0]).expect("readable");
        assert!(page.contains("Use <code>cosine</code>."), "{page}");
        assert!(page.contains("pairwise.csv was missing"), "{page}");
        let text = fs::read_to_string(&written[1]).expect("readable");
        assert!(text.contains("**Use `cosine`.**"), "{text}");
    }

    #[test]
    fn a_leaderboard_of_no_rows_makes_a_report() {
        let folder = folder();
        put(folder.path(), "leaderboard.csv", HEAD);
        let written = write_report(folder.path()).expect("a report");
        let page = fs::read_to_string(&written[0]).expect("readable");
        assert!(page.contains("There are no results to compare."), "{page}");
    }

    #[test]
    fn every_table_of_the_folder_is_read() {
        let folder = folder();
        let dir = folder.path().join("smoke");
        put(&dir, "leaderboard.csv", &format!("{HEAD}{ROWS}"));
        put(&dir, "leaderboard-250-0.25.csv", &format!("{HEAD}{ROWS}"));
        put(&dir, "leaderboard-250-1.csv", &format!("{HEAD}{ROWS}"));
        put(
            &dir,
            "lr_find.csv",
            "workload,optimizer,budget,lr,low,high,outcome,rule,cost_steps\n\
             a/b,sgd,250,0.1,0.05,0.2,verified,lrscout,90\n\
             a/b,sgd,500,0.1,0.05,0.2,verified,lrscout,90\n\
             c,sgd,500,,,,diverged,lrscout,90\n",
        );
        let curve = "lr,loss,smoothed\n0.001,2.0,2.0\n0.1,1.0,1.5\n1,inf,nan\n";
        put(&dir, "lr_find/a-b.csv", curve);
        put(&dir, "lr_find/a-b-250.csv", curve);
        put(&dir, "environment.toml", "cpu = \"a \\\"b\\\"\"\ncores = \"2\"\n");
        put(
            &dir,
            "experiment.toml",
            "title = 'Which?' # really\nseeds = 2\n[lr_find]\ntitle = 'no'\n",
        );
        put(&dir, "notes.csv", "note\n\"With `a`, so.\"\n");
        let input = load_report(&dir).expect("readable");
        assert_eq!(input.notes[0], "With `a`, so.");
        assert_eq!((&*input.name, &*input.title), ("smoke", "Which?"));
        assert_eq!(input.boards.len(), 3);
        assert_eq!(input.boards[0].0, "leaderboard");
        assert_eq!(input.environment[0].1, "a \"b\"");
        assert_eq!(input.lr_finds[2].lr, None);
        let names: Vec<_> = input.range_tests.iter().map(|t| &*t.0).collect();
        assert_eq!(names, ["a/b, 500 steps"]);
        assert_eq!(input.range_tests[0].1.losses[2], f64::INFINITY);
    }

    #[test]
    fn a_damaged_table_is_an_error_that_names_the_file() {
        let folder = folder();
        put(folder.path(), "leaderboard.csv", &format!("{HEAD}1,a,x,oops\n"));
        let error = write_report(folder.path()).expect_err("a bad row");
        assert!(error.to_string().contains("leaderboard.csv"), "{error}");
    }
}
