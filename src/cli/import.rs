use super::reading::{Reading, Scores, read};
use crate::results::Sheet;
use crate::store::write_atomically;
use std::io::Write;
use std::path::PathBuf;

/// Write the runs of other tools as a `runs.csv`.
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
    lrscout import 'runs/*/trainer_state.json' --to runs.csv --row best")]
pub(crate) struct Import {
    /// Files, folders or patterns (`'logs/*/metrics.csv'`).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// File to write; default: standard output.
    #[arg(long, value_name = "RUNS.csv")]
    to: Option<PathBuf>,
    #[command(flatten)]
    scores: Scores,
    #[command(flatten)]
    reading: Reading,
}

impl Import {
    pub(crate) fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        let imported = read(&self.files, &self.reading.with(self.scores))?;
        let mut text = vec![];
        // All of them are 0 then: a table that says so would be paired.
        let left_out: &[&str] =
            if imported.has_seeds { &[] } else { &["seed"] };
        Sheet::joined(imported.sheets).print(&mut text, left_out)?;
        match self.to {
            Some(path) => write_atomically(&path, &text)?,
            None => out.write_all(&text)?,
        }
        Ok(())
    }
}
