//! P1's network for one instrument ("Comparing RNN performance across musical genres and instrument clusters",
//! section 3.5): it reads 15 s of four instruments in the encoding of [`sideman_music::encoding::note_cells`] and says, for each row,
//! what it expects the cells of one of them to be 15 s later.
//!
//! The paper has an embedding "with a shape of 200x512x60", 2048 LSTM cells, "a dense output layer of 200x1", 60 rows a
//! batch, and predicts "at each step the next 15 second snippet". Here a step is a row, and row `t + 60` is the target
//! at step `t`. That fixes three sizes, which are the paper's: 200 x 512 = 102,400 values of embedding, 20,979,712 of
//! the LSTM (one bias a gate), 409,800 of the dense layer.
//!
//! Choices and deviations:
//! - A row has 120 cells and the LSTM reads 512 values, so the embeddings of a row have to become one: each is
//!   multiplied, elementwise, by a learned vector of its column, and all are added. Joined end to end they would be
//!   61,440 values, and the LSTM would have 520 million weights, which is not the paper's 2048 x (512 + 2048) x 4.
//! - One dense layer of 200 outputs serves 30 columns: the state of a step is multiplied, elementwise, by a learned
//!   vector of the column that is asked for. The smaller preset makes the state narrower before.
//! - A Keras program of those sizes could also read one column after the other, 120 steps of one value each and 60 rows
//!   as the batch. Then nothing would go from one row to the next, and the network could not know when it is; the paper's
//!   "sequential models are the correct architecture for time sequence data" says that time is what it walks through.
//! - The memory begins empty with every 15 s; forget gates begin open, recurrent weights orthogonal (Keras's own).
//! - Adam at 0.005 as in the paper; gradients are clipped by the recipe.

use std::sync::Arc;

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};
use sideman_music::encoding::note_cells::{COLUMNS, FAMILY_COLUMNS, SEQUENCE, VALUES};

use crate::nn::{Embedding, Init, Linear, Lstm, Module, Network, VarBuilder};
use crate::ops::{Activation, embed_cells, gate_cells};

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct P1Lstm {
    /// Width of an embedding.
    pub embedding: usize,
    /// Units of the LSTM.
    pub hidden: usize,
    /// Width of the state that the columns' vectors are multiplied by, where it is made narrower.
    pub narrow: Option<usize>,
}

impl P1Lstm {
    /// The paper's.
    pub fn paper() -> Self {
        Self { embedding: 512, hidden: 2048, narrow: None }
    }

    /// One that trains in minutes.
    pub fn small() -> Self {
        Self { embedding: 64, hidden: 192, narrow: Some(64) }
    }
}

/// Its layers.
pub struct P1Layers {
    values: Embedding,
    columns: Embedding,
    lstm: Lstm,
    narrow: Option<Linear>,
    targets: Embedding,
    last: Linear,
    hidden: usize,
}

impl Network for P1Lstm {
    type Layers = P1Layers;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<P1Layers> {
        let &Self { embedding, hidden, narrow } = self;
        let width = narrow.unwrap_or(hidden);
        let table = Init::Glorot { inputs: VALUES, outputs: embedding };
        // Of variance 1: columns differ from the beginning.
        let unlike = Init::Normal(1.0);
        let narrowing = || Linear::new(hidden, width, Activation::None, vb.pp("narrow"));
        Ok(P1Layers {
            values: Embedding::new(VALUES, embedding, table, vb.pp("values"))?,
            columns: Embedding::new(COLUMNS, embedding, unlike, vb.pp("columns"))?,
            lstm: Lstm::new(embedding, hidden, vb.pp("lstm"))?,
            narrow: narrow.is_some().then(narrowing).transpose()?,
            targets: Embedding::new(FAMILY_COLUMNS, width, unlike, vb.pp("targets"))?,
            last: Linear::new(width, VALUES, Activation::None, vb.pp("last"))?,
            hidden,
        })
    }
}

