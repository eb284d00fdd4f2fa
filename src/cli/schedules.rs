use super::say;
use super::wanted::{OfLibrary, Wanted, equal_spec, surprises};
use crate::error::Error;
use crate::grid::parse_schedule;
use crate::library::{Entry, PACKAGES, Package};
use crate::report::catalogue::{keys, markdown, sample};
use crate::report::{libraries, plot};
use crate::schedule::{KindInfo, MODIFIERS, ScheduleSpec, kinds};
use crate::text::unknown;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

/// List schedules, print their learning rates, or plot them.
///
/// A schedule (SPEC) is an inline table with the keys of a grid. Every kind
/// accepts its own keys and the modifiers `warmup` and `cooldown`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout schedules list\n  \
    lrscout schedules values '{ kind = \"one-cycle\" }' --peak 0.1 --steps 100\n  \
    lrscout schedules plot --steps 200 --out schedules.svg")]
pub(crate) struct Schedules {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(List),
    Values(Values),
    Plot(Plot),
}

impl Schedules {
    pub(crate) fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        match self.verb {
            Verb::List(list) => list.run(out),
            Verb::Values(values) => values.run(out),
            Verb::Plot(plot) => plot.run(out),
        }
    }
}

/// List all kinds of schedule, with their shapes, keys and defaults.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout schedules list\n  \
    lrscout schedules list --format json\n  \
    lrscout schedules list --format markdown > docs/schedules.md\n  \
    lrscout schedules list --library deepspeed\n  \
    lrscout schedules list --library all --format markdown > docs/libraries.md")]
struct List {
    /// List the schedules of this library instead, as its own loop runs them;
    /// `all` for all libraries.
    #[arg(long, value_name = "LIBRARY")]
    library: Option<String>,
    /// A table for reading, rows for scripts, or a page with the formulas.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Csv,
    Json,
    Markdown,
}

/// Characters of a sparkline, and the steps of the run that it shows.
const SPARKS: usize = 16;
const SPARK_STEPS: usize = 256;

impl List {
    fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        if let Some(library) = &self.library {
            return self.of_libraries(library, out);
        }
        match self.format {
            Format::Text => write_table(out)?,
            Format::Csv => {
                writeln!(out, "kind,keys,description,source")?;
                for kind in kinds() {
                    let KindInfo { name, about, source, .. } = kind;
                    let fields = [*name, &keys(kind, "; "), about, source];
                    writeln!(out, "{}", fields.map(quoted).join(","))?;
                }
            }
            Format::Json => {
                let all: Vec<_> = kinds().iter().map(as_json).collect();
                writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
            }
            Format::Markdown => out.write_all(markdown().as_bytes())?,
        }
        Ok(())
    }
}

