//! External programs: the task file and environment of each start.

use super::script::{Launch, Script};
use super::workers::lock;
use crate::digest::{self, Digest};
use crate::error::{Error, Result};
use crate::spec::ExternalSpec;
use crate::store::Package;
use crate::store::task::{self, TaskFolder};
use crate::train::{External, Launched, ProgramTask};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

/// Stands in the command for the file of the task.
const TASK_FILE: &str = "{spec}";

/// One thread per run, so that sums, and results, do not depend on the number
/// of simultaneous runs. A value set by the user is kept.
const THREADS: (&str, &str) = ("OMP_NUM_THREADS", "1");

/// The task file.
#[derive(Serialize)]
struct TaskFile<'a> {
    protocol: u64,
    /// Equal for equal tasks.
    task: String,
    #[serde(flatten)]
    what: What<'a>,
    /// None for an undisturbed start.
    lr_table: Option<PathBuf>,
    momentum_table: Option<PathBuf>,
    /// For the launcher of a script.
    #[serde(skip_serializing_if = "Option::is_none")]
    launch: Option<&'a Launch>,
}

/// The task without its tables.
#[derive(Serialize)]
struct What<'a> {
    mode: &'static str,
    seed: u64,
    steps: usize,
    model: Option<&'a str>,
    dataset: Option<&'a str>,
    optimizer: Option<&'a str>,
    batch: Option<usize>,
    eval_steps: &'a [usize],
    grad_norm: Option<&'static str>,
}

/// Makes the trainers for the external programs of a grid.
#[derive(Default)]
pub(super) struct Programs {
    /// Digests of the files read so far, which workloads may share.
    prints: HashMap<PathBuf, String>,
    /// Numbers in use by running programs.
    places: Arc<Mutex<BTreeSet<usize>>>,
    /// The launcher, once a script needs it.
    package: Option<Arc<Package>>,
}

/// The number of a running program: the lowest free one. It is released when
/// dropped.
struct Place {
    number: usize,
    all: Arc<Mutex<BTreeSet<usize>>>,
}

impl Place {
    fn take(all: &Arc<Mutex<BTreeSet<usize>>>) -> Self {
        let mut taken = lock(all);
        let free = |number: &usize| !taken.contains(number);
        let number = (0..taken.len()).find(free).unwrap_or(taken.len());
        taken.insert(number);
        Self { number, all: Arc::clone(all) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.all).remove(&self.number);
    }
}

impl Programs {
    /// The trainer of the workload `name`, and a digest of the files that its
    /// results depend on. It runs in `base`, the folder of the grid.
    ///
    /// # Errors
    ///
    /// If the program or one of the files does not exist.
    pub(super) fn trainer(
        &mut self,
        name: &str,
        spec: &ExternalSpec,
        base: &Path,
    ) -> Result<(External, String)> {
        let here =
            std::env::current_dir().map_err(Error::io(Path::new(".")))?;
        let base = here.join(base);
        let program = &spec.command[0];
        let Some(program) = task::program(program, &base) else {
            return Err(Error::Invalid(format!(
                "`{name}`: there is no program `{program}`; install it, or \
                 correct `command`"
            )));
        };
        let mut prints = vec![];
        for file in &spec.fingerprint {
            let path = base.join(file);
            let print = if let Some(print) = self.prints.get(&path) {
                print.clone()
            } else {
                let mut digest = Digest::default();
                digest.read(task::open(&path)?).map_err(Error::io(&path))?;
                digest.hex()
            };
            prints.push(print.clone());
            self.prints.insert(path, print);
        }
        let package = match &self.package {
            Some(package) => Arc::clone(package),
            None => Arc::new(Package::new()?),
        };
        self.package = Some(Arc::clone(&package));
        let script =
            spec.script.map(|own| Script::new(&spec.command, own, &base));
        let script = script.transpose()?;
        let places = Arc::clone(&self.places);
        let start =
            Start { spec: spec.clone(), program, base, script, package };
        let launch = move |task: &ProgramTask<'_>| {
            start.launch(task, Place::take(&places))
        };
        let external = External {
            name: name.to_owned(),
            optimizer: spec.likely_optimizer(),
            metric: spec.metric.clone(),
            timeout: spec.timeout,
            is_script: spec.script.is_some(),
            launch: Arc::new(launch),
        };
        Ok((external, digest::of(prints.join("\n").as_bytes())))
    }
}

