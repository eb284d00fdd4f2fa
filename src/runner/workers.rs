//! Threads: as many workers as asked for, each with a rayon pool of its own.
//!
//! candle's operations use rayon. On a plain thread they would all queue on
//! the one global pool; inside a pool of one thread each worker is on its
//! own, and every run is computed by exactly one thread, so results do not
//! depend on the number of workers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// What became of one task.
pub(crate) enum Done<T> {
    /// The work's own answer.
    Finished(T),
    /// The work panicked, with this message; the others go on.
    Panicked(String),
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
    let next = AtomicUsize::new(0);
    let (sender, answers) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(order.len()) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                let drain = || {
                    while let Some(&task) =
                        order.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        let answer =
                            catch_unwind(AssertUnwindSafe(|| work(task)))
                                .map_or_else(
                                    |panic| Done::Panicked(message(&*panic)),
                                    Done::Finished,
                                );
                        // The receiver outlives the scope.
                        let _ = sender.send((task, answer));
                    }
                };
                match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
                    Ok(pool) => pool.install(drain),
                    // Slower, but right: only the sharing suffers.
                    Err(_) => drain(),
                }
            });
        }
        drop(sender);
        for (task, answer) in answers {
            done(task, answer);
        }
    });
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panicked without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
