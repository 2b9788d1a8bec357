//! `sideman-trainer eval genre`: every classifier given, beside the majority class and a baseline.
//!
//! `notes` measures classifiers of notes, `sound` those of sound; `papers` puts figures beside those of the papers
//! whose models were trained; `page` writes everything down as one page.

mod notes;
mod page;
mod papers;
mod sound;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use image::RgbImage;
use sideman_inference::genre::built_in;

use crate::data::Split;
use crate::recipes::genre::cache;
use crate::recipes::genre::labelled::Kind;
use crate::recipes::genre::measure::report::{beside, confusion, files, held_out, sources, summary};
use crate::recipes::genre::measure::{
    Baseline, Calibration, Measured, Prediction, Predictions, measure, picture,
};
use crate::recipes::genre::scheme::Scheme;
use crate::recipes::genre::sound::Run;
use crate::recipes::genre::symbolic::Classifier;
use crate::recipes::genre::symbolic::steadiness::Steadiness;
use crate::report::picture::write as write_picture;
use crate::report::table::Table;
use crate::report::write_whole;
use crate::train::FitCheckpoint;
use crate::train::curves::{self, Line};

/// Weights files that are measured when none is named.
const BUILT_IN: [(&str, &[u8]); 2] = [("genre-band", built_in::BAND), ("genre-piano", built_in::PIANO)];

/// Measures classifiers of genre.
#[derive(Debug, Clone, clap::Args)]
pub struct EvalGenreArgs {
    /// Folders of runs and weights files [default: the built-in weights]
    #[arg(value_name = "RUN|FILE")]
    pub models: Vec<PathBuf>,
    /// Cache made by `genre prepare` or `genre render`; of several, each classifier takes the first that holds
    /// what it listens to
    #[arg(long, value_name = "CACHE_DIR", default_value = "genre-cache")]
    pub cache: Vec<PathBuf>,
    /// Split to measure on: valid to choose by, test once everything is chosen
    #[arg(long, value_name = "SPLIT", default_value = "valid", value_parser = split)]
    pub split: Split,
    /// Predictions of any other classifier, a table with id,source,class,p0..pn
    #[arg(long, value_name = "FILE.csv", requires = "scheme")]
    pub predictions: Vec<PathBuf>,
    /// What that classifier said of the valid split, to calibrate it by
    #[arg(long, value_name = "FILE.csv")]
    pub calibrate_by: Option<PathBuf>,
    /// Classes of the predictions
    #[arg(long, value_enum)]
    pub scheme: Option<Scheme>,
    /// Redraws of the songs for the intervals
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub redraws: usize,
    /// Seed of the intervals and of the baseline
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Leave the baseline out
    #[arg(long)]
    pub no_baseline: bool,
    /// Write what the classifiers say into this folder, a table each
    #[arg(long, value_name = "DIR")]
    pub csv: Option<PathBuf>,
    /// Draw confusion matrices and loss curves into this folder
    #[arg(long, value_name = "DIR")]
    pub png: Option<PathBuf>,
    /// Write everything as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write a page with all tables and pictures, in one file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

impl EvalGenreArgs {
    /// The built-in weights on the valid split of a cache.
    pub fn new(cache: &Path) -> Self {
        Self {
            models: vec![],
            cache: vec![cache.to_owned()],
            split: Split::Valid,
            predictions: vec![],
            calibrate_by: None,
            scheme: None,
            redraws: 1000,
            seed: 1,
            no_baseline: false,
            csv: None,
            png: None,
            json: None,
            html: None,
        }
    }

    /// The first cache that holds items of a kind to train on.
    fn cache_with(&self, kind: Kind) -> anyhow::Result<&Path> {
        for path in &self.cache {
            if self.cache.len() == 1 || !cache::load(path, kind, Split::Train)?.items.is_empty() {
                return Ok(path);
            }
        }
        anyhow::bail!("none of the caches holds {} items: name another with --cache", kind.name())
    }
}

fn split(name: &str) -> Result<Split, String> {
    match name {
        "test" => Ok(Split::Test),
        "valid" => Ok(Split::Valid),
        _ => Err("choose valid or test: training songs prove nothing".to_owned()),
    }
}

/// What `--json` writes.
#[derive(Default, serde::Serialize)]
pub(crate) struct GenreReport {
    figures: Vec<Measured>,
    steadiness: Vec<(String, Steadiness)>,
    /// Of runs: name, model and the lines of the log.
    losses: Vec<(String, String, Vec<Line>)>,
    /// The papers' tables.
    pub(crate) papers: Vec<Table>,
}

impl GenreReport {
    /// All tables, those of the papers among them.
    pub(crate) fn tables(&self) -> Vec<Table> {
        let mut out = overview(self);
        out.extend(self.papers.iter().cloned());
        for m in self.figures.iter().filter(|m| m.beside.is_none()) {
            out.extend(of_one(self, m));
        }
        out.extend(self.steadiness.iter().map(|(name, s)| s.table(name)));
        out
    }

