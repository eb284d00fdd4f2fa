use super::reading::{self, Reading, Results, Scores};
use crate::error::Result;
use crate::grid;
use crate::lr_find::{LrPoint, picture};
use crate::ranking::{Analysis, Protocol, Runs, told};
use crate::report::ReportInput;
use crate::report::html::html;
use crate::report::markdown::markdown;
use crate::report::plot::RangeTestPlot;
use crate::results::rows::FindRow;
use crate::results::{Folder, find_stems};
use crate::runner::publish::find_title;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Write the HTML and Markdown report of a results folder.
///
/// Both are made from the tables alone, so the folder may come from another
/// machine. The HTML is one file and needs no network.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  lrscout report results/smoke")]
pub(crate) struct Report {
    /// Results folder of one grid, or runs of another tool.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    scores: Scores,
    #[command(flatten)]
    reading: Reading,
}

impl Report {
    pub(crate) fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        let asked = self.reading.with(self.scores);
        let results = reading::results(&self.dir, &asked)?;
        let input = read(&results)?;
        let (folder, stem) = match &results.own {
            Some(folder) => (folder.clone(), REPORT.to_owned()),
            None => beside(&self.dir),
        };
        for path in write(&folder, &input, &stem)? {
            writeln!(out, "{}", path.display())?;
        }
        Ok(())
    }
}

/// The folder and name of a report of runs alone. A file or a pattern never
/// has those of a results folder.
fn beside(path: &Path) -> (Folder, String) {
    if path.is_dir() {
        return (Folder::new(path), REPORT.to_owned());
    }
    if path.is_file() {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let folder = Folder::new(reading::folder_of(path));
        return (folder, format!("{stem}.{REPORT}"));
    }
    // A pattern: what is plain in it.
    let text = path.with_extension("").to_string_lossy().into_owned();
    let is_plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let words: Vec<&str> =
        text.split(|c| !is_plain(c)).filter(|word| !word.is_empty()).collect();
    let stem = if words.is_empty() { "all".into() } else { words.join("-") };
    (Folder::new(Path::new(".")), format!("{stem}.{REPORT}"))
}

/// The name of a report without its end.
pub(crate) const REPORT: &str = "report";

/// Writes `<stem>.html` and `<stem>.md` and gives their paths.
///
/// # Errors
///
/// If a file cannot be written.
pub(crate) fn write(
    folder: &Folder,
    input: &ReportInput,
    stem: &str,
) -> Result<[PathBuf; 2]> {
    let names = [format!("{stem}.html"), format!("{stem}.md")];
    folder.write(&names[0], &html(input))?;
    folder.write(&names[1], &markdown(input))?;
    Ok(names.map(|name| folder.path(&name)))
}

/// What the tables of a results folder hold. Only `runs.csv` has to be there;
/// the report says what else is missing.
///
/// # Errors
///
/// If a table cannot be read, or the runs not be ranked.
fn read(results: &Results) -> Result<ReportInput> {
    let runs = Runs::read(&results.runs, results.score.as_deref())?;
    let Some(folder) = &results.own else {
        return alone(results, &runs);
    };
    let outline = folder.outline();
    let protocol =
        Protocol { control: outline.control, ..results.protocol.clone() };
    let analysis = Analysis::new(&runs, &protocol, &outline.schedules)?;
    let mut missing = vec![];
    let mut lacks = |name: &str| missing.push(name.to_owned());
    let lr_finds: Vec<FindRow> = folder.rows("lr_find")?.unwrap_or_else(|| {
        lacks("lr_find.csv");
        vec![]
    });
    let regime = folder.rows("regime")?.unwrap_or_else(|| {
        lacks("regime.csv");
        vec![]
    });
    let mut curves = vec![];
    for (find, stem) in lr_finds.iter().zip(find_stems(&lr_finds)) {
        if let Some(updates) = folder.rows::<LrPoint>(&stem)? {
            curves.push((find, updates));
        }
    }
    let environment = grid::texts(
        &folder.path("environment.toml"),
        &folder.text("environment.toml")?,
    )?;
    let command = environment.iter().find(|(key, _)| key == "command");
    let name = folder.name();
    Ok(ReportInput {
        title: outline.title.unwrap_or_else(|| name.clone()),
        name,
        command: command.map(|(_, value)| value.clone()).unwrap_or_default(),
        schedules: outline.schedules,
        comparison: told(&folder.rows("comparison")?.unwrap_or_default()),
        analysis,
        regime,
        range_tests: range_tests(curves.iter().map(|(f, u)| (*f, u))),
        lr_finds,
        environment,
        missing,
        experiment_toml: folder.text("experiment.toml")?,
    })
}

/// The report of runs alone: nothing is known beside them.
fn alone(results: &Results, runs: &Runs) -> Result<ReportInput> {
    let name = results.runs.path().file_name().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    Ok(ReportInput {
        title: name.clone(),
        name,
        command: String::new(),
        schedules: vec![],
        comparison: vec![],
        analysis: Analysis::new(runs, &results.protocol, &[])?,
        regime: vec![],
        range_tests: vec![],
        lr_finds: vec![],
        environment: reading::sources(&results.runs)?,
        missing: vec![],
        experiment_toml: String::new(),
    })
}