impl P1Layers {
    /// Reads rows, time-major: `cells` is (steps, lanes, 120). The states are (steps * lanes, width).
    ///
    /// # Errors
    /// When there are not whole rows for each lane.
    pub fn states(&self, cells: &[u8], lanes: usize) -> Result<Tensor> {
        if lanes == 0 || cells.is_empty() || !cells.len().is_multiple_of(lanes * COLUMNS) {
            candle_core::bail!("{} cells are no rows of {COLUMNS} for {lanes} lanes", cells.len());
        }
        let x = embed_cells(cells, self.values.table(), self.columns.table())?;
        let steps = cells.len() / (lanes * COLUMNS);
        let h = self.lstm.forward(&x.reshape((steps, lanes, ()))?)?.reshape((steps * lanes, self.hidden))?;
        match &self.narrow {
            Some(narrow) => narrow.forward(&h),
            None => Ok(h),
        }
    }

    /// Logits (places, 200) of cells that come 60 rows later: each place is (row of the states, column of the
    /// instrument, 0 to 29).
    ///
    /// # Errors
    /// When a place lies outside.
    pub fn logits(&self, states: &Tensor, places: Arc<[(u32, u32)]>) -> Result<Tensor> {
        self.last.forward(&gate_cells(states, self.targets.table(), places)?)
    }
}

/// All places of so many lanes: every row's 30 columns, row by row.
pub fn all_places(lanes: usize) -> Arc<[(u32, u32)]> {
    let columns = 0..FAMILY_COLUMNS as u32;
    (0..(SEQUENCE * lanes) as u32).flat_map(|row| columns.clone().map(move |c| (row, c))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Parameters, Spec};

    fn count(network: &P1Lstm, layer: &str) -> usize {
        let specs = network.specs();
        let own = specs.trained.iter().filter(|s| s.name.split('.').next() == Some(layer));
        own.map(Spec::values).sum()
    }

    #[test]
    fn the_preset_has_the_sizes_of_the_paper() {
        let paper = P1Lstm::paper();
        assert_eq!(count(&paper, "values"), 102_400);
        assert_eq!(count(&paper, "lstm"), 20_979_712);
        assert_eq!(count(&paper, "last"), 409_800);
        // What our reading adds: vectors for 120 columns that come in and 30 that go out.
        assert_eq!(paper.parameters(), 102_400 + 20_979_712 + 409_800 + 120 * 512 + 30 * 2048);
        assert!(P1Lstm::small().parameters() < 300_000);
    }

    #[test]
    fn a_row_is_read_by_its_columns_and_by_time() {
        let network = P1Lstm { embedding: 6, hidden: 5, narrow: Some(4) };
        let parameters = Parameters::fresh(&network.specs(), 3).unwrap();
        let layers = network.load(&parameters).unwrap();
        let logits = |cells: &[u8], places: &[(u32, u32)]| -> Vec<Vec<f32>> {
            let states = layers.states(cells, 2).unwrap();
            assert_eq!(states.dims(), [SEQUENCE * 2, 4]);
            layers.logits(&states, places.into()).unwrap().to_vec2().unwrap()
        };
        let empty = vec![0; SEQUENCE * 2 * COLUMNS];
        let places = [(0, 0), (0, 29), (60, 0), (61, 0)];
        let nothing = logits(&empty, &places);
        assert_eq!((nothing.len(), nothing[0].len()), (4, VALUES));
        assert_ne!(nothing[0], nothing[1], "columns differ");
        // A cell of lane 0 in row 20: later rows of that lane change, none of the other lane, no earlier one.
        let with = |column: usize| {
            let mut cells = empty.clone();
            cells[(20 * 2) * COLUMNS + column] = 61;
            logits(&cells, &places)
        };
        let (one, other) = (with(0), with(35));
        assert_eq!((&one[0], &one[1], &one[3]), (&nothing[0], &nothing[1], &nothing[3]));
        assert_ne!(one[2], nothing[2]);
        assert_ne!(one[2], other[2], "the same value in another column means something else");
        assert!(layers.states(&empty[1..], 2).is_err());
        assert_eq!(all_places(2).len(), SEQUENCE * 2 * FAMILY_COLUMNS);
    }
}
