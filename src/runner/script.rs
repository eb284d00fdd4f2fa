//! Training scripts: their command, their folder and their environment.

use crate::error::Result;
use crate::spec::{ScriptFolder, is_python, launched};
use crate::store::task::TaskFolder;
use crate::train::ProgramTask;
use serde::Serialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A script, as it is started under the launcher.
pub(super) struct Script {
    /// The arguments of its program, the launcher among them.
    words: Vec<String>,
    folder: ScriptFolder,
}

/// What the task file says to the launcher.
#[derive(Serialize)]
pub(super) struct Launch {
    /// Whether the script is to train undisturbed.
    record: bool,
    /// Most seconds that it then trains.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    run_dir: PathBuf,
}

impl Script {
    /// The script in `command`, whose paths are relative to `base`.
    ///
    /// # Errors
    ///
    /// If `command` starts no script.
    pub(super) fn new(
        command: &[String],
        folder: ScriptFolder,
        base: &Path,
    ) -> Result<Self> {
        let is_script =
            |word: &str| is_python(word) && base.join(word).is_file();
        let mut words = launched(command, is_script)?;
        words.remove(0);
        if folder == ScriptFolder::Own {
            for word in &mut words {
                // From a folder of its own, it leads elsewhere.
                if word.starts_with("..") && base.join(&*word).exists() {
                    *word = base.join(&*word).to_string_lossy().into_owned();
                }
            }
        }
        Ok(Self { words, folder })
    }

    /// What the launcher is told of `task`, in a folder of `files`.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made.
    pub(super) fn launch(
        &self,
        task: &ProgramTask<'_>,
        files: &TaskFolder,
        base: &Path,
    ) -> Result<Launch> {
        let run_dir = match self.folder {
            ScriptFolder::Own => files.run_dir(base)?,
            ScriptFolder::Grid => files.empty("run")?,
        };
        let (record, seconds) = (task.record, task.seconds);
        Ok(Launch { record, seconds, run_dir })
    }

    /// Completes `command`.
    pub(super) fn dress(
        &self,
        command: &mut Command,
        task: &ProgramTask<'_>,
        seed: u64,
        launch: &Launch,
        base: &Path,
    ) {
        let run_dir = &launch.run_dir;
        let peak = task.rates.iter().copied().fold(0.0, f64::max);
        let values = [
            ("{run_dir}", run_dir.to_string_lossy().into_owned()),
            ("{seed}", seed.to_string()),
            ("{steps}", task.steps.to_string()),
            ("{lr}", format!("{peak:?}")),
        ];
        for word in &self.words {
            let fill = |word: String, (name, value): &(&str, String)| {
                word.replace(name, value)
            };
            command.arg(values.iter().fold(word.clone(), fill));
        }
        let (place, own) = match self.folder {
            ScriptFolder::Own => (run_dir.as_path(), true),
            ScriptFolder::Grid => (base, false),
        };
        command.current_dir(place);
        let logs = format!("file:{}", run_dir.join("mlruns").display());
        for (name, value) in [
            ("WANDB_MODE", OsString::from("offline")),
            ("WANDB_DIR", run_dir.into()),
            ("MLFLOW_TRACKING_URI", logs.into()),
            ("TENSORBOARD_LOGDIR", run_dir.into()),
        ] {
            if own || std::env::var_os(name).is_none() {
                command.env(name, value);
            }
        }
    }
}
