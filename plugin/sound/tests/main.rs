//! The band's sound and soundfonts, from outside.

mod band;
mod common;
mod playing;
mod realtime;
mod soundfonts;
