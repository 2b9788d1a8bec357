//! Corpora: reading music from its published layouts, choosing the songs that can teach a band, and
//! keeping them in a cache that loads in seconds.
//!
//! The way of a file: a [`Source`] yields raw files with what is known about them ([`dataset`], [`files`],
//! [`lakh`]); [`qualify`](mod@qualify) turns a file into a [`Song`] or a reason for leaving it out; [`prepare()`] runs
//! both over all cores and writes the cache with a report; [`load`] reads one tier and split of it back.
//!
//! The test split is in the cache but never in a default: code sees it only by naming [`Split::Test`].

pub(crate) mod bytes;
pub(crate) mod cache;
pub mod dataset;
pub mod files;
pub mod lakh;
pub mod prepare;
pub mod prepare_report;
pub mod qualify;
pub(crate) mod read;
pub mod roll;
pub mod song;
mod song_cache;
pub mod source;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;

pub use cache::CacheError;
pub use dataset::Dataset;
pub use files::Files;
pub use prepare::{Layout, PrepareOptions, prepare, run};
pub use prepare_report::PrepareReport;
pub use qualify::LeftOut;
pub use song::Song;
pub use song_cache::load;
pub use source::{CorpusError, Source, Split, Tier};
