//! Panics of the audio thread: caught at the edge, without a word on the console, and noted for the editor.

use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// Longest description that is kept, in bytes.
const LENGTH: usize = 112;

/// Where and why something panicked, in a place of fixed size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report {
    text: [u8; LENGTH],
    length: usize,
}

impl Default for Report {
    fn default() -> Self {
        Self { text: [0; LENGTH], length: 0 }
    }
}

impl Write for Report {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        // What does not fit is left out, at a boundary between characters.
        for c in s.chars() {
            let end = self.length + c.len_utf8();
            let Some(place) = self.text.get_mut(self.length..end) else { break };
            c.encode_utf8(place);
            self.length = end;
        }
        Ok(())
    }
}

/// A report that one thread writes without waiting and another takes.
#[derive(Debug)]
pub(crate) struct ReportCell {
    text: [AtomicU8; LENGTH],
    full: AtomicBool,
}

impl Default for ReportCell {
    fn default() -> Self {
        Self { text: [const { AtomicU8::new(0) }; LENGTH], full: AtomicBool::new(false) }
    }
}

impl ReportCell {
    /// Puts a report in. Any thread; never waits.
    pub(crate) fn put(&self, report: &Report) {
        for (i, cell) in self.text.iter().enumerate() {
            let byte = if i < report.length { report.text[i] } else { 0 };
            cell.store(byte, Ordering::Relaxed);
        }
        self.full.store(true, Ordering::Release);
    }

    /// Takes it out.
    pub(crate) fn take(&self) -> Option<String> {
        self.full.swap(false, Ordering::Acquire).then(|| {
            let bytes = self.text.iter().map(|b| b.load(Ordering::Relaxed)).take_while(|&b| b != 0);
            String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
        })
    }
}

thread_local! {
    /// Whether panics of this thread are caught here.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    /// Where and why the last one was.
    static REPORT: RefCell<Report> = const { RefCell::new(Report { text: [0; LENGTH], length: 0 }) };
}

/// Makes panics that are caught by [`guarded`] silent: a hook that prints would write to the console of a host,
/// or of a stage. All other panics are reported as before. Once a process.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !GUARDED.try_with(Cell::get).unwrap_or(false) {
                return before(info);
            }
            let mut report = Report::default();
            if let Some(place) = info.location() {
                let _ = write!(report, "{}:{}: ", place.file(), place.line());
            }
            let _ = report.write_str(info.payload_as_str().unwrap_or("no words"));
            let _ = REPORT.try_with(|r| r.replace(report));
        }));
    });
}

/// Runs what may panic; where and why it did as the error.
pub(crate) fn guarded<R>(work: impl FnOnce() -> R) -> Result<R, Report> {
    GUARDED.set(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(false);
    done.map_err(|payload| {
        // To free it is not for the audio thread, and a payload may panic as it is dropped.
        std::mem::forget(payload);
        REPORT.take()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_with_its_place_and_its_words() {
        install();
        assert!(matches!(guarded(|| 5), Ok(5)));
        let report = guarded(|| panic!("on purpose: {}", "é".repeat(200))).unwrap_err();
        let cell = ReportCell::default();
        assert_eq!(cell.take(), None);
        cell.put(&report);
        let text = cell.take().unwrap();
        assert!(text.contains("guard.rs:") && text.contains("on purpose: éé"), "{text}");
        assert!(text.len() <= LENGTH && text.ends_with('é'), "{text}");
        assert_eq!(cell.take(), None, "taken once");
        assert!(!GUARDED.get());
    }
}
