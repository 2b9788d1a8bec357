//! The band thread: it receives what the audio thread heard, decides each step, and writes what an editor shows.

mod band_end;
mod editor_feed;
mod preview;
mod priority;
mod worker;

pub(crate) use band_end::BandEnd;
pub(crate) use worker::BandThread;
