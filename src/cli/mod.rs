//! The command line: one file a verb.
//!
//! A verb is a struct whose doc comment is its help; `Verb` lists them, and
//! exit codes are at the end of this file.

mod audit;
mod auto;
mod bench;
mod bench_finder;
mod calibrate;
mod check;
mod claims;
mod curve;
mod datasets;
mod diff;
mod export;
mod filter;
mod find_lr;
mod forecast;
mod import;
mod rank;
mod reading;
mod recommend;
mod report;
mod run;
mod schedules;
mod search;
mod wanted;

use crate::audit::Verdict;
use crate::error::Error;
use crate::grid::Known;
use crate::lr_find::Rule;
use crate::workload::Registry;
use clap::{Parser, Subcommand};
use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// Find the learning rate of a model and rank learning-rate schedules.
///
/// Grids are TOML files. Every command prints its result to standard output
/// and its messages to standard error.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:\n  \
        lrscout run experiments/smoke.toml     find rates, train, rank\n  \
        lrscout check experiments/*.toml       errors, cost, attainable p\n  \
        lrscout find-lr experiments/smoke.toml --workload letter-mlp\n  \
        lrscout rank results/smoke/runs.csv    ranks any CSV of runs\n  \
        lrscout recommend                      which schedule to use, and why\n  \
        lrscout diff results/a results/b       what changed\n  \
        lrscout schedules list\n\n\
        Exit status: 0 done, 1 failed, 2 wrong usage, 65 bad input file,\n\
        75 try again (disk, permissions), 130 interrupted."
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Auto(auto::Auto),
    Check(check::Check),
    FindLr(find_lr::FindLr),
    Run(run::Run),
    Search(search::Search),
    Rank(rank::Rank),
    Import(import::Import),
    Recommend(recommend::Recommend),
    Claims(claims::Claims),
    Report(report::Report),
    Diff(diff::Diff),
    Schedules(schedules::Schedules),
    Audit(audit::Audit),
    Datasets(datasets::Datasets),
    Export(export::Export),
    Bench(bench::Bench),
    BenchFinder(bench_finder::BenchFinder),
    Calibrate(calibrate::Calibrate),
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// How a table is printed.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum TableFormat {
    Text,
    Csv,
}

/// Runs the command line with the models and data sets of `registry`. It is
/// the body of a `main` function; call it before any thread is started.
///
/// ```no_run
/// use lrscout::Registry;
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     lrscout::main(Registry::builtin())
/// }
/// ```
pub fn main(registry: Registry) -> ExitCode {
    crate::kernels::one_thread_a_run();
    let cli = Cli::parse();
    let mut out = std::io::stdout().lock();
    let mut code = ExitCode::SUCCESS;
    let result = take_path().and_then(|()| match cli.verb {
        Verb::Auto(verb) => verb.run(&registry, &mut out),
        Verb::Check(verb) => verb.run(&registry, &mut out),
        Verb::FindLr(verb) => verb.run(&registry, &mut out),
        Verb::Run(verb) => verb.run(&registry, &mut out),
        Verb::Search(verb) => verb.run(&registry, &mut out),
        Verb::Rank(verb) => verb.run(&mut out),
        Verb::Import(verb) => verb.run(&mut out),
        Verb::Recommend(verb) => verb.run(&mut out),
        Verb::Claims(verb) => verb.run(&mut out),
        Verb::Report(verb) => verb.run(&mut out),
        Verb::Diff(verb) => verb.run(&mut out),
        Verb::Schedules(verb) => verb.run(&mut out),
        Verb::Audit(verb) => {
            verb.run(&mut out).map(|verdict| code = code_of(verdict))
        }
        Verb::Datasets(verb) => verb.run(&mut out),
        Verb::Export(verb) => verb.run(&mut out),
        Verb::Bench(verb) => verb.run(&registry, &mut out),
        Verb::BenchFinder(verb) => verb.run(&registry, &mut out),
        Verb::Calibrate(verb) => verb.run(&registry, &mut out),
    });
    let result = result.and_then(|()| Ok(out.flush()?));
    match result {
        Ok(()) => code,
        // `lrscout ... | head` is not a failure.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            say(printable(&format!("error: {error:#}")));
            ExitCode::from(exit_code(&error))
        }
    }
}

/// Takes the path of the kernels that `LRSCOUT_ISA` names, if it is set.
fn take_path() -> anyhow::Result<()> {
    let Some(name) = std::env::var_os("LRSCOUT_ISA") else { return Ok(()) };
    let name = name.to_string_lossy();
    crate::kernels::take_path(&name).map_err(|paths| {
        let paths = paths.join(", ");
        let message =
            format!("LRSCOUT_ISA is `{name}`; this machine has {paths}");
        Error::Invalid(message).into()
    })
}

/// Prints a message to standard error. A closed standard error is not a
/// reason to stop: only the results matter.
fn say(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The names that a grid may use in addition to the built-in ones.
fn known(registry: &Registry) -> Known {
    let rules = Rule::ALL.iter().map(ToString::to_string).collect();
    Known { rules, ..registry.known() }
}

/// `message` without control characters: names in it come from files.
fn printable(message: &str) -> String {
    let plain = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    message.chars().map(plain).collect()
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = match error.downcast_ref::<Error>() {
        Some(Error::Io { cause, .. }) => Some(cause),
        _ => error.downcast_ref::<std::io::Error>(),
    };
    cause.is_some_and(|cause| cause.kind() == ErrorKind::BrokenPipe)
}

/// The exit codes of `audit`.
fn code_of(verdict: Verdict) -> ExitCode {
    ExitCode::from(match verdict {
        Verdict::AsIntended => 0,
        Verdict::Differs => 1,
        Verdict::CannotTell => 2,
    })
}

/// The exit codes of sysexits.h, where one fits.
fn exit_code(error: &anyhow::Error) -> u8 {
    const BAD_INPUT: u8 = 65;
    const TRY_AGAIN: u8 = 75;
    match error.downcast_ref::<Error>() {
        Some(Error::Input { .. } | Error::Invalid(_)) => BAD_INPUT,
        Some(Error::Io { cause, .. }) => match cause.kind() {
            ErrorKind::NotFound
            | ErrorKind::IsADirectory
            | ErrorKind::InvalidData => BAD_INPUT,
            _ => TRY_AGAIN,
        },
        Some(Error::TimeUp) => TRY_AGAIN,
        Some(Error::Interrupted) => 130,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// The help of `command` and of the verbs below it.
    fn help(command: &mut clap::Command) -> String {
        let text = command.render_long_help().to_string();
        let verbs = command.get_subcommands_mut();
        let verbs = verbs.filter(|verb| verb.get_name() != "help").map(help);
        [text].into_iter().chain(verbs).collect::<Vec<_>>().join("\n----\n")
    }

    #[test]
    fn every_verb_has_help_with_an_example() {
        let mut program = Cli::command().term_width(80);
        program.build();
        for verb in program.get_subcommands_mut() {
            let name = verb.get_name().to_owned();
            if name != "help" {
                let text = help(verb);
                assert!(text.contains("Example"), "{name}");
                insta::assert_snapshot!(format!("help_{name}"), text);
            }
        }
        let text = program.render_long_help().to_string();
        insta::assert_snapshot!("help", text);
    }

    #[test]
    fn a_fault_of_the_model_is_no_bad_input() {
        let panic = Error::tensor("a panic")("no such layer");
        assert_eq!(exit_code(&panic.into()), 1);
        let invalid = Error::Invalid("a budget of 0".to_owned());
        assert_eq!(exit_code(&invalid.into()), 65);
    }
}
