//! Threads: the workers, each with a rayon pool of its own.
//!
//! candle's operations use rayon. On a plain thread they would all queue on
//! the one global pool; inside a pool of one thread each worker is on its
//! own, and every run is computed by exactly one thread, so results do not
//! depend on the number of workers.

use crate::error::{Error, Result};
use crate::lr_find;
use crate::train::Trainer;
use candle_core::Device;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Locks `mutex`, even if a worker panicked while it held the lock.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The result of one task.
pub(crate) enum Done<T> {
    /// The answer of the work.
    Finished(T),
    /// The work panicked with this message; other tasks continue.
    Panicked(String),
}

impl<T> Done<Result<T>> {
    /// The answer. A panic is a fault of the model, not of the input.
    ///
    /// # Errors
    ///
    /// That of the work, or [`Error::Tensor`] where it panicked.
    pub(crate) fn answer(self) -> Result<T> {
        match self {
            Self::Finished(answer) => answer,
            Self::Panicked(why) => Err(Error::tensor("a panic")(why)),
        }
    }
}

/// Tasks that wait, and who may still add to them.
pub(super) struct Queue<K> {
    state: Mutex<Waiting<K>>,
    changed: Condvar,
}

struct Waiting<K> {
    /// The next one last.
    tasks: Vec<K>,
    busy: usize,
}

impl<K> Queue<K> {
    fn new(tasks: Vec<K>) -> Self {
        let state = Mutex::new(Waiting { tasks, busy: 0 });
        Self { state, changed: Condvar::new() }
    }

    /// Adds a task in front of all others: an unfinished part of a task holds
    /// memory until it is done.
    pub(super) fn push(&self, task: K) {
        lock(&self.state).tasks.push(task);
        self.changed.notify_one();
    }

    /// Wakes the waiting workers to check for room again.
    pub(super) fn wake(&self) {
        self.changed.notify_all();
    }