    /// Confusion matrices and loss curves, with their titles.
    ///
    /// # Errors
    /// None that a picture in memory gives rise to.
    pub(crate) fn pictures(&self) -> anyhow::Result<Vec<(String, RgbImage)>> {
        let mut out = vec![];
        for m in &self.figures {
            let title = match &m.beside {
                Some(model) => format!("{} beside {model}, {}", m.name, m.set),
                None => format!("{}, {}", m.name, m.set),
            };
            let drawn = picture::draw(&title, &m.classes, &m.confusion)?;
            out.push((title, drawn));
        }
        for (name, _, lines) in self.losses.iter().filter(|l| !l.2.is_empty()) {
            out.push((format!("{name}, losses"), curves::picture(name, lines)?));
        }
        Ok(out)
    }
}

/// An evaluation under way.
struct Evaluation<'a> {
    args: &'a EvalGenreArgs,
    report: GenreReport,
    /// Baselines that are measured already, by what they learnt from and the set: several runs share one.
    baselines: HashMap<String, Measured>,
}

impl Evaluation<'_> {
    /// Measures what a classifier says of a set.
    fn add(
        &mut self,
        names: Names<'_>,
        set: &str,
        said: &Predictions,
        calibration: Calibration,
    ) -> anyhow::Result<()> {
        let m = measure(names.name, set, said, calibration, self.args.redraws, self.args.seed);
        let held_out = names.held_out.map(str::to_owned);
        self.report.figures.push(Measured { model: names.model.to_owned(), held_out, ..m });
        let Some(dir) = &self.args.csv else { return Ok(()) };
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        Ok(said.write(&dir.join(format!("{}.csv", plain(&format!("{}-{set}", names.name)))))?)
    }

    /// Measures a baseline beside a classifier on a set, once for each `key`.
    fn add_baseline(
        &mut self,
        names: Names<'_>,
        set: &str,
        key: &str,
        measured: impl FnOnce() -> anyhow::Result<Measured>,
    ) -> anyhow::Result<()> {
        let known = match self.baselines.get(key) {
            Some(known) => known.clone(),
            None => measured()?,
        };
        self.baselines.insert(key.to_owned(), known.clone());
        let held_out = names.held_out.map(str::to_owned);
        let (beside, set) = (Some(names.name.to_owned()), set.to_owned());
        self.report.figures.push(Measured { beside, held_out, set, model: "baseline".to_owned(), ..known });
        Ok(())
    }
}

/// What a classifier is called.
#[derive(Clone, Copy)]
struct Names<'a> {
    /// In tables.
    name: &'a str,
    /// As `genre train` has it.
    model: &'a str,
    /// The source that the set consists of, where training was kept from it.
    held_out: Option<&'a str>,
}

/// What a baseline says where a classifier said something, from the rows of figures by file. Items without a row
/// are left out.
fn like(said: &Predictions, baseline: &Baseline, rows: &HashMap<String, Vec<f32>>) -> Predictions {
    let of = |p: &Prediction| {
        Some(Prediction { probabilities: baseline.probabilities(rows.get(p.file())?), ..p.clone() })
    };
    Predictions { of_items: said.of_items.iter().filter_map(of).collect(), classes: said.classes.clone() }
}

/// Runs the evaluation.
///
/// # Errors
/// When a model, the cache or a file cannot be read or written.
pub fn run(args: &EvalGenreArgs) -> anyhow::Result<()> {
    let report = measured(args)?;
    for table in report.tables() {
        println!("{}", table.text());
    }
    if let Some(path) = &args.json {
        write_whole(path, serde_json::to_string_pretty(&report)?.as_bytes())?;
    }
    if let Some(path) = &args.html {
        write_whole(path, page::page(&report, args.split)?.as_bytes())?;
    }
    if let Some(dir) = &args.png {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        for (title, drawn) in report.pictures()? {
            write_picture(&drawn, &dir.join(format!("{}.png", plain(&title))))?;
        }
    }
    Ok(())
}

