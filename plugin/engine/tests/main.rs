//! The engine from outside: whole renders, controls and what each of them does.
// The lists in clippy.toml are for the audio thread.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::disallowed_macros)]

mod controls;
mod dials;
mod offline;
mod shaping;
