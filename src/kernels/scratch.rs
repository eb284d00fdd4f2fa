//! Working memory of kernels, kept by each thread from call to call.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

thread_local! {
    static SPARE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(vec![]) };
}

/// Numbers that go back to their thread when dropped.
pub(crate) struct Scratch {
    data: Vec<f32>,
    len: usize,
}

/// `len` numbers, whatever they were.
pub(crate) fn scratch(len: usize) -> Scratch {
    let mut data = SPARE.with_borrow_mut(Vec::pop).unwrap_or_default();
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
        // At the end of a thread the store may be gone already.
        let _ = SPARE.try_with(|spare| spare.borrow_mut().push(data));
    }
}

/// Buffers that this thread keeps, and the numbers in them.
#[cfg(test)]
pub(crate) fn spare() -> (usize, usize) {
    SPARE.with_borrow(|spare| (spare.len(), spare.iter().map(Vec::len).sum()))
}
