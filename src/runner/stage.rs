//! A stage: the missing cells of one kind are computed in parallel, and each
//! result is stored as soon as it is finished.

use super::admission::{Admission, Admitted};
use super::progress::{Event, Progress};
use super::workers::{Done, Queue, caught, in_pool, lock};
use super::{Cell, Options};
use crate::error::{Error, Result};
use crate::store::{Claim, Store};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// Interval of the renewal of claims; much shorter than their expiry.
const RENEWAL: Duration = Duration::from_secs(20);

/// How long to wait for other runners before the next check.
const OTHERS: Duration = Duration::from_millis(300);

/// The cells of one kind.
pub(super) struct Stage<'a> {
    pub(super) title: &'a str,
    pub(super) ids: Vec<&'a str>,
    /// Without a store, nothing is read or stored.
    pub(super) store: Option<&'a Store>,
    pub(super) options: &'a Options<'a>,
    /// Relative cost of a cell.
    pub(super) cost: &'a (dyn Fn(usize) -> f64 + Sync),
    /// Whether the cost is in seconds.
    pub(super) timed: bool,
    pub(super) name: &'a (dyn Fn(usize) -> String + Sync),
}

/// The cells of a stage and how many of them were computed now.
pub(super) type Computed<T> = (Vec<Cell<T>>, usize);

/// Cells that are computed together.
pub(super) trait CellTask: Send {
    /// Indices of the cells.
    fn cells(&self) -> Vec<usize>;
}

impl CellTask for usize {
    fn cells(&self) -> Vec<usize> {
        vec![*self]
    }
}

/// The execution of a task on a worker.
pub(super) struct Turn<'a> {
    /// Number of the worker.
    pub(super) worker: usize,
    options: &'a Options<'a>,
    admitted: Admitted<'a>,
    /// Wakes the workers that wait for memory.
    wake: &'a (dyn Fn() + Sync),
    asked: AtomicBool,
}

impl Turn<'_> {
    /// Whether to stop; called before every update.
    pub(super) fn stopped(&self) -> bool {
        // The second call follows the first update: its memory use is known.
        if self.asked.swap(true, Ordering::Relaxed) && self.admitted.settle() {
            (self.wake)();
        }
        self.options.stopped()
    }
}

/// The output of a task before its end.
pub(super) enum Step<K, T> {
    /// The result of one of its cells.
    Done(usize, T),
    /// A part of the task that another worker can do.
    More(K),
}

/// A report of a worker.
enum Heard<T> {
    Began(usize, usize),
    /// A worker is idle.
    Rests(usize),
    /// With whether it was computed here.
    Done(usize, T, bool),
    Failed(usize, Cell<T>, String),
    /// A result that could not be stored.
    Broken(Error),
}

