//! Training from a corpus to a weights file, on a few short songs and with a very small network.

mod bench;
mod checkpoints;
mod configs;
mod exports;
mod optimizer;
mod runs;
