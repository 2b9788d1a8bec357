//! What P1 trains: a network that expects the next 15 s of one family.

use std::sync::Arc;

use anyhow::Context;
use candle_core::{Device, Tensor};
use rand_pcg::Pcg64;
use sideman_music::encoding::note_cells::{COLUMNS, FAMILY_COLUMNS, SEQUENCE};
use sideman_nets::nn::{Network, Parameters, Specs};
use sideman_nets::ops::cross_entropy;
use sideman_nets::papers::{P1Lstm, all_places};

use super::loss::{WindowLoss, losses};
use super::songs::{Song, Window};
use crate::train::{FitConfig, Loss, Objective, Score, Step};

/// A network for one family with its music.
pub(super) struct NextSequence<'a> {
    pub(super) network: &'a P1Lstm,
    pub(super) songs: &'a [Song],
    pub(super) train: Vec<Window>,
    pub(super) valid: Vec<Window>,
    /// Index in [`sideman_music::encoding::note_cells::FAMILIES`].
    pub(super) family: usize,
    /// Whether only cells of notes count in the loss: the paper's future work.
    pub(super) onsets: bool,
}

/// Cells to read, (60, lanes, 120), and the cells of a family that come 15 s later, (60, lanes, 30).
pub(super) fn batch(songs: &[Song], windows: &[Window], family: usize) -> (Vec<u8>, Vec<u8>) {
    let mut cells = Vec::with_capacity(SEQUENCE * windows.len() * COLUMNS);
    let mut targets = Vec::with_capacity(SEQUENCE * windows.len() * FAMILY_COLUMNS);
    for step in 0..SEQUENCE {
        for w in windows {
            let rows = &songs[w.song].cells.rows[w.start + step..];
            cells.extend_from_slice(&rows[0]);
            targets.extend_from_slice(&rows[SEQUENCE][family * FAMILY_COLUMNS..][..FAMILY_COLUMNS]);
        }
    }
    (cells, targets)
}

fn tensor(values: &[u8], width: usize) -> anyhow::Result<Tensor> {
    let values: Vec<f32> = values.iter().map(|&v| f32::from(v)).collect();
    Ok(Tensor::from_vec(values.clone(), (values.len() / width, width), &Device::Cpu)?)
}

fn bytes(t: &Tensor) -> anyhow::Result<Vec<u8>> {
    Ok(t.flatten_all()?.to_vec1::<f32>()?.into_iter().map(|v| v as u8).collect())
}

impl Objective for NextSequence<'_> {
    fn specs(&self) -> Specs {
        self.network.specs()
    }

    fn examples(&self) -> usize {
        self.train.len()
    }

    fn inputs(&self, chosen: &[usize], _: &mut Pcg64) -> anyhow::Result<Vec<Tensor>> {
        let windows: Vec<Window> = chosen.iter().map(|&i| self.train[i]).collect();
        let (cells, targets) = batch(self.songs, &windows, self.family);
        Ok(vec![tensor(&cells, COLUMNS)?, tensor(&targets, FAMILY_COLUMNS)?])
    }

    fn loss(&self, step: Step<'_>, inputs: &[Tensor], chosen: &[usize]) -> anyhow::Result<Loss> {
        let (cells, targets) = (bytes(&inputs[0])?, bytes(&inputs[1])?);
        let layers = step.layers(self.network)?;
        let states = layers.states(&cells, chosen.len())?;
        let mut places = all_places(chosen.len());
        let mut expected: Vec<u32> = targets.iter().map(|&v| v.into()).collect();
        if self.onsets {
            let played: Vec<usize> = (0..targets.len()).filter(|&i| targets[i] > 0).collect();
            // Without a note there is nothing to learn; one empty cell keeps the loss a number.
            let played = if played.is_empty() { vec![0] } else { played };
            places = played.iter().map(|&i| places[i]).collect::<Arc<[_]>>();
            expected = played.iter().map(|&i| expected[i]).collect();
        }
        let logits = layers.logits(&states, places)?;
        let mean = (cross_entropy(&logits, &expected)? / expected.len() as f64)?;
        Ok(Loss { mean, right: None })
    }

    fn valid(&self, parameters: &Parameters, config: &FitConfig, _: &Device) -> anyhow::Result<Score> {
        let found = losses(self.network, parameters, self.songs, &self.valid, self.family, config.batch)?;
        let loss =
            if self.onsets { WindowLoss::of_onsets(&found, None) } else { WindowLoss::mean(&found, None) };
        Ok(Score::of_loss(loss.context("the valid split has no windows: prepare more music")?))
    }
}
