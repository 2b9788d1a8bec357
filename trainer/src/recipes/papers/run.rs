//! One run of a paper.

use std::path::{Path, PathBuf};

use super::{PaperInfo, Report};
use crate::train::{FitCheckpoint, FitConfig, FitOptions, Objective, learn};

/// How large a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// A few pieces and updates: a smoke test.
    Quick,
    /// The paper's protocol, as far as two cores go; the report says what was cut.
    Full,
}

/// Input, output and size of one run of a paper.
#[derive(Debug, Clone)]
pub struct PaperRun {
    /// Folder of the data; `None` for the small collection of `super::music`.
    pub data: Option<PathBuf>,
    /// Folder of the report, and of everything else that the run makes.
    pub out: PathBuf,
    /// How large.
    pub size: Size,
    /// Whether P1 trains networks of the paper's own size, which takes days.
    pub paper_size: bool,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// Whether progress is printed.
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

    /// Whether this is a smoke test.
    pub fn is_quick(&self) -> bool {
        self.size == Size::Quick
    }

    /// The report of a paper, empty, in the folder of the run.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn report(&self, info: &PaperInfo) -> anyhow::Result<Report> {
        Report::new(&self.out, &format!("{}: {}", info.id.to_uppercase(), info.title))
    }

    /// Folder of the training `name`.
    pub fn training_dir(&self, name: &str) -> PathBuf {
        self.out.join("runs").join(name)
    }

    /// Options of the training `name`: it resumes from its last checkpoint.
    pub fn options(&self, name: &str) -> FitOptions {
        FitOptions { resume: true, progress: self.progress, ..FitOptions::new(&self.training_dir(name)) }
    }

    /// The checkpoint that the training `name` chose. It is trained first, or resumed, unless it is finished;
    /// `objective`, with its data, is made only then.
    ///
    /// # Errors
    /// When the objective cannot be made, the training fails, or its folder has another training.
    pub fn trained<O: Objective>(
        &self,
        name: &str,
        config: &FitConfig,
        recipe: &serde_json::Value,
        objective: impl FnOnce() -> anyhow::Result<O>,
    ) -> anyhow::Result<FitCheckpoint> {
        let folder = self.training_dir(name);
        let finished = FitCheckpoint::load(&folder.join("last.safetensors")).is_ok_and(|last| {
            last.epochs >= config.epochs && last.config == *config && last.recipe == *recipe
        });
        if !finished {
            self.log(&format!("Training {name}"));
            learn(&objective()?, config, recipe, &self.options(name))?;
        }
        FitCheckpoint::best_of(&folder)
    }

    /// Prints progress, unless the run is quiet.
    pub fn log(&self, text: &str) {
        if self.progress {
            println!("{text}");
        }
    }
}
