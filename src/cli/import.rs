use super::reading::{Reading, Scores, read};
use crate::error::Result;
use crate::gzip;
use crate::results::Sheet;
use crate::store::write_atomically;
use std::io::Write;
use std::path::PathBuf;

/// Write the runs of other tools, or of several folders, as a `runs.csv`.
///
/// Reads exports and logs of W&B, MLflow, Optuna, the Hugging Face Trainer,
/// Lightning, TensorBoard, Ray Tune and Keras, and tables of any form (CSV
/// with any separator, JSON; a column for each schedule). `lrscout rank`
/// reads the same files directly and gives the same answer. What was
/// understood is printed to standard error.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout import wandb-export.csv --to runs.csv\n  \
    lrscout import mlflow.db --to runs.csv --workload params.dataset\n  \
    lrscout import lightning_logs --to runs.csv --path '{schedule}-{seed}'\n  \
    lrscout import 'runs/*/trainer_state.json' --to runs.csv --row best\n  \
    lrscout import results/mine --to runs.csv.gz --columns \
    workload,schedule,seed,valid_loss")]
pub(crate) struct Import {
    /// Files, folders or patterns (`'logs/*/metrics.csv'`).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// File to write, compressed if it ends in `.gz`; default: standard output.
    #[arg(long, value_name = "RUNS.csv")]
    to: Option<PathBuf>,
    /// Write only these columns.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    #[command(flatten)]
    scores: Scores,
    #[command(flatten)]
    reading: Reading,
}

impl Import {
    pub(crate) fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        let imported = read(&self.files, &self.reading.with(self.scores))?;
        let table = Sheet::joined(imported.sheets);
        let places = self.columns.iter().map(|name| table.needed(name));
        let places = places.collect::<Result<Vec<usize>>>()?;
        // Without seeds all of them are 0: a table that says so would be
        // paired.
        let keep = |place: usize, name: &str| {
            (imported.has_seeds || name != "seed")
                && (places.is_empty() || places.contains(&place))
        };
        let mut text = vec![];
        table.print(&mut text, keep)?;
        match self.to {
            Some(path) if path.extension().is_some_and(|end| end == "gz") => {
                write_atomically(&path, &gzip::packed(&text))?;
            }
            Some(path) => write_atomically(&path, &text)?,
            None => out.write_all(&text)?,
        }
        Ok(())
    }
}
