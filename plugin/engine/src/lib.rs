//! Listening, planning, playing and scheduling, without a host.
//!
//! The way of a note: the piano is heard up to a step's decision point ([`listen`]); the planner ([`plan`]) says
//! whether the band is to play now and how loudly; the band decides the step; the player ([`play`]) gives what
//! it decided its time and velocity; the audio thread ([`audio_thread`]) holds each note until it is due and each
//! sounding note until it ends. [`offline`] drives all that with a virtual clock.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::disallowed_macros)]

pub mod audio_thread;
mod band_thread;
pub mod controls;
pub mod genre;
mod kit;
pub mod listen;
pub mod live;
pub mod loaded_band;
pub mod messages;
pub mod offline;
pub mod plan;
pub mod play;
pub mod position;
pub mod rules;
mod session;
pub mod settings;
pub mod style;

pub use controls::{Controls, PartControls, WeightsChoice};
pub use offline::{Performance, Rendered, Stats};
pub use play::pattern;
pub use rules::RuleBand;
pub use settings::{Settings, SettingsError};
pub use style::{Style, StyleChoice, UnknownStyle};