/// How a program is started.
struct Start {
    spec: ExternalSpec,
    program: PathBuf,
    base: PathBuf,
    script: Option<Script>,
    package: Arc<Package>,
}

impl Start {
    fn launch(&self, task: &ProgramTask<'_>, place: Place) -> Result<Launched> {
        let spec = &self.spec;
        let what = What {
            mode: if task.interactive { "interactive" } else { "table" },
            seed: seed(task.seed),
            steps: task.steps,
            model: spec.model.as_deref(),
            dataset: spec.dataset.as_deref(),
            optimizer: spec.optimizer.as_deref(),
            batch: spec.batch,
            eval_steps: task.eval_steps,
            grad_norm: task.grad_norm,
        };
        let told = serde_json::to_vec(&(&what, task.rates, task.momenta));
        let folder = TaskFolder::new()?;
        let launch = self.script.as_ref();
        let launch = launch
            .map(|script| script.launch(task, &folder, &self.base))
            .transpose()?;
        let rates = (!task.record).then(|| folder.table("lr", task.rates));
        let momenta = task.momenta.map(|all| folder.table("momentum", all));
        let file = TaskFile {
            protocol: ExternalSpec::PROTOCOL,
            task: digest::of(&told.expect("plain data")),
            what,
            lr_table: rates.transpose()?,
            momentum_table: momenta.transpose()?,
            launch: launch.as_ref(),
        };
        let file = folder.object("spec", &file)?;
        let mut command = Command::new(&self.program);
        if let (Some(script), Some(launch)) = (&self.script, &launch) {
            let seed = seed(task.seed);
            script.dress(&mut command, task, seed, launch, &self.base);
        } else {
            let path = file.to_string_lossy();
            let words = spec.command[1..].iter();
            command
                .args(words.map(|word| word.replace(TASK_FILE, &path)))
                .current_dir(&self.base);
        }
        command
            .env(task::SPEC, &file)
            .env("LRSCOUT_WORKER", place.number.to_string())
            .env("PYTHONPATH", self.python_path())
            // Events must not be buffered.
            .env("PYTHONUNBUFFERED", "1");
        let (threads, one) = THREADS;
        if std::env::var_os(threads).is_none() {
            command.env(threads, one);
        }
        let holds = Box::new((folder, place));
        let workers = Arc::new(move || task::workers(&file));
        Ok(Launched { command, workers, holds })
    }

    /// Where Python looks for modules: first in the package, so that every
    /// program can import it, then where the user says.
    fn python_path(&self) -> OsString {
        let mut path = OsString::from(self.package.path());
        if let Some(more) = std::env::var_os("PYTHONPATH") {
            path.push(":");
            path.push(more);
        }
        path
    }
}

/// `seed` in 32 bits, which every framework accepts. Small seeds stay as they
/// are. Others are hashed to the upper half, so that the seeds of a finder
/// differ from those of the runs.
fn seed(seed: u64) -> u64 {
    const HALF: u64 = 1 << 31;
    if seed < HALF {
        return seed;
    }
    let bytes = digest::of(&seed.to_le_bytes());
    let word = u64::from_str_radix(&bytes[..8], 16).unwrap_or_default();
    HALF | word
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn programs_under_way_have_numbers_of_their_own() {
        let places = Arc::default();
        let [first, second] = [(); 2].map(|()| Place::take(&places));
        assert_eq!((first.number, second.number), (0, 1));
        drop(first);
        assert_eq!(Place::take(&places).number, 0);
        let again = [(); 2].map(|()| Place::take(&places).number);
        assert_eq!(again, [0, 0], "each was given back at once");
        drop(second);
    }

    #[test]
    fn seeds_fit_every_framework_and_stay_apart() {
        assert_eq!([0, 1, 4711].map(seed), [0, 1, 4711]);
        let large = (0..1000_u64).map(|k| seed((1 << 32) + k));
        let large: HashSet<u64> = large.collect();
        assert_eq!(large.len(), 1000);
        assert!(large.iter().all(|&s| (1 << 31..1 << 32).contains(&s)));
    }
}
