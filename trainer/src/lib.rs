//! Corpora, training, evaluation and export of the networks of Sideman.

pub mod bands;
pub mod corpus;
pub mod evaluate;
pub mod export;
pub mod train;