/// The range tests of the longest budget of every workload, by name.
pub(crate) fn range_tests<'a>(
    finds: impl Iterator<Item = (&'a FindRow, &'a Vec<LrPoint>)> + Clone,
) -> Vec<(String, RangeTestPlot)> {
    let is_longest = |row: &FindRow| {
        let of_workload =
            finds.clone().filter(|(other, _)| other.workload == row.workload);
        of_workload.map(|(other, _)| other.budget).max() == Some(row.budget)
    };
    // A rate that was given has no curve.
    let shown = finds
        .clone()
        .filter(|(row, updates)| is_longest(row) && !updates.is_empty());
    shown
        .map(|(row, updates)| {
            let interval = Some((row.low, row.high));
            let mut plot = picture(updates, Some(row.lr), interval);
            if !plot.smoothed.iter().any(|loss| loss.is_finite()) {
                plot.smoothed.clear();
            }
            (find_title(row), plot)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::import::Asked;
    use std::fs;

    const RUNS: &str = "workload,schedule,seed,budget,lr_multiple,valid_loss\n\
        a,cosine,0,250,1,1.0\na,linear,0,250,1,1.1\n\
        b,cosine,0,250,1,2.0\nb,linear,0,250,1,2.3\n";

    fn temporary() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    fn put(dir: &Path, name: &str, text: &str) {
        let path = dir.join(name);
        let parent = path.parent().expect("a file in a folder");
        fs::create_dir_all(parent).expect("writable");
        fs::write(path, text).expect("writable");
    }

    fn report(dir: &Path) -> anyhow::Result<Vec<String>> {
        let mut out = vec![];
        let dir = dir.to_owned();
        let (scores, reading) = (Scores::default(), Reading::default());
        Report { dir, scores, reading }.run(&mut out)?;
        let paths = String::from_utf8(out)?;
        paths.lines().map(|path| Ok(fs::read_to_string(path)?)).collect()
    }

    fn refusal(dir: &Path) -> String {
        let error = report(dir).expect_err("nothing to report");
        let error = error.downcast::<Error>().expect("one of ours");
        assert!(!matches!(error, Error::Io { .. }), "{error}");
        error.to_string()
    }

    #[test]
    fn a_folder_without_runs_is_refused_with_the_remedy() {
        let folder = temporary();
        let missing = folder.path().join("missing");
        for (dir, what) in [
            (folder.path(), "has no `runs.csv`"),
            (missing.as_path(), "is not a folder"),
        ] {
            let said = refusal(dir);
            assert!(said.contains(what), "{said}");
            assert!(said.contains("run `lrscout run GRID` first"), "{said}");
        }
        assert!(!missing.exists());
    }

    #[test]
    fn runs_alone_make_a_report_that_says_what_is_missing() {
        let folder = temporary();
        put(folder.path(), "runs.csv", RUNS);
        let pages = report(folder.path()).expect("a report");
        let [html, markdown] = pages.as_slice() else { panic!("{pages:?}") };
        assert!(html.contains("<code>cosine</code>"), "{html}");
        assert!(html.contains("lr_find.csv was missing"), "{html}");
        assert!(markdown.contains("`cosine`"), "{markdown}");
    }

    #[test]
    fn a_table_of_no_runs_is_refused_with_its_place() {
        let folder = temporary();
        put(folder.path(), "runs.csv", "workload,schedule,seed,valid_loss\n");
        let said = refusal(folder.path());
        assert!(said.ends_with("1:34: there are no rows below the header"));
    }

    #[test]
    fn every_table_of_the_folder_is_read() {
        let folder = temporary();
        let dir = folder.path().join("smoke");
        put(&dir, "runs.csv", &RUNS.replace(",1.1", ",\"1.1\""));
        put(
            &dir,
            "lr_find.csv",
            "workload,optimizer,budget,lr,low,high,outcome,rule,cost_steps,\
             schedule\n\
             a/b,sgd,250,0.1,0.05,0.2,verified,lrscout,90,\n\
             a/b,sgd,500,0.1,0.05,0.2,verified,lrscout,90,\n\
             c,sgd,500,0.1,0.05,0.2,verified,lrscout,90,cosine\n\
             d,sgd,500,0.1,0.05,0.2,verified,lrscout,90,\n",
        );
        let curve = "lr,loss,smoothed\n0.001,2.0,2.0\n0.1,1.0,1.5\n1,inf,nan\n";
        for name in ["a-b", "a-b-250", "c-cosine"] {
            put(&dir, &format!("lr_find/{name}.csv"), curve);
        }
        put(
            &dir,
            "environment.toml",
            "cpu = \"a \\\"b\\\"\"\ncommand = \"x\"\n",
        );
        put(
            &dir,
            "experiment.toml",
            "title = 'Which?' # really\ncontrol = 'cosine'\nseeds = 2\n\
             [lr_find]\ntitle = 'no'\n[[schedule]]\n\
             kind = ['linear', 'cosine']\n",
        );
        let results = reading::results(&dir, &Asked::default()).expect("runs");
        let input = read(&results).expect("readable");
        assert_eq!((&*input.name, &*input.title), ("smoke", "Which?"));
        assert_eq!(input.analysis.overall.control(), "cosine");
        assert_eq!(input.analysis.boards.len(), 1);
        assert_eq!(input.environment[0].1, "a \"b\"");
        assert_eq!(input.command, "x");
        assert_eq!(input.missing, ["regime.csv"]);
        let names: Vec<_> = input.range_tests.iter().map(|t| &*t.0).collect();
        assert_eq!(names, ["a/b, 500 steps", "c, cosine, 500 steps"]);
        assert_eq!(input.range_tests[0].1.losses[2], f64::INFINITY);
    }

    #[test]
    fn a_damaged_table_is_an_error_that_names_the_file() {
        let folder = temporary();
        put(folder.path(), "runs.csv", &format!("{RUNS}c,linear,x,1,1,1\n"));
        let said = refusal(folder.path());
        assert!(said.contains("runs.csv:6:10: `seed` is `x`"), "{said}");
        put(folder.path(), "runs.csv", RUNS);
        put(folder.path(), "regime.csv", "workload,parameters\na,x\n");
        let said = refusal(folder.path());
        assert!(said.contains("regime.csv:2:"), "{said}");
    }
}
