//! Working memory of kernels, reused by each thread from call to call.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

thread_local! {
    static SPARE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(vec![]) };
}

/// A buffer that returns to its thread when dropped.
pub(crate) struct Scratch {
    data: Vec<f32>,
    len: usize,
}

/// A buffer of `len` unspecified values: the smallest free one that is long
/// enough, or else the last one, made longer.
pub(crate) fn scratch(len: usize) -> Scratch {
    let mut data = SPARE.with_borrow_mut(|spare| {
        let fits = (0..spare.len()).filter(|&i| spare[i].len() >= len);
        match fits.min_by_key(|&i| spare[i].len()) {
            Some(i) => spare.swap_remove(i),
            None => spare.pop().unwrap_or_default(),
        }
    });
    if data.len() < len {
        data.resize(len, 0.0);
    }
    Scratch { data, len }
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.data[..self.len]
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.data[..self.len]
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let data = std::mem::take(&mut self.data);
        // At the end of a thread, the list of buffers may not exist any more.
        let _ = SPARE.try_with(|spare| spare.borrow_mut().push(data));
    }
}

/// The free buffers of this thread, and their total length.
#[cfg(test)]
pub(crate) fn spare() -> (usize, usize) {
    SPARE.with_borrow(|spare| (spare.len(), spare.iter().map(Vec::len).sum()))
}
