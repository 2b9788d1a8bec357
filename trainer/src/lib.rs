//! Placeholder.

pub mod corpus;
