//! The log of a training and its curves.

use std::io::{Cursor, Write};
use std::path::Path;

use anyhow::Context;
use image::ImageFormat;
use plotters::prelude::*;
use serde::{Deserialize, Serialize};

use crate::evaluate::write_whole;
use crate::train::plot::figure::{Curve, Range, TRAIN, VALID, panel};
use crate::train::plot::paper::{COLOURS, INK, PALE, Paper, letters, px};

/// Name of the log in the folder of a run.
pub(super) const LOG: &str = "log.jsonl";
/// Name of the picture in the folder of a run.
pub(super) const PICTURE: &str = "loss.png";

/// A line of the log: an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Line {
    /// Epochs done.
    pub(super) epoch: usize,
    /// Mean loss of the epoch's batches, with augmentation, smoothing and weights.
    pub(super) loss: f64,
    /// Share of the epoch's examples that were right as they were shown.
    pub(super) accuracy: f64,
    /// Mean norm of the gradient before clipping.
    pub(super) norm: f64,
    /// Cross-entropy on the valid split.
    pub(super) valid_loss: f64,
    /// Accuracy on the valid split.
    pub(super) valid_accuracy: f64,
    /// Balanced accuracy on the valid split.
    pub(super) valid_balanced: f64,
    /// At the epoch's end.
    pub(super) learning_rate: f64,
    /// Since the beginning of the training.
    pub(super) seconds: f64,
}

/// Adds a line.
pub(super) fn add(run: &Path, line: &Line) -> anyhow::Result<()> {
    let path = run.join(LOG);
    let mut file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    writeln!(file, "{}", serde_json::to_string(line)?)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The lines of a log. A resumed run may have written epochs again that were done after the last checkpoint:
/// the later lines count. Half a line is passed over.
pub(super) fn parse(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = vec![];
    for line in text.lines().filter_map(|l| serde_json::from_str::<Line>(l).ok()) {
        lines.retain(|old| old.epoch < line.epoch);
        lines.push(line);
    }
    lines
}

/// Draws the curves of a run's folder, whole or not at all.
pub(super) fn draw(run: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(run.join(LOG)).context("cannot read the log")?;
    let lines = parse(&text);
    let end = lines.last().map_or(1, |l| l.epoch) as f64;
    let of = |f: fn(&Line) -> f64| -> Vec<(f64, f64)> {
        lines.iter().map(|l| (l.epoch as f64, f(l))).filter(|p| p.1.is_finite()).collect()
    };
    let mut paper = Paper::new(1280, 640);
    {
        let root = (&mut paper).into_drawing_area();
        let (title, rest) = root.split_vertically(px(48));
        let name = run.file_name().map_or_else(|| "run".into(), |n| n.to_string_lossy());
        title.draw(&Text::new(name.to_string(), (px(16), px(10)), letters(16, INK)))?;
        if let Some(l) = lines.last() {
            let text = format!("{} epochs, {:.0} minutes", l.epoch, l.seconds / 60.0);
            title.draw(&Text::new(text, (px(16), px(34)), letters(8, PALE)))?;
        }
        let panels = rest.split_evenly((1, 2));
        let losses = [
            Curve::new("train", &of(|l| l.loss), TRAIN, false),
            Curve::new("valid", &of(|l| l.valid_loss), VALID, false),
        ];
        let range = Range { along: "epoch", end, bottom: Some(0.0), top: Some(ceiling(&lines)) };
        panel(&panels[0], "Loss in nats (train: as it is trained)", &losses, range)?;
        let shares = [
            Curve::new("train", &of(|l| l.accuracy), TRAIN, false),
            Curve::new("valid", &of(|l| l.valid_accuracy), VALID, false),
            Curve::new("balanced", &of(|l| l.valid_balanced), COLOURS[0], false),
        ];
        let range = Range { along: "epoch", end, bottom: Some(0.0), top: None };
        panel(&panels[1], "Accuracy", &shares, range)?;
    }
    let mut png = Cursor::new(vec![]);
    paper.picture().write_to(&mut png, ImageFormat::Png)?;
    write_whole(&run.join(PICTURE), png.get_ref())
}

/// A height above which losses are cut off, for one bad epoch would press all others flat: twice the median.
fn ceiling(lines: &[Line]) -> f64 {
    let mut all: Vec<f64> =
        lines.iter().flat_map(|l| [l.loss, l.valid_loss]).filter(|v| v.is_finite()).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).map_or(1.0, |m| 2.0 * m)
}
