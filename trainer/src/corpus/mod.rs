//! Corpora: reading music from its published layouts, choosing the songs that can teach a band, and
//! keeping them in a cache that loads in seconds.
//!
//! The way of a file: a [`source`] yields raw files with what is known about them; [`song`] turns a file
//! into a [`Song`] or a reason for leaving it out; [`prepare()`] runs both over all cores and writes the
//! [`cache`] with a report; [`load`] reads one tier and split of it back.
//!
//! The test split is in the cache but never in a default: code sees it only by naming [`Split::Test`].

pub mod cache;
pub mod dataset;
pub mod prepare;
pub mod song;
pub mod source;

pub use cache::{CacheError, load};
pub use dataset::Dataset;
pub use prepare::{PrepareArgs, PrepareOptions, PrepareReport, prepare, run};
pub use song::{LeftOut, Song};
pub use source::{CorpusError, Split, Tier};
