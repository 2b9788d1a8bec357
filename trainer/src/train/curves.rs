//! The log of a training and its curves.

use std::path::Path;

use anyhow::Context;
use image::RgbImage;
use plotters::prelude::*;
use serde::{Deserialize, Serialize};

use super::panel::{Curve, Range, TRAIN, VALID, WIDTH, panel};
use super::run::{LOG, PICTURE};
use crate::report::canvas::{COLOURS, INK, PALE, canvas, letters, px, smoothed};
use crate::report::picture::write;

/// A line of the log: an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// Epochs done.
    pub(crate) epoch: usize,
    /// Mean loss of the epoch's batches, with augmentation, smoothing and weights.
    pub(crate) loss: f64,
    /// Share of the epoch's examples that were right as they were shown, where that means something.
    pub(crate) accuracy: Option<f64>,
    /// Mean norm of the gradient before clipping.
    pub(crate) norm: f64,
    /// Loss on the valid split.
    pub(crate) valid_loss: f64,
    /// Accuracy on the valid split.
    pub(crate) valid_accuracy: Option<f64>,
    /// Balanced accuracy on the valid split.
    pub(crate) valid_balanced: Option<f64>,
    /// At the epoch's end.
    pub(crate) learning_rate: f64,
    /// Since the beginning of the training.
    pub(crate) seconds: f64,
}

impl Line {
    /// For whoever watches.
    pub(super) fn text(&self) -> String {
        let percent = |name: &str, share: Option<f64>| {
            share.map_or_else(String::new, |s| format!(", {name}{:.1} %", 100.0 * s))
        };
        format!(
            "epoch {}: loss {:.4}{}; valid {:.4}{}{}; {:.0} s",
            self.epoch,
            self.loss,
            percent("right ", self.accuracy),
            self.valid_loss,
            percent("right ", self.valid_accuracy),
            percent("balanced ", self.valid_balanced),
            self.seconds
        )
    }
}

/// The lines of a log. A resumed run may have written epochs again that were done after the last checkpoint:
/// the later lines count. Half a line is passed over.
pub(crate) fn parse(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = vec![];
    for line in text.lines().filter_map(|l| serde_json::from_str::<Line>(l).ok()) {
        lines.retain(|old| old.epoch < line.epoch);
        lines.push(line);
    }
    lines
}

/// The lines of the log in a run's folder.
pub(crate) fn read(run: &Path) -> anyhow::Result<Vec<Line>> {
    let path = run.join(LOG);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(parse(&text))
}

/// Draws the curves of a run's folder, whole or not at all.
pub(crate) fn draw(run: &Path) -> anyhow::Result<()> {
    let name = run.file_name().map_or_else(|| "run".into(), |n| n.to_string_lossy());
    write(&picture(&name, &read(run)?)?, &run.join(PICTURE))
}

/// The curves of a log as a picture.
pub(crate) fn picture(name: &str, lines: &[Line]) -> anyhow::Result<RgbImage> {
    let end = lines.last().map_or(1, |l| l.epoch) as f64;
    let of = |f: fn(&Line) -> Option<f64>| -> Vec<(f64, f64)> {
        let points = lines.iter().filter_map(|l| Some((l.epoch as f64, f(l)?)));
        points.filter(|p| p.1.is_finite()).collect()
    };
    let mut paper = canvas(WIDTH, 640);
    {
        let root = (&mut paper).into_drawing_area();
        let (title, rest) = root.split_vertically(px(48));
        title.draw(&Text::new(name.to_owned(), (px(16), px(10)), letters(16, INK)))?;
        if let Some(l) = lines.last() {
            let text = format!("{} epochs, {:.0} minutes", l.epoch, l.seconds / 60.0);
            title.draw(&Text::new(text, (px(16), px(34)), letters(8, PALE)))?;
        }
        // What has no accuracy has its losses over the whole width.
        let panels =
            rest.split_evenly((1, if lines.iter().any(|l| l.valid_accuracy.is_some()) { 2 } else { 1 }));
        let losses = [
            Curve::new("train", &of(|l| Some(l.loss)), TRAIN, false),
            Curve::new("valid", &of(|l| Some(l.valid_loss)), VALID, false),
        ];
        let range = Range { along: "epoch", end, bottom: Some(0.0), top: Some(ceiling(lines)) };
        panel(&panels[0], "Loss in nats (train: as it is trained)", &losses, range)?;
        let [_, right] = &panels[..] else { return Ok(smoothed(&paper)) };
        let shares = [
            Curve::new("train", &of(|l| l.accuracy), TRAIN, false),
            Curve::new("valid", &of(|l| l.valid_accuracy), VALID, false),
            Curve::new("balanced", &of(|l| l.valid_balanced), COLOURS[0], false),
        ];
        let range = Range { along: "epoch", end, bottom: Some(0.0), top: None };
        panel(right, "Accuracy", &shares, range)?;
    }
    Ok(smoothed(&paper))
}

/// A height above which losses are cut off, for one bad epoch would press all others flat: twice the median.
fn ceiling(lines: &[Line]) -> f64 {
    let mut all: Vec<f64> =
        lines.iter().flat_map(|l| [l.loss, l.valid_loss]).filter(|v| v.is_finite()).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).map_or(1.0, |m| 2.0 * m)
}
