//! Networks of the papers that the project began with, beside those of [`crate::genre`].

pub mod p2;
