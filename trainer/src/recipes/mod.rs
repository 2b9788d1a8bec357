//! What is trained: each recipe has its encoding, network, loss and metrics, and stands on the shared dataset, training
//! loop, export and report.

pub mod band;
pub mod genre;
pub mod papers;
