//! Corpora: reading music from its published layouts, choosing the songs that can teach a band, and
//! keeping them in a cache that loads in seconds.
//!
//! The way of a file: a [`Source`] yields raw files with what is known about them ([`dataset`], [`files`],
//! [`lakh`]); [`qualify`](mod@qualify) turns a file into a [`Song`] or a reason for leaving it out; [`prepare()`] runs
//! both over all cores and writes the [`cache`] with a report; [`load`] reads one tier and split of it back.
//!
//! The test split is in the cache but never in a default: code sees it only by naming [`Split::Test`].

pub mod cache;
pub mod dataset;
pub mod files;
pub mod lakh;
pub mod prepare;
pub mod qualify;
pub mod report;
pub mod roll;
pub mod song;
pub mod source;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;

pub use crate::data::cache::CacheError;
pub use cache::load;
pub use dataset::Dataset;
pub use files::Files;
pub use prepare::{Layout, PrepareArgs, PrepareOptions, prepare, run};
pub use qualify::LeftOut;
pub use report::PrepareReport;
pub use song::Song;
pub use source::{CorpusError, Source, Split, Tier};
