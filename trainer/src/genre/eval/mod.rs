//! `sideman-trainer eval genre`: every classifier given, beside the majority class and the baseline.

mod audio;

use std::collections::HashMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::Context;
use image::ImageFormat;
use sideman_music::genre::programs_and_tempo;

use crate::corpus::Split;
use crate::evaluate::table::{Table, escaped};
use crate::evaluate::write_whole;
use crate::genre::fit::FitCheckpoint;
use crate::genre::labelled::Content;
use crate::genre::measure::report::{confusion, sources, summary};
use crate::genre::measure::{Baseline, Calibration, Measured, Prediction, Predictions, measure, picture};
use crate::genre::scheme::Scheme;
use crate::genre::symbolic::recipe::{Data, Labels};
use crate::genre::symbolic::steadiness::{Steadiness, steadiness};
use crate::genre::symbolic::{Classifier, predict};

/// Measures classifiers of genre.
#[derive(Debug, Clone, clap::Args)]
pub struct EvalGenreArgs {
    /// Folders of runs and weights files
    #[arg(value_name = "RUN|FILE")]
    pub models: Vec<PathBuf>,
    /// Cache made by `genre prepare`
    #[arg(long, value_name = "DIR", default_value = "genre-cache")]
    pub cache: PathBuf,
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
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Leave the baseline out
    #[arg(long)]
    pub no_baseline: bool,
    /// Write the predictions of the models given into this folder, a table each
    #[arg(long, value_name = "DIR")]
    pub csv: Option<PathBuf>,
    /// Draw confusion matrices into this folder
    #[arg(long, value_name = "DIR")]
    pub png: Option<PathBuf>,
    /// Write everything as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write a page with all tables
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

fn split(name: &str) -> Result<Split, String> {
    match name {
        "test" => Ok(Split::Test),
        "valid" => Ok(Split::Valid),
        _ => Err("choose valid or test: training songs prove nothing".to_owned()),
    }
}

/// What `--json` writes.
#[derive(Debug, serde::Serialize)]
struct Report {
    figures: Vec<Measured>,
    steadiness: Vec<(String, Steadiness)>,
}

/// Runs the evaluation.
///
/// # Errors
/// When a model, the cache or a file cannot be read or written.
pub fn run(args: &EvalGenreArgs) -> anyhow::Result<()> {
    anyhow::ensure!(
        !args.models.is_empty() || !args.predictions.is_empty(),
        "nothing to measure: name folders of runs, weights files, or --predictions"
    );
    let mut report = Report { figures: vec![], steadiness: vec![] };
    for path in &args.models {
        if hears(path)? {
            report.figures.extend(audio::one(path, &name(path), args)?);
        } else if audio::is_file(path) {
            report.figures.extend(audio::file(path, &name(path), args)?);
        } else {
            one(path, args, &mut report)?;
        }
    }
    if let Some(scheme) = args.scheme {
        let names: Vec<String> = scheme
            .classes()
            .context("give a --scheme that names its classes")?
            .iter()
            .map(|&c| c.into())
            .collect();
        let calibration = match &args.calibrate_by {
            Some(path) => Calibration::fit(&Predictions::read(path, &names)?),
            None => Calibration::default(),
        };
        for path in &args.predictions {
            let said = Predictions::read(path, &names)?;
            report.figures.push(measure(
                &name(path),
                &name(path),
                &said,
                calibration,
                args.redraws,
                args.seed,
            ));
        }
    }
    let tables = tables(&report);
    for table in &tables {
        println!("{}", table.text());
    }
    if let Some(path) = &args.json {
        write_whole(path, serde_json::to_string_pretty(&report)?.as_bytes())?;
    }
    if let Some(path) = &args.html {
        write_whole(path, page(&tables).as_bytes())?;
    }
    if let Some(dir) = &args.png {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        for m in &report.figures {
            let title = format!("{}, {}", m.name, m.set);
            let mut png = Cursor::new(vec![]);
            picture::draw(&title, &m.classes, &m.confusion)?.write_to(&mut png, ImageFormat::Png)?;
            let plain: String =
                title.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            write_whole(&dir.join(format!("{plain}.png")), png.get_ref())?;
        }
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.file_stem().map_or_else(|| path.display().to_string(), |s| s.to_string_lossy().into_owned())
}

/// Whether a folder is that of a model that hears, of `genre train`.
fn hears(path: &Path) -> anyhow::Result<bool> {
    Ok(path.is_dir() && FitCheckpoint::best_of(path)?.recipe["model"].is_object())
}

/// Writes a table of predictions.
fn table(dir: &Path, name: &str, set: &str, said: &Predictions) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    Ok(said.write(&dir.join(format!("{name}-{}.csv", set.replace(['/', ' ', ','], "_"))))?)
}

/// Measures one classifier on its sets.
fn one(path: &Path, args: &EvalGenreArgs, report: &mut Report) -> anyhow::Result<()> {
    let classifier = Classifier::open(path)?;
    let (model, name) = (classifier.model(), name(path));
    let data = Data::load(&args.cache, model, classifier.held_out())?;
    let said_of_valid = predict(&classifier, &data.valid)?;
    let calibration = match &classifier {
        Classifier::File { weights, .. } => {
            Calibration { temperature: weights.head.temperature, unsure: weights.head.unsure }
        }
        Classifier::Run { .. } => Calibration::fit(&said_of_valid),
    };
    let test;
    let mut sets: Vec<(String, &Labels)> = vec![];
    if args.split == Split::Test {
        test = Data::test(&args.cache, model)?;
        sets.push(("test".into(), &test));
    } else {
        sets.push(("valid".into(), &data.valid));
    }
    if let Some(source) = classifier.held_out() {
        sets.push((format!("{source}, unseen"), &data.held_out));
    }
    let baseline = (!args.no_baseline).then(|| baseline(&data.train, args.seed));
    for (set, labels) in sets {
        let said = predict(&classifier, labels)?;
        report.figures.push(measure(&name, &set, &said, calibration, args.redraws, args.seed));
        if let Some(dir) = &args.csv {
            table(dir, &name, &set, &said)?;
        }
        if let Some(baseline) = &baseline {
            let rows = programs_of(labels);
            let like = |said: &Predictions, rows: &HashMap<String, Vec<f32>>| {
                let of = |p: &Prediction| Prediction {
                    probabilities: baseline.probabilities(&rows[p.file()]),
                    ..p.clone()
                };
                Predictions {
                    of_items: said.of_items.iter().map(of).collect(),
                    classes: said.classes.clone(),
                }
            };
            let calibration = Calibration::fit(&like(&said_of_valid, &programs_of(&data.valid)));
            let figures = measure(
                "programs and tempo",
                &set,
                &like(&said, &rows),
                calibration,
                args.redraws,
                args.seed,
            );
            report.figures.push(figures);
        }
        if let Classifier::File { weights, .. } = &classifier
            && model.hears() == Some(sideman_models::genre::weights::Hears::Piano)
        {
            report
                .steadiness
                .push((format!("{name}, {set}"), steadiness(&weights.kernel, calibration, labels)));
        }
    }
    Ok(())
}

/// Programs and tempo by item.
fn programs_of(labels: &Labels) -> HashMap<String, Vec<f32>> {
    let of = |item: &crate::genre::Labelled| match &item.content {
        Content::Score(score) => Some((item.facts.id.clone(), programs_and_tempo(score).to_vec())),
        _ => None,
    };
    labels.set.items.iter().filter_map(of).collect()
}

fn baseline(train: &Labels, seed: u64) -> Baseline {
    let programs = programs_of(train);
    let rows: Vec<Vec<f32>> = train.set.items.iter().map(|i| programs[&i.facts.id].clone()).collect();
    Baseline::fit(&rows, &train.of_items, train.names.len(), seed)
}

fn tables(report: &Report) -> Vec<Table> {
    let mut out = vec![summary(&report.figures)];
    for m in &report.figures {
        out.push(confusion(m));
        let by_source = sources(m);
        if !by_source.is_empty() {
            out.push(by_source);
        }
    }
    out.extend(report.steadiness.iter().map(|(name, s)| s.table(name)));
    out
}

fn page(tables: &[Table]) -> String {
    let style = "body{font:15px sans-serif;margin:2em}td,th{padding:.2em .6em;text-align:right}\
                 th:first-child{text-align:left}small{color:#888;margin-left:.4em}.wide{overflow-x:auto}";
    let title = escaped("Classifiers of genre");
    let body: String = tables.iter().map(Table::html).collect();
    format!(
        "<!doctype html><meta charset=utf-8><title>{title}</title><style>{style}</style><h1>{title}</h1>\n{body}"
    )
}
