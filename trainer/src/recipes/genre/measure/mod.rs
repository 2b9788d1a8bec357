//! Measuring classifiers of genre, whatever they are made of: from predictions to figures, tables and a picture.
//!
//! [`predictions`] is what a classifier said; [`figures`] counts it; [`calibrate`] fits a temperature and the
//! threshold below which a classifier shall say "unsure", both on the valid split; [`baseline`] has what a
//! classifier is to beat; [`report`] puts it together with intervals by song and by source, [`picture`] draws
//! the confusion matrix.

pub mod baseline;
pub mod calibrate;
pub mod figures;
pub mod picture;
pub mod predictions;
pub mod report;

#[cfg(test)]
mod tests;

pub use baseline::Baseline;
pub use calibrate::{Calibration, Unsure};
pub use figures::{Confusion, calibration_error};
pub use predictions::{Prediction, PredictionError, Predictions};
pub use report::{Measured, OfSource, measure};
