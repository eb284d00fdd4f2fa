use crate::error::Result;
use crate::grid;
use crate::lr_find::LrPoint;
use crate::ranking::{Analysis, Protocol, Runs};
use crate::report::ReportInput;
use crate::report::html::html;
use crate::report::markdown::markdown;
use crate::report::plot::RangeTestPlot;
use crate::results::Folder;
use crate::results::rows::FindRow;
use crate::runner::publish::find_title;
use std::io::Write;
use std::path::PathBuf;

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

impl Report {
    pub(crate) fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        let folder = Folder::open(&self.dir)?;
        for path in write(&folder, &read(&folder)?)? {
            writeln!(out, "{}", path.display())?;
        }
        Ok(())
    }
}

/// Writes `report.html` and `report.md` and gives their paths.
///
/// # Errors
///
/// If a file cannot be written.
pub(crate) fn write(
    folder: &Folder,
    input: &ReportInput,
) -> Result<[PathBuf; 2]> {
    folder.write("report.html", &html(input))?;
    folder.write("report.md", &markdown(input))?;
    Ok(["report.html", "report.md"].map(|name| folder.path(name)))
}

/// What the tables of a results folder hold. Only `runs.csv` has to be there;
/// the report says what else is missing.
///
/// # Errors
///
/// If a table cannot be read, or the runs not be ranked.
fn read(folder: &Folder) -> Result<ReportInput> {
    let runs = Runs::read(&folder.runs()?)?;
    let outline = folder.outline();
    let protocol = Protocol { control: outline.control, ..Protocol::default() };
    let analysis = Analysis::new(&runs, &protocol, &outline.schedules)?;
    let mut missing = vec![];
    let mut lacks = |name: &str| missing.push(name.to_owned());
    let lr_finds = folder.finds()?.unwrap_or_else(|| {
        lacks("lr_find.csv");
        vec![]
    });
    let regime = folder.regime()?.unwrap_or_else(|| {
        lacks("regime.csv");
        vec![]
    });
    let mut curves = vec![];
    for find in &lr_finds {
        if let Some(updates) = folder.range_test::<LrPoint>(find)? {
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
        analysis,
        regime,
        range_tests: range_tests(curves.iter().map(|(f, u)| (*f, u))),
        lr_finds,
        environment,
        missing,
        experiment_toml: folder.text("experiment.toml")?,
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
    let shown = finds.clone().filter(|(row, _)| is_longest(row));
    shown
        .map(|(row, updates)| {
            let column = |of: fn(&LrPoint) -> f64| -> Vec<f64> {
                updates.iter().map(of).collect()
            };
            let smoothed = column(|point| point.smoothed);
            let has_any = smoothed.iter().any(|loss| loss.is_finite());
            let plot = RangeTestPlot {
                rates: column(|point| point.lr),
                losses: column(|point| point.loss),
                smoothed: if has_any { smoothed } else { vec![] },
                suggestion: Some(row.lr),
                interval: Some((row.low, row.high)),
                trials: vec![],
            };
            (find_title(row), plot)
        })
        .collect()
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
