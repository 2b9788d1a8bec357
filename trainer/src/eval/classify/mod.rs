//! Two small classifiers that say how likely a row of numbers is to come from the model: gradient-boosted
//! trees and a regularised logistic regression. Both are deterministic by seed and run on one thread.
//!
//! They are our own because the measure stands or falls with being the same everywhere: one seed, one
//! thread, no library update that moves it. Boosting on binned columns makes hundreds of fits take seconds.

pub mod boosting;
pub mod logistic;
pub mod one_against_all;

/// Rows of numbers, all of one width.
#[derive(Debug, Clone)]
pub struct Matrix {
    values: Vec<f32>,
    columns: usize,
}

impl Matrix {
    /// A matrix of rows of equal width.
    ///
    /// # Panics
    /// When the rows differ in width.
    pub fn from_rows<'a>(rows: impl IntoIterator<Item = &'a [f32]>) -> Self {
        let mut values = Vec::new();
        let mut columns = None;
        for row in rows {
            assert_eq!(*columns.get_or_insert(row.len()), row.len(), "rows of different widths");
            values.extend_from_slice(row);
        }
        Self { values, columns: columns.unwrap_or(0) }
    }

    /// Number of rows; 0 for a matrix without columns.
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.columns).unwrap_or(0)
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// A row.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.columns..][..self.columns]
    }
}

/// The logistic function.
fn sigmoid(z: f32) -> f32 {
    1.0 / (1.0 + (-z).exp())
}
