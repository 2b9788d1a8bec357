//! Labelled collections in their published layouts, whole and damaged, through to the cache and back.

mod caches;
mod faults;
mod layouts;
mod rendering;
mod rounds;
