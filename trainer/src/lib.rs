//! Corpora, training, evaluation and export of the networks of Sideman.
//!
//! # Devices
//! Training runs on the CPU unless the trainer is built for another device and `train --device` names it:
//!
//! - `cargo build --release -p sideman-trainer --features cuda` needs a CUDA 13 toolkit: `nvcc` on the path,
//!   and its folder in `CUDA_HOME` when it is not a usual one. `CUDA_COMPUTE_CAP` (90 for an H100 or H200)
//!   names the GPU when the building machine has none. The program is linked with libcuda.so.1,
//!   libcublas.so.13, libcurand.so.10 and libcudart.so.13 and starts only where they are.
//! - `cargo build --release -p sideman-trainer --features metal` needs macOS.
//!
//! The operations of [`sideman_nets::ops`] are fused for the CPU alone; other devices run their
//! compositions out of candle's operations, of which a recurrent layer takes some thirty a step: a network
//! as small as the band's is then bound by the launching of kernels. Neither has been timed yet.

pub mod data;
pub mod eval;
pub mod export;
pub mod memory;
pub mod recipes;
pub mod report;
pub mod train;
