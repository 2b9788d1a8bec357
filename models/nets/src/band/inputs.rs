//! A cursor over a row of network inputs.

/// Fills a row from left to right. The row must start out as zeros.
pub(super) struct Inputs<'a> {
    row: &'a mut [f32],
    next: usize,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(row: &'a mut [f32]) -> Self {
        Self { row, next: 0 }
    }

    pub(super) fn put(&mut self, value: f32) {
        self.row[self.next] = value;
        self.next += 1;
    }

    pub(super) fn flag(&mut self, on: bool) {
        self.put(if on { 1.0 } else { 0.0 });
    }

    /// `n` inputs, the one at `index` set; an index of `n` or more sets none.
    pub(super) fn one_hot(&mut self, index: usize, n: usize) {
        if index < n {
            self.row[self.next + index] = 1.0;
        }
        self.next += n;
    }

    pub(super) fn written(&self) -> usize {
        self.next
    }
}
