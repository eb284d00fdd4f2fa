//! Cells of one kind: what the store lacks of them, computed in parallel,
//! each kept as soon as it is there.

use super::memory::Memory;
use super::progress::Progress;
use super::workers::{Done, Queue, caught, in_pool};
use super::{Cell, Options};
use crate::error::{Error, Result};
use crate::store::Store;
use serde::{Serialize, de::DeserializeOwned};
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;

/// A kind of cells.
pub(super) struct Stage<'a> {
    pub(super) title: &'a str,
    pub(super) ids: Vec<&'a str>,
    /// Without one, nothing is read or kept.
    pub(super) store: Option<&'a Store>,
    pub(super) options: &'a Options<'a>,
    /// What a cell costs beside the others.
    pub(super) cost: &'a (dyn Fn(usize) -> f64 + Sync),
    pub(super) name: &'a (dyn Fn(usize) -> String + Sync),
}

/// The cells of a stage and how many of them were computed now.
pub(super) type Computed<T> = (Vec<Cell<T>>, usize);

/// Cells that are computed together.
pub(super) trait Task: Send {
    /// Which.
    fn cells(&self) -> Vec<usize>;
}

impl Task for usize {
    fn cells(&self) -> Vec<usize> {
        vec![*self]
    }
}

/// What a task leaves on its way.
pub(super) enum Step<K, T> {
    /// The result of one of its cells.
    Done(usize, T),
    /// A part of it that can be done by another worker.
    More(K),
}

/// What a worker reports.
enum Heard<T> {
    Began(usize, usize),
    Done(usize, T),
    Failed(usize, Cell<T>, String),
    /// A result that could not be kept.
    Broken(Error),
}

impl Stage<'_> {
    /// Computes each missing cell by itself, the dearest first.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or written.
    pub(super) fn each<T: Clone + Send + Serialize + DeserializeOwned>(
        &self,
        work: impl Fn(usize) -> Result<T> + Sync,
    ) -> Result<Computed<T>> {
        let tasks = |cells: &[usize]| {
            let mut cells = cells.to_vec();
            let cost = self.cost;
            cells.sort_by(|&a, &b| cost(b).total_cmp(&cost(a)).then(a.cmp(&b)));
            cells
        };
        self.run(tasks, |cell, tell| tell(Step::Done(cell, work(cell)?)))
    }

    /// Computes the missing cells by `tasks`, the first ones first. Where a
    /// task of several cells fails, each of them is tried alone.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or written.
    pub(super) fn run<
        K: Task,
        T: Clone + Send + Serialize + DeserializeOwned,
    >(
        &self,
        tasks: impl Fn(&[usize]) -> Vec<K> + Sync,
        work: impl Fn(K, &mut dyn FnMut(Step<K, T>) -> Result<()>) -> Result<()>
        + Sync,
    ) -> Result<Computed<T>> {
        let mut cells = Vec::with_capacity(self.ids.len());
        for id in &self.ids {
            let kept = self.store.map_or(Ok(None), |store| store.get(id))?;
            cells.push(kept.map_or(Cell::Missing, Cell::Done));
        }
        let todo: Vec<usize> = (0..cells.len())
            .filter(|&i| matches!(cells[i], Cell::Missing))
            .filter(|&i| self.options.wants(self.ids[i]))
            .collect();
        if todo.is_empty() {
            return Ok((cells, 0));
        }
        let total = todo.iter().map(|&i| (self.cost)(i)).sum();
        let mut progress =
            Progress::new(self.title, todo.len(), total, self.options);
        let (mut computed, mut broken) = (0, None);
        let attempt = |worker, task: K, queue: &Queue<K>, heard: &_| {
            self.attempt(worker, task, queue, heard, &tasks, &work);
        };
        let memory = Memory::now();
        let enough = |busy: usize| memory.is_short(busy);
        in_pool(self.options.jobs, tasks(&todo), &enough, attempt, |heard| {
            match heard {
                Heard::Began(worker, i) => {
                    progress.began(worker, &(self.name)(i));
                }
                Heard::Done(i, result) => {
                    computed += 1;
                    cells[i] = Cell::Done(result);
                    let (id, name) = (self.ids[i], (self.name)(i));
                    progress.advance((self.cost)(i), id, &name);
                }
                Heard::Failed(i, cell, why) => {
                    let (id, name) = (self.ids[i], (self.name)(i));
                    progress.failed((self.cost)(i), id, &name, &why);
                    cells[i] = cell;
                    if self.options.fail_fast {
                        self.options.stop.store(true, Ordering::Relaxed);
                    }
                }
                Heard::Broken(error) => {
                    // Results that cannot be kept are void.
                    self.options.stop.store(true, Ordering::Relaxed);
                    broken.get_or_insert(error);
                }
            }
        });
        progress.finish(computed);
        match broken {
            Some(error) => Err(error),
            None => Ok((cells, computed)),
        }
    }

    /// Does `task` on one worker and reports.
    fn attempt<K: Task, T: Serialize>(
        &self,
        worker: usize,
        task: K,
        queue: &Queue<K>,
        heard: &Sender<Heard<T>>,
        tasks: &impl Fn(&[usize]) -> Vec<K>,
        work: &impl Fn(K, &mut dyn FnMut(Step<K, T>) -> Result<()>) -> Result<()>,
    ) {
        if self.options.stopped() {
            return;
        }
        let mut open = task.cells();
        // The receiver outlives the workers.
        let say = |what| drop(heard.send(what));
        say(Heard::Began(worker, open[0]));
        let mut tell = |step: Step<K, T>| {
            match step {
                Step::Done(i, result) => {
                    if let Some(store) = self.store {
                        store.put(self.ids[i], &result)?;
                    }
                    open.retain(|&cell| cell != i);
                    say(Heard::Done(i, result));
                }
                Step::More(task) => {
                    let gone = task.cells();
                    open.retain(|cell| !gone.contains(cell));
                    queue.push(task);
                }
            }
            Ok(())
        };
        let (cell, why) = match caught(|| work(task, &mut tell)) {
            Done::Finished(Ok(()) | Err(Error::Interrupted)) => return,
            Done::Finished(Err(error @ Error::Io { .. })) => {
                return say(Heard::Broken(error));
            }
            Done::Finished(Err(error @ Error::TimedOut(_))) => {
                (Cell::TimedOut, error.to_string())
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
                .flat_map(|&cell| tasks(&[cell]))
                .for_each(|task| queue.push(task)),
        }
    }
}
