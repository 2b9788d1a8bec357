//! Several track chunks as one stream of events.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::MidiFile;
use super::walk::{Event, Walk};

/// Events of several chunks in time order; at equal times in the order given.
pub(super) struct Merge<'a> {
    /// Chunk number, its walk, and its next event; `None` at its end.
    walks: Vec<(usize, Walk<'a>, Option<Event<'a>>)>,
    /// Tick and index into `walks` of the next events.
    queue: BinaryHeap<Reverse<(u64, usize)>>,
    /// End of each chunk that was read through, in ticks.
    pub(super) ends: BTreeMap<usize, u64>,
    /// The latest of these.
    pub(super) end: u64,
}

impl<'a> Merge<'a> {
    pub(super) fn new(file: &'a MidiFile, chunks: impl IntoIterator<Item = usize>) -> Self {
        let walks: Vec<_> = chunks.into_iter().map(|chunk| (chunk, file.walk(chunk), None)).collect();
        let mut merge = Self { walks, queue: BinaryHeap::new(), ends: BTreeMap::new(), end: 0 };
        for i in 0..merge.walks.len() {
            merge.advance(i);
        }
        merge
    }

    fn advance(&mut self, i: usize) {
        let (chunk, walk, event) = &mut self.walks[i];
        *event = walk.next();
        if let Some(event) = event {
            self.queue.push(Reverse((event.tick, i)));
        } else {
            self.ends.insert(*chunk, walk.end());
            self.end = self.end.max(walk.end());
        }
    }
}

impl<'a> Iterator for Merge<'a> {
    type Item = (usize, Event<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((_, i)) = self.queue.pop()?;
        let (chunk, _, event) = &mut self.walks[i];
        let item = event.take().map(|event| (*chunk, event));
        self.advance(i);
        item
    }
}
