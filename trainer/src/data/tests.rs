//! Corpora in their published layouts, whole and damaged, through to the cache and back.

mod caches;
mod layouts;
mod rolls;
mod rules;