impl List {
    /// The schedules of `library`, or of all.
    fn of_libraries(
        &self,
        library: &str,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        let packages: Vec<&Package> = match library {
            "all" => PACKAGES.iter().collect(),
            name => vec![Package::named(name).ok_or_else(|| {
                let known = PACKAGES.iter().map(|package| package.name);
                let known: Vec<&str> = known.chain(["all"]).collect();
                Error::Invalid(unknown("library", name, &known))
            })?],
        };
        let equal = |package: &Package, entry: &Entry| {
            let rates = package.shown(entry)?;
            equal_spec(&rates)
        };
        match self.format {
            Format::Markdown => {
                let page = libraries::markdown(&packages, &equal);
                out.write_all(page.as_bytes())?;
            }
            Format::Text => {
                out.write_all(libraries::text(&packages).as_bytes())?;
            }
            Format::Json => {
                let all = libraries::json(&packages, &equal);
                writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
            }
            Format::Csv => {
                writeln!(out, "library,schedule,signature,formula")?;
                for package in packages {
                    for entry in package.entries {
                        let fields = [
                            package.name,
                            entry.name,
                            entry.signature,
                            entry.formula,
                        ];
                        writeln!(out, "{}", fields.map(quoted).join(","))?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn as_json(kind: &KindInfo) -> serde_json::Value {
    let KindInfo { name, keys, about, source } = kind;
    let keys: Vec<_> = keys
        .iter()
        .map(|key| json!({ "key": key.name, "default": key.default }))
        .collect();
    json!({ "kind": name, "keys": keys, "description": about, "source": source })
}

/// A field of a CSV row.
fn quoted(field: &str) -> String {
    if field.contains([',', '"']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// The kinds in aligned columns, with one line per key.
fn write_table(out: &mut impl Write) -> std::io::Result<()> {
    let head = ["kind", "shape", "key", "description", "source"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for kind in kinds() {
        let keys = keys(kind, "\n");
        let mut keys = keys.lines().map(str::to_owned);
        let first = keys.next().unwrap_or_default();
        let shape = sample(kind, SPARK_STEPS)
            .and_then(|spec| spec.rates(1.0, SPARK_STEPS).ok())
            .map(|rates| plot::sparkline(&rates, 1.0, SPARKS));
        let [name, about, source] =
            [kind.name, kind.about, kind.source].map(str::to_owned);
        rows.push(vec![name, shape.unwrap_or_default(), first, about, source]);
        rows.extend(keys.map(|key| vec![String::new(), String::new(), key]));
    }
    write_aligned(out, &rows)?;
    writeln!(out, "\non every kind, and on {{ join = [...] }}:")?;
    for (name, default) in MODIFIERS {
        writeln!(out, "  {name} ({default})")?;
    }
    Ok(())
}

/// Writes `rows` in aligned columns.
pub(super) fn write_aligned(
    out: &mut impl Write,
    rows: &[Vec<String>],
) -> std::io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let line: Vec<String> =
            cells.map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", line.join("  ").trim_end())?;
    }
    Ok(())
}

/// Print the learning rate of every step as CSV `step,lr`.
///
/// Each decimal is the shortest that parses to the same number. With
/// --compat, the rates are those of the given library, with its own first
/// index, end and warm-up. --steps counts all updates of the training: the
/// `decay_steps` of Keras is --steps minus the warm-up.
///
/// With --compat, a library's own call is read too: `Name(key=value)` with
/// Python literals and without the optimizer, a configuration as a dictionary or
/// JSON object, or the flags of Megatron. The rates are those that the optimizer
/// has in the library's own loop. --peak is the rate that the optimizer was made
/// with. --steps may go beyond the plan in the call.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout schedules values '{ kind = \"one-cycle\" }' --peak 0.1 --steps 100\n  \
    lrscout schedules values '{ kind = \"cosine\", warmup = \"5%\" }' \
    --peak 3e-4 --steps 1000 --compat hf\n  \
    lrscout schedules values 'CosineAnnealingLR(T_max=100)' \
    --peak 0.1 --steps 120 --compat torch")]
struct Values {
    /// The schedule: an inline TOML table, or a call of the library.
    #[arg(allow_hyphen_values = true, value_name = "SPEC|CALL")]
    spec: String,
    /// Its highest learning rate.
    #[arg(long, allow_negative_numbers = true)]
    peak: f64,
    /// The budget, in optimizer updates.
    #[arg(long)]
    steps: usize,
    #[command(flatten)]
    library: OfLibrary,
}

impl Values {
    fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        let Self { spec, peak, steps, library } = &self;
        let wanted = Wanted { spec, peak: *peak, steps: *steps, library };
        let rates: Vec<f64> =
            (0..*steps as u64).map(wanted.rates(*steps)?).collect();
        writeln!(out, "step,lr")?;
        for (step, rate) in rates.iter().enumerate() {
            writeln!(out, "{step},{rate:?}")?;
        }
        if wanted.is_call() && !rates.is_empty() {
            let equal = equal_spec(&rates);
            let equal = equal.as_deref().unwrap_or("none of one kind");
            say(format!("equal SPEC: {equal}"));
            for surprise in surprises(&rates, *peak) {
                say(format!("warning: {surprise}"));
            }
            if let Some(changes) = wanted.changes() {
                say(format!("warning: {changes}"));
            }
        }
        Ok(())
    }
}

/// Plot schedules side by side as SVG; default: all kinds.
///
/// The plots show the factor on the peak. Without --out, the SVG goes to
/// standard output. With --out, standard output gets a sparkline of each
/// schedule.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout schedules plot --steps 200 --out schedules.svg\n  \
    lrscout schedules plot '{ kind = \"wsd\" }' \
    '{ kind = \"wsd\", decay = 0.6 }' --steps 500 > wsd.svg")]
struct Plot {
    /// The schedules, as inline TOML tables.
    #[arg(value_name = "SPEC")]
    specs: Vec<String>,
    /// The budget, in optimizer updates.
    #[arg(long)]
    steps: usize,
    /// Write the SVG to this file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Plot {
    fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        let specs: Vec<ScheduleSpec> = if self.specs.is_empty() {
            let steps = self.steps.max(20);
            kinds().iter().filter_map(|kind| sample(kind, steps)).collect()
        } else {
            let read = |text: &String| parse_schedule(text);
            self.specs.iter().map(read).collect::<Result<_, _>>()?
        };
        let curves: Vec<(String, Vec<f64>)> = specs
            .iter()
            .map(|spec| {
                let name = match spec.kind() {
                    // The points of the sample would not fit.
                    kind @ "piecewise" if self.specs.is_empty() => {
                        kind.to_owned()
                    }
                    _ => spec.label(),
                };
                Ok((name, spec.rates(1.0, self.steps)?))
            })
            .collect::<crate::error::Result<_>>()?;
        let svg = plot::schedules(&curves);
        match self.out {
            Some(path) => {
                std::fs::write(&path, svg).map_err(Error::io(&path))?;
                let rows: Vec<_> = curves
                    .iter()
                    .map(|(label, factors)| {
                        let line = plot::sparkline(factors, 1.0, 2 * SPARKS);
                        vec![line, label.clone()]
                    })
                    .collect();
                write_aligned(out, &rows)?;
            }
            None => out.write_all(svg.as_bytes())?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        schedules: Schedules,
    }

    /// What `lrscout schedules ...` prints.
    fn printed(arguments: &[&str]) -> anyhow::Result<String> {
        let command = Command::try_parse_from(
            std::iter::once("schedules").chain(arguments.iter().copied()),
        )?;
        let mut out = vec![];
        command.schedules.run(&mut out)?;
        Ok(String::from_utf8(out)?)
    }

    #[test]
    fn values_are_the_shortest_decimals() {
        let spec = r#"{ kind = "exponential", end_ratio = 1e-8 }"#;
        let got = printed(&["values", spec, "--peak", "0.1", "--steps", "4"]);
        let want = "step,lr\n0,0.1\n1,0.001\n2,1e-5\n3,1e-7\n";
        let got = got.expect("stands");
        let rows = |text: &str| -> Vec<f64> {
            let fields = text.lines().skip(1).filter_map(|l| l.split_once(','));
            fields.map(|(_, lr)| lr.parse().expect("a number")).collect()
        };
        for (got, want) in rows(&got).into_iter().zip(rows(want)) {
            assert!((got / want - 1.0).abs() < 1e-12, "{got} is not {want}");
        }
        assert!(got.starts_with("step,lr\n0,0.1\n1,"), "{got}");
        assert!(got.lines().all(|line| line.len() < 26), "{got}");
    }

    #[test]
    fn values_follow_a_library() {
        let spec = r#"{ kind = "linear", warmup = 2 }"#;
        let got = printed(&[
            "values", spec, "--peak", "1", "--steps", "4", "--compat", "hf",
        ]);
        let want = "step,lr\n0,0.0\n1,0.5\n2,1.0\n3,0.5\n";
        assert_eq!(got.expect("stands"), want);
    }

    #[test]
    fn a_bad_spec_or_budget_is_bad_input() {
        let long = r#"{ kind = "linear", warmup = 9 }"#;
        for spec in [r#"{ kind = "linaer" }"#, "{ kind", long] {
            let got = printed(&["values", spec, "--peak", "1", "--steps", "4"]);
            let error = got.expect_err("it cannot stand");
            assert!(matches!(
                error.downcast_ref(),
                Some(Error::Input { .. } | Error::Invalid(_))
            ));
        }
    }

    #[test]
    fn a_peak_below_0_is_named() {
        let spec = r#"{ kind = "linear" }"#;
        let got = printed(&["values", spec, "--peak", "-1", "--steps", "4"]);
        let want = "the peak learning rate is -1, it must be above 0";
        assert_eq!(got.expect_err("no peak").to_string(), want);
    }

    #[test]
    fn the_list_has_every_kind_in_every_format() {
        for format in ["text", "csv", "json", "markdown"] {
            let got = printed(&["list", "--format", format]).expect("a list");
            for kind in kinds() {
                assert!(got.contains(kind.name), "{format}: {}", kind.name);
            }
        }
        let csv = printed(&["list", "--format", "csv"]).expect("a list");
        let rex = "rex,d=0.5,\"slow first, fast at the end; d sets how \
                   much\",Chen et al. 2021";
        assert!(csv.contains(rex), "{csv}");
    }

    /// `make docs` writes them.
    #[test]
    fn the_committed_page_and_picture_are_what_the_program_writes() {
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schedules");
        let read =
            |ending: &str| std::fs::read_to_string(docs.to_owned() + ending);
        let page = printed(&["list", "--format", "markdown"]).expect("a page");
        assert!(page == read(".md").expect("committed"), "run `make docs`");
        let of_all = ["list", "--library", "all", "--format", "markdown"];
        let libraries = printed(&of_all).expect("a page");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/libraries.md");
        let committed = std::fs::read_to_string(path).expect("committed");
        assert!(libraries == committed, "run `make docs`");
        let picture = printed(&["plot", "--steps", "200"]).expect("a plot");
        let same = picture == read(".svg").expect("committed");
        assert!(same, "run `make docs`");
    }

    #[test]
    fn plots_go_to_standard_output_or_a_file() {
        let svg = printed(&["plot", "--steps", "20"]).expect("a plot");
        assert!(svg.contains("<svg"));
        let file = tempfile::NamedTempFile::new().expect("a file");
        let path = file.path().to_str().expect("UTF-8");
        let spec = r#"{ kind = "rex" }"#;
        let printed = printed(&["plot", spec, "--steps", "9", "--out", path]);
        assert_eq!(
            printed.expect("a plot"),
            "███████▇▇▇▇▇▇▇▆▆▆▆▅▅▅▄▄▄▄▃▃▃▂▂▂▂  rex\n"
        );
        let svg = std::fs::read_to_string(path).expect("written");
        assert!(svg.contains("rex"));
    }
}
