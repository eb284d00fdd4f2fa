//! Where the gradients of a replayed step go.

use super::graph::{Node, Source};
use std::mem;

/// The backward pass of a call; numbers are those of gradient buffers.
pub(super) enum Back {
    /// The loss does not depend on it.
    None,
    Each {
        dy: usize,
        targets: Vec<Option<Target>>,
    },
    /// Every gradient equals `dy`, whose buffer the last input takes over.
    PassOn {
        dy: usize,
        copies: Vec<Target>,
    },
}

/// The target of a gradient.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) place: Place,
    /// Add to it instead of overwriting it.
    pub(super) add: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Place {
    Weight(usize),
    Buffer(usize),
}

/// The backward passes of all calls, in the order in which the tape would make
/// them.
pub(super) struct Plan {
    /// One for each call.
    pub(super) backs: Vec<Back>,
    /// Lengths of the buffers; the first has the gradient of the loss.
    pub(super) buffers: Vec<usize>,
    /// Weights that receive a gradient.
    pub(super) reached: Vec<bool>,
}

impl Plan {
    /// Of calls that may pass their gradient on; nothing if this cannot do it.
    pub(super) fn of(
        nodes: &[Node],
        passes_on: &[bool],
        weights: usize,
    ) -> Option<Self> {
        let mut live = vec![None; nodes.len()];
        *live.last_mut()? = Some(0);
        let mut walk = Walk {
            nodes,
            buffers: vec![1],
            free: vec![],
            live,
            reached: vec![false; weights],
        };
        let last_first = (0..nodes.len()).rev();
        let backs = last_first.map(|i| walk.back(i, passes_on[i]));
        let mut backs: Vec<Back> = backs.collect::<Option<_>>()?;
        backs.reverse();
        let Walk { buffers, reached, .. } = walk;
        Some(Self { backs, buffers, reached })
    }
}

/// A walk through the calls, from the last to the first.
struct Walk<'a> {
    nodes: &'a [Node],
    /// Lengths of the buffers.
    buffers: Vec<usize>,
    /// Buffers whose content is no longer needed.
    free: Vec<usize>,
    /// The buffer with the gradient of each output.
    live: Vec<Option<usize>>,
    reached: Vec<bool>,
}

impl Walk<'_> {
    /// A buffer for `len` values: a free one of that length, or a new one.
    fn buffer(&mut self, len: usize) -> usize {
        let free = self.free.iter().position(|&free| self.buffers[free] == len);
        if let Some(free) = free {
            return self.free.swap_remove(free);
        }
        self.buffers.push(len);
        self.buffers.len() - 1
    }

    /// The backward pass of call `i`; nothing if this cannot do it.
    fn back(&mut self, i: usize, passes_on: bool) -> Option<Back> {
        let nodes = self.nodes;
        let node = &nodes[i];
        let Some(dy) = self.live[i].take() else { return Some(Back::None) };
        let wanted = node.inputs.iter().zip(&node.wanted);
        let wanted: Vec<Option<Source>> =
            wanted.map(|(x, wanted)| wanted.then_some(*x)).collect();
        let mut each: Vec<Source> = wanted.iter().flatten().copied().collect();
        if (1..each.len()).any(|i| each[..i].contains(&each[i])) {
            return None;
        }
        if passes_on {
            let last = each.pop();
            let mut copies = vec![];
            for x in each {
                copies.push(self.target(x)?);
            }
            match last {
                Some(Source::Output(x)) if self.live[x].is_none() => {
                    self.live[x] = Some(dy);
                }
                Some(x) => {
                    copies.push(self.target(x)?);
                    self.free.push(dy);
                }
                None => self.free.push(dy),
            }
            return Some(Back::PassOn { dy, copies });
        }
        let mut targets = vec![];
        for x in wanted {
            targets.push(match x {
                None => None,
                Some(x) => Some(self.target(x)?),
            });
        }
        self.free.push(dy);
        Some(Back::Each { dy, targets })
    }

    /// The target of a gradient by `x`.
    fn target(&mut self, x: Source) -> Option<Target> {
        match x {
            Source::Weight(i) => {
                let add = mem::replace(&mut self.reached[i], true);
                Some(Target { place: Place::Weight(i), add })
            }
            Source::Output(i) => {
                let live = self.live[i];
                let add = live.is_some();
                let buffer =
                    live.unwrap_or_else(|| self.buffer(self.nodes[i].len));
                self.live[i] = Some(buffer);
                Some(Target { place: Place::Buffer(buffer), add })
            }
            Source::Batch(_) => None,
        }
    }
}
