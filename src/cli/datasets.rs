use super::schedules::write_aligned;
use crate::results::print_rows;
use crate::spec::{Set, Target};
use crate::text::count;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use std::io::Write;

/// Where the embedded files are from, with their licences.
const SOURCES: &str = include_str!("../data/pack/README.md");

/// List the data sets that come with the program, or print their notices.
///
/// A grid names them as `dataset = "letter"`. Files of your own (csv, text,
/// mnist and others) are described in experiments/README.md.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout datasets list\n  \
    lrscout datasets list --format csv\n  \
    lrscout datasets notices")]
pub(crate) struct Datasets {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(List),
    /// Print sources, licences and copyright notices of the embedded files.
    Notices,
}

impl Datasets {
    pub(crate) fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        match self.verb {
            Verb::List(list) => list.run(out),
            Verb::Notices => Ok(out.write_all(SOURCES.as_bytes())?),
        }
    }
}

/// List all data sets with kind of task, examples, source and licence.
///
/// Cousins have much in common (the same fonts, the same language): they are
/// not independent evidence. Examples are counted in the training, validation
/// and test part.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout datasets list\n  \
    lrscout datasets list --format json")]
struct List {
    /// A table for reading, or rows for scripts.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Csv,
    Json,
}

/// A data set; `outputs` counts classes, values or characters.
#[derive(Serialize)]
struct Row {
    dataset: &'static str,
    kind: &'static str,
    task: &'static str,
    outputs: usize,
    /// Extents of one example.
    shape: String,
    train: usize,
    valid: usize,
    test: usize,
    cousins: String,
    source: &'static str,
    licence: &'static str,
    description: &'static str,
}

impl Row {
    fn of(set: &'static Set) -> Self {
        let [train, valid, test] = set.rows;
        let (task, outputs) = match set.target {
            Target::Classes(classes) => ("classify", classes),
            Target::Values(values) => ("regress", values),
            Target::Characters(characters) => ("next-token", characters),
        };
        let extents = set.form.shape();
        let extents: Vec<_> = extents.iter().map(usize::to_string).collect();
        Self {
            dataset: set.name,
            kind: set.kind.name(),
            task,
            outputs,
            shape: extents.join("x"),
            train,
            valid,
            test,
            cousins: set.cousins().collect::<Vec<_>>().join(" "),
            source: set.source,
            licence: set.licence,
            description: set.about,
        }
    }

    /// What is predicted, in words.
    fn predicts(&self) -> String {
        match self.task {
            "classify" => count(self.outputs, "class", "classes"),
            "regress" => count(self.outputs, "value", "values"),
            _ => count(self.outputs, "character", "characters"),
        }
    }
}

impl List {
    fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        let rows: Vec<Row> = Set::all().map(Row::of).collect();
        match self.format {
            Format::Text => write_text(out, &rows)?,
            Format::Csv => print_rows(out, &rows)?,
            Format::Json => {
                writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?;
            }
        }
        Ok(())
    }
}

fn write_text(out: &mut impl Write, rows: &[Row]) -> std::io::Result<()> {
    let head = ["dataset", "kind", "predicts", "from", "examples", "source"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(|row| {
        let Row { train, valid, test, .. } = row;
        vec![
            row.dataset.to_owned(),
            row.kind.to_owned(),
            row.predicts(),
            row.shape.clone(),
            format!("{train} + {valid} + {test}"),
            format!("{} ({})", row.source, row.licence),
        ]
    }));
    write_aligned(out, &lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        datasets: Datasets,
    }

    /// What `lrscout datasets ...` prints.
    fn printed(arguments: &[&str]) -> String {
        let command = Command::try_parse_from(
            std::iter::once("datasets").chain(arguments.iter().copied()),
        );
        let mut out = vec![];
        command.expect("a command").datasets.run(&mut out).expect("printed");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn the_list_is_as_it_was() {
        insta::assert_snapshot!(printed(&["list"]));
    }

    #[test]
    fn every_set_is_listed_in_every_format() {
        for format in ["text", "csv", "json"] {
            let got = printed(&["list", "--format", format]);
            for set in Set::all() {
                assert!(got.contains(set.name), "{format}: {}", set.name);
            }
        }
        let csv = printed(&["list", "--format", "csv"]);
        let glyphs = "glyphs,picture,classify,26,1x12x12,4200,1100,1300,\
                      scripts,";
        assert!(csv.contains(glyphs), "{csv}");
    }

    #[test]
    fn every_embedded_set_has_its_notice() {
        let notices = printed(&["notices"]);
        let (_, sources) =
            notices.split_once("## Sources and licences").expect("a heading");
        let headings: Vec<&str> = sources
            .lines()
            .filter_map(|line| line.strip_prefix("### "))
            .flat_map(|names| names.split(", "))
            .collect();
        for set in Set::all().filter(|set| !set.is_generated()) {
            let stem = match set.name {
                "fashion" => "fashion14",
                "digits" => "digits8",
                name => name,
            };
            assert!(headings.contains(&stem), "{stem}");
        }
    }
}