/// Measures what the arguments name.
pub(crate) fn measured(args: &EvalGenreArgs) -> anyhow::Result<GenreReport> {
    let mut evaluation = Evaluation { args, report: GenreReport::default(), baselines: HashMap::new() };
    if args.models.is_empty() && args.predictions.is_empty() {
        for (name, bytes) in BUILT_IN {
            notes::add(&mut evaluation, name, &Classifier::of_bytes(bytes)?)?;
        }
        // What hears needs sound, which not every cache has.
        if args.cache_with(Kind::Mel).is_ok_and(|c| sound::has(c, args.split)) {
            sound::add_file(&mut evaluation, "genre-audio", built_in::AUDIO)?;
        }
    }
    let mut names: Vec<String> = vec![];
    for path in &args.models {
        // The folders of two runs may have one name.
        let name = Some(name(path)).filter(|n| !names.contains(n));
        let name = name.unwrap_or_else(|| path.display().to_string());
        if hears(path)? {
            let run = Run::open(path, &candle_core::Device::Cpu)?;
            sound::add(&mut evaluation, &name, &run)?;
            evaluation.report.losses.push((name.clone(), run.recipe.name.clone(), curves::read(path)?));
        } else if let Some(bytes) = sound::file(path) {
            sound::add_file(&mut evaluation, &name, &bytes)?;
        } else {
            let classifier = Classifier::open(path)?;
            notes::add(&mut evaluation, &name, &classifier)?;
            if path.is_dir() {
                let model = notes::model_name(&classifier);
                evaluation.report.losses.push((name.clone(), model, curves::read(path)?));
            }
        }
        names.push(name);
    }
    let mut report = evaluation.report;
    foreign(args, &mut report)?;
    anyhow::ensure!(!report.figures.is_empty(), "nothing was measured");
    report.papers = papers::tables(&report.figures);
    Ok(report)
}

/// Measures the predictions of other classifiers.
fn foreign(args: &EvalGenreArgs, report: &mut GenreReport) -> anyhow::Result<()> {
    let Some(scheme) = args.scheme else { return Ok(()) };
    let classes = scheme.classes().context("give a --scheme that names its classes")?;
    let classes: Vec<String> = classes.iter().map(|&c| c.into()).collect();
    let calibration = match &args.calibrate_by {
        Some(path) => Calibration::fit(&Predictions::read(path, &classes)?),
        None => Calibration::default(),
    };
    for path in &args.predictions {
        let said = Predictions::read(path, &classes)?;
        let name = name(path);
        report.figures.push(measure(&name, &name, &said, calibration, args.redraws, args.seed));
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.file_stem().map_or_else(|| path.display().to_string(), |s| s.to_string_lossy().into_owned())
}

/// A name that every file system takes.
pub(crate) fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

/// Whether a folder is that of a run of a model of sound.
fn hears(path: &Path) -> anyhow::Result<bool> {
    Ok(path.is_dir() && FitCheckpoint::best_of(path)?.recipe["model"].is_object())
}

/// The tables over all classifiers.
pub(crate) fn overview(report: &GenreReport) -> Vec<Table> {
    let mut out = vec![summary(&report.figures)];
    out.extend([files(&report.figures), held_out(&report.figures)].into_iter().filter(|t| !t.is_empty()));
    if !report.losses.is_empty() {
        out.push(losses(report));
    }
    out
}

/// The tables of one classifier on one set.
fn of_one(report: &GenreReport, m: &Measured) -> Vec<Table> {
    let by_source = sources(m, beside(&report.figures, m));
    std::iter::once(confusion(m)).chain(Some(by_source).filter(|t| !t.is_empty())).collect()
}

/// How the losses of runs went.
fn losses(report: &GenreReport) -> Table {
    let head = [
        "run",
        "model",
        "epochs",
        "train, last",
        "valid, lowest",
        "in epoch",
        "valid, last",
        "balanced there",
    ];
    let mut table = Table::new("Losses in nats (train: as it is trained)", head).names(2);
    for (name, model, lines) in &report.losses {
        let Some(last) = lines.last() else { continue };
        let best = lines.iter().fold(last, |b, l| if l.valid_loss < b.valid_loss { l } else { b });
        table.push([
            name.clone(),
            model.clone(),
            last.epoch.to_string(),
            format!("{:.3}", last.loss),
            format!("{:.3}", best.valid_loss),
            best.epoch.to_string(),
            format!("{:.3}", last.valid_loss),
            last.valid_balanced.map_or_else(|| "-".to_owned(), |b| format!("{b:.3}")),
        ]);
    }
    table
}
