//! Numbers, blocks and notes as bytes, for records of a cache.
//!
//! Numbers are LEB128, signed ones zigzag. A block is its `u32` length, little-endian, and its bytes. Notes are
//! their number, then for each the onset as the difference from the one before, one byte pitch, one byte velocity,
//! and the length.

use sideman_music::Note;

/// Appends a block.
pub(crate) fn push_block(out: &mut Vec<u8>, block: &[u8]) {
    out.extend_from_slice(&(block.len() as u32).to_le_bytes());
    out.extend_from_slice(block);
}

/// Appends a number.
pub(crate) fn push_number(out: &mut Vec<u8>, mut n: u64) {
    while n >= 128 {
        out.push(n as u8 | 128);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Appends notes in the order of their onsets.
pub(crate) fn push_notes(out: &mut Vec<u8>, notes: &[Note]) {
    push_number(out, notes.len() as u64);
    let mut before = 0;
    for n in notes {
        let d = n.onset - before;
        before = n.onset;
        push_number(out, ((d << 1) ^ (d >> 63)) as u64);
        out.extend_from_slice(&[n.pitch, n.velocity]);
        push_number(out, n.length.max(0) as u64);
    }
}

/// Reads from the front of bytes; every method returns `None` at their end.
pub(crate) struct Cursor<'a> {
    /// The bytes that are left.
    pub(crate) bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.bytes.split_at_checked(n)?;
        self.bytes = rest;
        Some(head)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(crate) fn block(&mut self) -> Option<&'a [u8]> {
        let n = self.u32()? as usize;
        self.take(n)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(n);
            }
        }
        None
    }

    pub(crate) fn notes(&mut self) -> Option<Vec<Note>> {
        let count = self.number()? as usize;
        // A note takes four bytes or more: a damaged count cannot ask for more memory than the file has.
        let mut notes = Vec::with_capacity(count.min(self.bytes.len() / 4));
        let mut onset = 0i64;
        for _ in 0..count {
            let d = self.number()?;
            onset = onset.checked_add((d >> 1) as i64 ^ -((d & 1) as i64))?;
            let (pitch, velocity) = (self.byte()?, self.byte()?);
            let length = i64::try_from(self.number()?).ok()?;
            notes.push(Note { onset, pitch, length, velocity });
        }
        Some(notes)
    }
}
