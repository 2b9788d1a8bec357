//! Listening, planning, playing and scheduling, without a host.
//!
//! The way of a note: the piano is heard up to a step's decision point ([`listen`]); the [`planner`] says
//! whether the band is to play now and how loudly; the band decides the step; the [`player`] gives what
//! it decided its time and velocity; the audio thread ([`rt`]) holds each note until it is due and each
//! sounding note until it ends. [`offline`] drives all that with a virtual clock.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::disallowed_macros)]

pub mod clock;
pub mod controls;
mod ending;
pub mod energy;
pub mod feel;
pub mod genre;
mod kit;
pub mod listen;
pub mod live;
pub mod loaded_band;
pub mod offline;
pub mod pattern;
pub mod planner;
pub mod player;
pub mod rt;
pub mod rules;
pub mod sections;
pub mod settings;
pub mod style;

pub use controls::{Controls, PartControls, WeightsChoice};
pub use offline::{Performance, Rendered, Stats};
pub use rules::RuleBand;
pub use settings::{Settings, SettingsError};
pub use style::{Style, StyleChoice, UnknownStyle};