impl Stage<'_> {
    /// Computes each missing cell separately, the most expensive first.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or written.
    pub(super) fn each<T: Clone + Send + Serialize + DeserializeOwned>(
        &self,
        work: impl Fn(usize, &Turn<'_>) -> Result<T> + Sync,
    ) -> Result<Computed<T>> {
        let tasks = |cells: &[usize]| {
            let mut cells = cells.to_vec();
            let cost = self.cost;
            cells.sort_by(|&a, &b| cost(b).total_cmp(&cost(a)).then(a.cmp(&b)));
            cells
        };
        self.run(tasks, |cell, turn, tell| {
            tell(Step::Done(cell, work(cell, turn)?))
        })
    }

    /// Computes the missing cells by `tasks`, the first ones first. Where a
    /// task of several cells fails, each of them is tried alone.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or written.
    pub(super) fn run<
        K: CellTask,
        T: Clone + Send + Serialize + DeserializeOwned,
    >(
        &self,
        tasks: impl Fn(&[usize]) -> Vec<K> + Sync,
        work: impl Fn(
            K,
            &Turn<'_>,
            &mut dyn FnMut(Step<K, T>) -> Result<()>,
        ) -> Result<()>
        + Sync,
    ) -> Result<Computed<T>> {
        let mut cells = Vec::with_capacity(self.ids.len());
        for id in &self.ids {
            let kept = self.store.map_or(Ok(None), |store| store.get(id))?;
            cells.push(kept.map_or(Cell::Missing, Cell::Done));
        }
        let mut todo: Vec<usize> = (0..cells.len())
            .filter(|&i| matches!(cells[i], Cell::Missing))
            .filter(|&i| self.options.wants(self.ids[i]))
            .collect();
        self.pass_on_notes();
        if todo.is_empty() {
            return Ok((cells, 0));
        }
        let total = todo.iter().map(|&i| (self.cost)(i)).sum();
        let mut progress = Progress::new(
            self.options,
            self.title,
            todo.len(),
            total,
            self.timed,
        );
        let (mut computed, mut broken) = (0, None);
        let admission = Admission::now();
        let mut renewed = Instant::now();
        while !todo.is_empty() {
            let shared = Shared {
                tasks: &tasks,
                work: &work,
                admission: &admission,
                claims: Mutex::default(),
                left: Mutex::default(),
            };
            let first = tasks(&todo).into_iter().map(Attempt::First).collect();
            let attempt = |worker, task, queue: &Queue<_>, heard: &_| {
                self.attempt(worker, task, &shared, queue, heard);
                // The receiver outlives the workers.
                let _ = heard.send(Heard::Rests(worker));
            };
            let enough = |busy: usize| admission.is_short(busy);
            let jobs = self.options.jobs.min(todo.len());
            in_pool(jobs, first, &enough, attempt, |heard| {
                if renewed.elapsed() > RENEWAL {
                    renewed = Instant::now();
                    lock(&shared.claims).retain(|claims| {
                        let claims = claims.upgrade();
                        claims
                            .inspect(|all| all.iter().for_each(Claim::renew))
                            .is_some()
                    });
                }
                match heard {
                    None => progress.wait(),
                    Some(Heard::Began(worker, i)) => {
                        progress.began(worker, &(self.name)(i));
                    }
                    Some(Heard::Rests(worker)) => progress.rests(worker),
                    Some(Heard::Done(i, result, new)) => {
                        computed += usize::from(new);
                        cells[i] = Cell::Done(result);
                        let (id, name) = (self.ids[i], (self.name)(i));
                        progress.advance((self.cost)(i), id, &name);
                    }
                    Some(Heard::Failed(i, cell, why)) => {
                        let (id, name) = (self.ids[i], (self.name)(i));
                        progress.failed((self.cost)(i), id, &name, &why);
                        cells[i] = cell;
                        if self.options.fail_fast {
                            self.options.stop.store(true, Ordering::Relaxed);
                        }
                    }
                    Some(Heard::Broken(error)) => {
                        // A result that cannot be stored does not count.
                        self.options.stop.store(true, Ordering::Relaxed);
                        broken.get_or_insert(error);
                    }
                }
            });
            todo = std::mem::take(&mut lock(&shared.left));
            if self.options.stopped() {
                break;
            }
            if !todo.is_empty() {
                std::thread::sleep(OTHERS);
            }
        }
        progress.finish(computed);
        self.pass_on_notes();
        match broken {
            Some(error) => Err(error),
            None => Ok((cells, computed)),
        }
    }

    /// Passes the messages of the store to the user.
    fn pass_on_notes(&self) {
        let notes = self.store.map(Store::take_notes).unwrap_or_default();
        for text in &notes {
            (self.options.tell)(&Event::Note { text });
        }
    }

    /// Executes a task on a worker and reports.
    fn attempt<K: CellTask, T: Serialize + DeserializeOwned>(
        &self,
        worker: usize,
        attempt: Attempt<K>,
        shared: &Shared<'_, K, T>,
        queue: &Queue<Attempt<K>>,
        heard: &Sender<Heard<T>>,
    ) {
        if self.options.stopped() {
            return;
        }
        // The receiver outlives the workers.
        let say = |what| drop(heard.send(what));
        let (task, claim) = match attempt {
            Attempt::Further(task, claim) => (task, claim),
            Attempt::First(task) => match self.begin(&task, shared, &say) {
                Ok(Begin::Work(claim)) => (task, claim),
                Ok(Begin::Again(cells)) => {
                    let tasks = (shared.tasks)(&cells);
                    return tasks
                        .into_iter()
                        .for_each(|task| queue.push(Attempt::First(task)));
                }
                Err(error) => return say(Heard::Broken(error)),
            },
        };
        let mut open = task.cells();
        say(Heard::Began(worker, open[0]));
        let mut tell = |step: Step<K, T>| {
            match step {
                Step::Done(i, result) => {
                    if let Some(store) = self.store {
                        store.put(self.ids[i], &result)?;
                    }
                    open.retain(|&cell| cell != i);
                    say(Heard::Done(i, result, true));
                }
                Step::More(task) => {
                    let gone = task.cells();
                    open.retain(|cell| !gone.contains(cell));
                    queue.push(Attempt::Further(task, claim.clone()));
                }
            }
            Ok(())
        };
        let turn = Turn {
            worker,
            options: self.options,
            admitted: shared.admission.admit(),
            wake: &|| queue.wake(),
            asked: false.into(),
        };
        let work = || (shared.work)(task, &turn, &mut tell);
        let (cell, why) = match caught(work) {
            Done::Finished(Ok(()) | Err(Error::Interrupted)) => return,
            Done::Finished(Err(error @ Error::Io { .. })) => {
                return say(Heard::Broken(error));
            }
            Done::Finished(Err(error @ Error::TimedOut { .. })) => {
                (Cell::TimedOut(error.to_string()), error.to_string())
            }
            Done::Finished(Err(error)) => {
                (Cell::Failed(error.to_string()), error.to_string())
            }
            Done::Panicked(why) => (Cell::Failed(why.clone()), why),
        };
        match open[..] {
            [] => {}
            [alone] => say(Heard::Failed(alone, cell, why)),
            _ => open
                .iter()
                .flat_map(|&cell| (shared.tasks)(&[cell]))
                .for_each(|task| {
                    queue.push(Attempt::Further(task, claim.clone()));
                }),
        }
    }

    /// Claims the cells of a task, unless another runner computes them or has
    /// finished them.
    fn begin<K: CellTask, T: DeserializeOwned>(
        &self,
        task: &K,
        shared: &Shared<'_, K, T>,
        say: &impl Fn(Heard<T>),
    ) -> Result<Begin> {
        let Some(store) = self.store else { return Ok(Begin::Work(None)) };
        let cells = task.cells();
        let all = cells.len();
        let (mut claims, mut missing, mut taken) = (vec![], vec![], vec![]);
        for i in cells {
            // A runner with the first cell of a task usually takes them all.
            let ours = taken.is_empty() || !claims.is_empty();
            let claim = if ours { store.claim(self.ids[i])? } else { None };
            let Some(claim) = claim else {
                taken.push(i);
                continue;
            };
            claims.push(claim);
            match store.get(self.ids[i])? {
                Some(result) => say(Heard::Done(i, result, false)),
                None => missing.push(i),
            }
        }
        lock(&shared.left).append(&mut taken);
        if missing.len() < all {
            return Ok(Begin::Again(missing));
        }
        let claims = Arc::new(claims);
        lock(&shared.claims).push(Arc::downgrade(&claims));
        Ok(Begin::Work(Some(claims)))
    }
}

/// The shared state of the workers of a stage.
struct Shared<'a, K, T> {
    tasks: &'a (dyn Fn(&[usize]) -> Vec<K> + Sync),
    work: &'a Worker<'a, K, T>,
    admission: &'a Admission,
    /// The claims to renew.
    claims: Mutex<Vec<Weak<Claims>>>,
    /// Cells that another runner computes.
    left: Mutex<Vec<usize>>,
}

/// Executes a task and passes on its output.
type Worker<'a, K, T> = dyn Fn(K, &Turn<'_>, &mut dyn FnMut(Step<K, T>) -> Result<()>) -> Result<()>
    + Sync
    + 'a;

/// The claims of the cells of a task.
type Claims = Vec<Claim>;

/// A task in the queue.
enum Attempt<K> {
    First(K),
    /// Part of another task, whose claims it shares.
    Further(K, Option<Arc<Claims>>),
}

/// Whether a task can start.
enum Begin {
    Work(Option<Arc<Claims>>),
    /// Not so, but for these cells.
    Again(Vec<usize>),
}
