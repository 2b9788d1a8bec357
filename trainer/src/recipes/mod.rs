//! What is trained: a module for each network or paper, on the loop in [`crate::train`].

pub mod band;
