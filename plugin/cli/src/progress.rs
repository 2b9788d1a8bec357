//! The progress bar, on standard error and only where someone looks at it.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for one stage of the work.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar named `stage` that goes to `total`. It is hidden when `quiet`, or when standard error is no
    /// terminal.
    pub(crate) fn new(stage: &'static str, total: u64, quiet: bool) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(total) };
        if let Ok(style) = ProgressStyle::with_template("{prefix:>8} {bar:40} {percent:>3} %  {eta} left") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(stage);
        Self(bar)
    }

    /// Moves the bar.
    pub(crate) fn set(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