    /// The next task, or `None` if there can be no further one. Waits while the
    /// queue is empty but a worker may still add a task, and while `enough`
    /// returns true for the number of running tasks.
    fn take(&self, enough: &dyn Fn(usize) -> bool) -> Option<K> {
        let mut state = lock(&self.state);
        loop {
            if state.tasks.is_empty() {
                if state.busy == 0 {
                    return None;
                }
            } else if state.busy == 0 || !enough(state.busy) {
                state.busy += 1;
                return state.tasks.pop();
            }
            let waited = self.changed.wait_timeout(state, PATIENCE);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// A worker with a task; it is counted correctly even if the task panics.
struct Busy<'a, K>(&'a Queue<K>);

impl<K> Drop for Busy<'_, K> {
    fn drop(&mut self) {
        lock(&self.0.state).busy -= 1;
        self.0.changed.notify_all();
    }
}

/// How long the calling thread waits for a report.
const BEAT: Duration = Duration::from_secs(1);

/// How long a worker waits before it checks for room again.
const PATIENCE: Duration = Duration::from_millis(200);

/// Does `work` for every one of `tasks` in order, and for those that `work`
/// adds to the queue, on `jobs` workers. `work` gets the number of its worker.
/// What it sends to the [`Sender`] is passed to `hear` on the calling thread;
/// `hear` gets `None` every [`BEAT`] without a message. While `enough` is true
/// of the number of running tasks, no further task begins, unless none is
/// running. If the system has no more threads, the existing ones do all the
/// work.
///
/// # Panics
///
/// If not even one thread can be started.
pub(super) fn in_pool<K: Send, T: Send>(
    jobs: usize,
    mut tasks: Vec<K>,
    enough: &(dyn Fn(usize) -> bool + Sync),
    work: impl Fn(usize, K, &Queue<K>, &Sender<T>) + Sync,
    mut hear: impl FnMut(Option<T>),
) {
    tasks.reverse();
    let queue = Queue::new(tasks);
    let (sender, heard) = mpsc::channel();
    std::thread::scope(|scope| {
        for worker in 0..jobs {
            let (sender, queue, work) = (sender.clone(), &queue, &work);
            let thread = std::thread::Builder::new();
            let started = thread.spawn_scoped(scope, move || {
                let drain = || {
                    while let Some(task) = queue.take(enough) {
                        let _busy = Busy(queue);
                        work(worker, task, queue, &sender);
                    }
                };
                match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
                    Ok(pool) => pool.install(drain),
                    // Slower, but right: only the sharing suffers.
                    Err(_) => drain(),
                }
            });
            if let Err(error) = started {
                assert!(worker > 0, "no thread could be started: {error}");
                break;
            }
        }
        drop(sender);
        loop {
            match heard.recv_timeout(BEAT) {
                Ok(said) => hear(Some(said)),
                Err(RecvTimeoutError::Timeout) => hear(None),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
}

/// Does `work(i)` for every `i` of `order` on `jobs` workers and hands each
/// answer to `done` on the calling thread, in order of completion.
///
/// Tasks are taken in the order given; put the longest first.
pub(crate) fn in_parallel<T: Send>(
    jobs: usize,
    order: &[usize],
    work: impl Fn(usize) -> T + Sync,
    mut done: impl FnMut(usize, Done<T>),
) {
    in_pool(
        jobs.min(order.len()),
        order.to_vec(),
        &|_| false,
        |_, task, _, answers| {
            // The receiver outlives the workers.
            let _ = answers.send((task, caught(|| work(task))));
        },
        |said| {
            if let Some((task, answer)) = said {
                done(task, answer);
            }
        },
    );
}

/// The answers of `work` for every one of `order`, as [`in_parallel`], sorted
/// by their numbers.
///
/// # Errors
///
/// The last one of `work`; [`Error::Tensor`] where it panicked.
pub(crate) fn all_in_parallel<T: Send>(
    jobs: usize,
    order: &[usize],
    work: impl Fn(usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let mut answers = vec![];
    let mut failed = None;
    in_parallel(jobs, order, work, |i, done| match done.answer() {
        Ok(answer) => answers.push((i, answer)),
        Err(error) => failed = Some(error),
    });
    answers.sort_by_key(|(i, _)| *i);
    let answers = answers.into_iter().map(|(_, answer)| answer).collect();
    failed.map_or(Ok(answers), Err)
}

/// The answer of `work`, or the message of its panic.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Done<T> {
    catch_unwind(AssertUnwindSafe(work))
        .map_or_else(|panic| Done::Panicked(message(&*panic)), Done::Finished)
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panicked without a message".to_owned())
}

/// Simultaneous runs of `trainer` on this machine: one per core, or one on a
/// graphics processor.
pub(crate) fn jobs(trainer: &Trainer) -> usize {
    match trainer {
        Trainer::Candle(workload)
            if !matches!(workload.data.train.inputs.device(), Device::Cpu) =>
        {
            1
        }
        _ => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
    }
}

/// Trainings of a finder, `jobs` at once. A panic of the model is passed on, as
/// without threads.
pub(crate) fn several(
    jobs: usize,
) -> impl Fn(usize, &(dyn Fn(usize) + Sync)) + Sync {
    move |count, work| {
        if jobs < 2 || count < 2 {
            return lr_find::one_by_one(count, work);
        }
        let order: Vec<usize> = (0..count).collect();
        let mut panicked = None;
        in_parallel(jobs, &order, work, |_, done| {
            if let Done::Panicked(why) = done {
                panicked = Some(why);
            }
        });
        if let Some(why) = panicked {
            panic!("{why}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_task_is_done_once_whatever_the_number_of_workers() {
        let order: Vec<usize> = (0..50).rev().collect();
        for jobs in [1, 2, 7] {
            let mut seen = vec![];
            in_parallel(
                jobs,
                &order,
                |i| i * i,
                |i, answer| match answer {
                    Done::Finished(square) => seen.push((i, square)),
                    Done::Panicked(why) => unreachable!("{why}"),
                },
            );
            seen.sort_unstable();
            let all: Vec<_> = (0..50).map(|i| (i, i * i)).collect();
            assert_eq!(seen, all, "{jobs} jobs");
        }
    }

    #[test]
    fn a_panic_harms_no_other_task() {
        let mut panicked = vec![];
        let mut finished = 0;
        in_parallel(
            2,
            &[0, 1, 2, 3],
            |i| assert_ne!(i, 2, "two is too many"),
            |i, answer| match answer {
                Done::Finished(()) => finished += 1,
                Done::Panicked(why) => panicked.push((i, why)),
            },
        );
        assert_eq!(finished, 3);
        assert_eq!(panicked.len(), 1);
        assert!(panicked[0].1.contains("two is too many"));
    }

    #[test]
    fn a_panic_is_the_same_on_any_number_of_threads() {
        for jobs in [0, 1, 2, 9] {
            let done = AtomicUsize::new(0);
            let work = |i: usize| {
                assert_ne!(i, 2, "two is too many");
                done.fetch_add(1, Ordering::Relaxed);
            };
            let Done::Panicked(why) = caught(|| several(jobs)(3, &work)) else {
                unreachable!("{jobs} jobs hide a panic");
            };
            assert!(why.contains("two is too many"), "{why}");
            assert_eq!(done.into_inner(), 2, "{jobs} jobs");
        }
    }
}
