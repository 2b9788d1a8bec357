//! The convolutional recurrent network that P3 calls "by far more successful" (section 3) and takes from Z.
//! Nasrullah & Y. Zhao, "Music Artist Classification with Convolutional Recurrent Neural Networks" (2019).
//!
//! Input: (clips, bands, columns), 0 at the floor to 1 at the loudest.
//!
//! As they published it: batch normalisation of each band, four stages of convolution, two GRU layers of 32
//! units, dropout of 0.3. Deviation: where one column is left, pooling goes on over bands alone, because a second
//! of the images that we have is 13 columns.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::mel_cnn::{STAGES, Stage, run_stages, stage_specs, stages_leave};
use super::{Network, NormRule, Pass, Specs};
use crate::ops::Activation;

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MelCrnn {
    /// Mel bands.
    pub bands: usize,
    /// Stages of convolution.
    pub stages: Vec<Stage>,
    /// Dropout after each stage.
    pub dropout: f32,
    /// Units of each of the two recurrent layers.
    pub hidden: usize,
    /// Dropout before the last layer.
    pub last_dropout: f32,
    /// Classes.
    pub classes: usize,
}

impl MelCrnn {
    /// The authors' own.
    pub fn paper(classes: usize) -> Self {
        Self { bands: 128, stages: STAGES.to_vec(), dropout: 0.1, hidden: 32, last_dropout: 0.3, classes }
    }
}

impl Network for MelCrnn {
    fn specs(&self) -> Specs {
        let mut specs = Specs::default();
        specs.norm("bands", self.bands);
        stage_specs(&mut specs, &self.stages);
        // However many the columns: the bands are what a step of the recurrent layers sees.
        let rows = stages_leave(&self.stages, (self.bands, 1)).0;
        let width = self.stages.last().map_or(1, |s| s.filters) * rows;
        specs.gru("gru0", width, self.hidden).gru("gru1", self.hidden, self.hidden);
        specs.linear("last", self.hidden, self.classes);
        specs
    }

    fn logits(&self, pass: &mut Pass<'_>, inputs: &[Tensor]) -> Result<Tensor> {
        let x = pass.norm("bands", &inputs[0], NormRule::KERAS, Activation::None)?;
        let x = run_stages(pass, &self.stages, self.dropout, &x.unsqueeze(1)?)?;
        let (clips, filters, rows, columns) = x.dims4()?;
        let x = x.permute((3, 0, 2, 1))?.reshape((columns, clips, rows * filters))?;
        let x = pass.gru("gru0", &x)?;
        let x = pass.gru("gru1", &x)?;
        let x = pass.dropout(&x.narrow(0, columns - 1, 1)?.squeeze(0)?, self.last_dropout)?;
        pass.linear("last", &x, Activation::None)
    }
}
