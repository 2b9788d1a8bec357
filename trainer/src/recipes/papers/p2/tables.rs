//! Tables of the autoencoders, the recurrent networks and their predictions.

use std::time::Instant;

use sideman_inference::papers::p2::{Cell, LatentRnn, VaeRnn};
use sideman_music::encoding::piano_roll::{CELLS, RollTrack, Threshold};
use sideman_nets::nn::Network;

use super::bands::{Thresholds, Variant};
use super::data::Keys;
use super::predictions::{Mode, PredictedCells, as_read, predicted, tally};
use super::rnn::{Latents, errors};
use super::training::{COMPARED, Trained};
use super::{Setup, vae};
use crate::data::Split;
use crate::report::table::{Table, number};

/// The autoencoders on the test split.
pub(super) fn vae_table(
    setup: Setup<'_>,
    trained: &Trained,
    bands: &[(Variant, VaeRnn)],
) -> anyhow::Result<Table> {
    let mut t = Table::new(
        "VAE: a window that sounds, encoded and decoded, test split (nats a window; F1 of cells at the threshold of the \
         valid split)",
        ["track", "keys", "parameters", "nats of cells", "divergence", "F1", "cells over people's", "silence's nats"],
    )
    .names(2);
    for (variant, band) in bands.iter().filter(|b| b.0.cell == Cell::Gru) {
        for track in RollTrack::ALL {
            if *variant != Variant::PLAYED && !COMPARED.contains(&track) {
                continue;
            }
            let parameters = trained.vae(track, variant.keys);
            let (cells, divergence) = vae::cost(setup, parameters, (track, variant.keys, Split::Test))?;
            let limits = (setup.sizes.pieces, setup.sizes.windows);
            let all =
                predicted(band, setup.music, (Split::Test, variant.keys), (track, Mode::Again), limits)?;
            let (f1, density) = as_read(&all, band.voice(track).head.decoded);
            let silent: Vec<PredictedCells> = all
                .into_iter()
                .map(|t| PredictedCells {
                    predicted: vec![share_of(&t.truth); t.truth.len()],
                    truth: t.truth,
                })
                .collect();
            t.push([
                track.name().to_owned(),
                variant.keys.text().to_owned(),
                setup.sizes.vae.parameters().to_string(),
                number(cells),
                number(divergence),
                number(f1),
                number(density),
                number(tally(&silent).nats()),
            ]);
        }
    }
    Ok(t)
}

fn share_of(cells: &[f32]) -> f32 {
    cells.iter().filter(|c| **c > 0.0).count() as f32 / cells.len().max(1) as f32
}

/// The recurrent networks on the test split, in shares of the latent values' variance.
pub(super) fn rnn_table(
    setup: Setup<'_>,
    trained: &Trained,
    networks: &[(RollTrack, Keys, Cell)],
) -> anyhow::Result<Table> {
    let mut t = Table::new(
        "RNN: squared error of the latent values told, test split, over their variance (1: telling their mean)",
        ["track", "keys", "memory", "parameters", "error", "the piano's last window again"],
    )
    .names(3);
    for &(track, keys, cell) in networks {
        let of = |track| Latents::of(setup, trained.vae(track, keys), (track, keys, Split::Test));
        let piano = of(RollTrack::Piano)?;
        let target = if track == RollTrack::Piano { None } else { Some(of(track)?) };
        let target = target.as_ref().unwrap_or(&piano);
        let rnn = LatentRnn { cell, ..setup.sizes.rnn };
        let (sum, count) = errors(rnn, trained.rnn(track, keys, cell), track, &piano, target)?;
        let (mean, again) = simple(target);
        t.push([
            track.name().to_owned(),
            keys.text().to_owned(),
            cell.name().to_owned(),
            rnn.parameters().to_string(),
            number(sum / count.max(1) as f64 / mean),
            if track == RollTrack::Piano { number(again / mean) } else { "-".to_owned() },
        ]);
    }
    Ok(t)
}

