//! What all collections of music are stored with.

pub(crate) mod bytes;
pub(crate) mod cache;
pub(crate) mod read;
