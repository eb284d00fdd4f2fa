use super::reading::results;
use crate::import::Asked;
use crate::ranking::{Protocol, Runs, claims};
use crate::report::table;
use crate::results::rows::Statement;
use crate::results::{Sheet, print_rows};
use clap::ValueEnum;
use std::io::Write;
use std::path::PathBuf;

/// Test claims about schedules that were written down before the runs.
///
/// CLAIMS.csv has one claim a row, in the columns `claim` (words), `a`, `b`
/// (labels of schedules), `relation`, `size`, and if wanted `optimizer`,
/// `budget` and `lr_multiple` (a number, or `tuned`: each schedule at its best
/// multiple, chosen on other seeds). The difference a - b is that of the
/// logarithms of losses, averaged over data sets: 0.02 means that `a` is 2 %
/// worse. The relation is `above`, `below` or `within` the size.
///
/// A claim is confirmed if its test is significant after Holm's correction
/// over all claims and the effect is as large as claimed; refuted if the 95 %
/// interval of the effect excludes that; else not decided.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout claims results/study-250 experiments/study/claims.csv\n  \
    lrscout claims results/mine mine.csv --format csv")]
pub(crate) struct Claims {
    /// Results folder, or a table of runs.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The claims.
    #[arg(value_name = "CLAIMS.csv")]
    claims: PathBuf,
    /// Level of significance.
    #[arg(long, value_name = "P", default_value = "0.05",
        value_parser = super::rank::level)]
    alpha: f64,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Csv,
}

impl Claims {
    pub(crate) fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        let found = results(&self.dir, &Asked::default())?;
        let runs = Runs::read(&found.runs, found.score.as_deref())?;
        let statements: Vec<Statement> = Sheet::read(&self.claims)?.rows()?;
        let protocol = Protocol { alpha: self.alpha, ..found.protocol };
        let rows = claims(&runs, &statements, &protocol)?;
        match self.format {
            Format::Text => write!(out, "{}", table::claims(&rows))?,
            Format::Csv => print_rows(out, &rows)?,
        }
        Ok(())
    }
}