/// Variance of latent values about their means, and the squared difference of neighbours, a value.
fn simple(latents: &Latents) -> (f64, f64) {
    let latent = latents.latent;
    let (mut sums, mut squares, mut count) = (vec![0f64; latent], vec![0f64; latent], 0usize);
    let (mut steps, mut pairs) = (0f64, 0usize);
    for piece in &latents.pieces {
        for row in piece.chunks_exact(latent) {
            count += 1;
            for (i, &v) in row.iter().enumerate() {
                sums[i] += f64::from(v);
                squares[i] += f64::from(v).powi(2);
            }
        }
        for (a, b) in piece.iter().zip(piece.iter().skip(latent)) {
            steps += f64::from(a - b).powi(2);
            pairs += 1;
        }
    }
    let n = count.max(1) as f64;
    let variance = (0..latent).map(|i| squares[i] / n - (sums[i] / n).powi(2)).sum::<f64>() / latent as f64;
    (variance.max(1e-12), steps / pairs.max(1) as f64)
}

/// Thresholds of the valid split, and predictions at them on the test split.
pub(super) fn prediction_table(
    setup: Setup<'_>,
    bands: &[(Variant, VaeRnn)],
    thresholds: &[Vec<Thresholds>],
) -> anyhow::Result<Table> {
    let mut t = Table::new(
        "Told rolls against people's, test split: nats a window, F1 of cells and cells over people's, at thresholds by the \
         valid split",
        [
            "track", "keys, memory", "nats", "threshold by F1", "F1", "cells", "by density", "F1", "cells",
            "F1 told the piano's next window", "F1 of people's last window again",
        ],
    )
    .names(2);
    for ((variant, band), thresholds) in bands.iter().zip(thresholds) {
        for c in thresholds {
            if *variant != Variant::PLAYED && !COMPARED.contains(&c.track) {
                continue;
            }
            let limits = (setup.sizes.pieces, setup.sizes.windows);
            let of =
                |mode| predicted(band, setup.music, (Split::Test, variant.keys), (c.track, mode), limits);
            let live = of(Mode::Live)?;
            let rule = band.voice(c.track).head.threshold;
            let at = |all: &[PredictedCells], start: f32| as_read(all, Threshold { start, ..rule });
            let (by_f1, by_density) = (at(&live, c.by_f1), at(&live, c.by_density));
            let known = if c.track == RollTrack::Piano {
                "-".to_owned()
            } else {
                number(at(&of(Mode::Hindsight)?, c.by_density).0)
            };
            t.push([
                c.track.name().to_owned(),
                format!("{}, {}", variant.keys.text(), variant.cell.name()),
                number(tally(&live).nats()),
                number(f64::from(c.by_f1)),
                number(by_f1.0),
                number(by_f1.1),
                number(f64::from(c.by_density)),
                number(by_density.0),
                number(by_density.1),
                known,
                number(again(&live)),
            ]);
        }
    }
    Ok(t)
}

/// F1 of a window with the one before it, of people's.
fn again(all: &[PredictedCells]) -> f64 {
    let (mut right, mut sum) = (0.0, 0.0);
    for t in all {
        let windows: Vec<&[f32]> = t.truth.chunks_exact(CELLS).collect();
        for pair in windows.windows(2) {
            for (&a, &b) in pair[0].iter().zip(pair[1]) {
                right += f64::from(u8::from(a > 0.0 && b > 0.0));
                sum += f64::from(u8::from(a > 0.0)) + f64::from(u8::from(b > 0.0));
            }
        }
    }
    2.0 * right / f64::max(sum, 1.0)
}

/// Milliseconds of what the band does at the edge of a window, the median of some.
pub(super) fn edge_milliseconds(band: &VaeRnn) -> anyhow::Result<f64> {
    let piano = band.voice(RollTrack::Piano);
    let mut cells = vec![0.0; CELLS];
    (0..24).for_each(|i| cells[i * 5 * 128 + 60 + i % 7] = 0.7);
    let mut times = vec![];
    let mut states: Vec<_> = RollTrack::ALL.map(|t| band.voice(t).blank()).to_vec();
    for _ in 0..30 {
        let began = Instant::now();
        let code = piano.encode(&cells);
        let next = piano.predict(&code, &mut states[RollTrack::Piano.index()]);
        for track in RollTrack::ALL.into_iter().filter(|&t| t != RollTrack::Piano) {
            let voice = band.voice(track);
            voice.predict(&code, &mut states[track.index()]);
            let z = voice.predict(&next, &mut states[track.index()].clone());
            std::hint::black_box(voice.decode(&z));
        }
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
