//! One run of a paper.

use std::path::{Path, PathBuf};

use crate::train::FitOptions;

/// How large a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// A few pieces and updates, to see that everything works.
    Quick,
    /// The paper's protocol, as far as two cores go; what was cut stands in the report.
    Full,
}

/// Where a run takes its music from, where everything goes, and how large it is.
#[derive(Debug, Clone)]
pub struct PaperRun {
    /// Folder of the data; without it the small collection of `super::music`.
    pub data: Option<PathBuf>,
    /// Folder of the report, and of everything else that the run makes.
    pub out: PathBuf,
    /// How large.
    pub size: Size,
    /// Whether P1 trains networks of the paper's own size, which takes days.
    pub paper_size: bool,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// Whether to say how far it is.
    pub progress: bool,
}

impl PaperRun {
    /// A quiet, quick run on the small collection.
    pub fn quick(out: &Path) -> Self {
        Self {
            data: None,
            out: out.to_owned(),
            size: Size::Quick,
            paper_size: false,
            seed: 1,
            progress: false,
        }
    }

    /// Whether it is only to be seen that everything works.
    pub fn is_quick(&self) -> bool {
        self.size == Size::Quick
    }

    /// Folder of a training.
    pub fn run(&self, name: &str) -> PathBuf {
        self.out.join("runs").join(name)
    }

    /// How a training is run: into its folder, from where it stopped.
    pub fn options(&self, name: &str) -> FitOptions {
        FitOptions { resume: true, progress: self.progress, ..FitOptions::new(&self.run(name)) }
    }

    /// Says what is done now, to whoever watches.
    pub fn say(&self, what: &str) {
        if self.progress {
            println!("{what}");
        }
    }
}
