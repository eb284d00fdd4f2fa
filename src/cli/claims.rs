use super::TableFormat;
use super::reading::results;
use crate::error::Error;
use crate::import::Asked;
use crate::ranking::{Protocol, Runs, claims};
use crate::report::table;
use crate::results::rows::Statement;
use crate::results::{Sheet, print_rows};
use crate::schedule::ScheduleSpec;
use std::io::Write;
use std::path::PathBuf;

/// Test claims about schedules that were written down before the runs.
///
/// CLAIMS.csv has one claim a row, in the columns `claim` (words), `a`, `b`
/// (labels of schedules; `x | y` is one schedule with two labels), `relation`,
/// `size`, and if wanted `optimizer`, `budget` and `lr_multiple` (a number, or
/// `tuned`: each schedule at its best multiple, chosen on other seeds). The
/// difference a - b is that of the logarithms of losses, averaged over data
/// sets: 0.02 means that `a` is 2 % worse. With the budget `250 - 1000` it is
/// the difference at 250 minus that at 1000. The relation is `above`, `below`
/// or `within` the size. Several folders are one study.
///
/// The column `measure` may name another quantity than `difference`:
/// `bound-order` is Spearman's correlation of convex bounds and mean ranks,
/// `budget-order` that of the mean regrets at two budgets. Both are of all
/// schedules: `a` and `b` are empty.
///
/// A claim is confirmed if its test is significant after Holm's correction
/// over all claims and the effect is as large as claimed; refuted if the 95 %
/// interval of the effect excludes that; else not decided. Orders are decided
/// by their interval alone.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout claims experiments/study/claims.csv results/study-250\n  \
    lrscout claims mine.csv results/short results/long --format csv")]
pub(crate) struct Claims {
    /// The claims.
    #[arg(value_name = "CLAIMS.csv")]
    claims: PathBuf,
    /// Results folders, or tables of runs.
    #[arg(value_name = "DIR", required = true)]
    dirs: Vec<PathBuf>,
    /// Level of significance.
    #[arg(long, value_name = "P", default_value = "0.05",
        value_parser = super::rank::level)]
    alpha: f64,
    #[arg(long, value_enum, default_value = "text")]
    format: TableFormat,
}

impl Claims {
    pub(crate) fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        let (mut runs, mut protocol) = (Runs::default(), Protocol::default());
        let mut schedules: Vec<ScheduleSpec> = vec![];
        for dir in &self.dirs {
            let found = results(dir, &Asked::default())?;
            let score = found.score.as_deref();
            let more = Runs::read(&found.runs, score)?;
            if !runs.column.is_empty() && runs.column != more.column {
                return Err(Error::Invalid(format!(
                    "the scores are of `{}`, but in `{}` of `{}`",
                    runs.column,
                    dir.display(),
                    more.column
                ))
                .into());
            }
            runs.column.clone_from(&more.column);
            runs.extend(more);
            protocol = found.protocol;
            schedules.extend(
                found.own.into_iter().flat_map(|own| own.outline().schedules),
            );
        }
        let statements: Vec<Statement> = Sheet::read(&self.claims)?.rows()?;
        let protocol = Protocol { alpha: self.alpha, ..protocol };
        let rows = claims(&runs, &schedules, &statements, &protocol)?;
        match self.format {
            TableFormat::Text => write!(out, "{}", table::claims(&rows))?,
            TableFormat::Csv => print_rows(out, &rows)?,
        }
        Ok(())
    }
}
