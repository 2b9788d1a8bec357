//! The editor.
//!
//! `window` is the only module that meets the framework's windows, `params_hand` the only one that meets its
//! parameters. `surface` lays out the picture; it sees the engine through `scene`, a short copy made at each
//! frame, and turns parameters through the trait `param_access::ParamAccess`.

mod browse;
mod button;
mod capture;
mod clock;
mod dial;
mod genre;
mod header;
mod live_params;
mod notices;
mod panels;
mod param_access;
mod patterns;
mod presets;
mod roll;
mod scene;
mod status_bar;
mod strip;
mod surface;
#[cfg(test)]
mod tests;
#[doc(hidden)]
pub mod texts;
mod theme;
mod touch;
mod window;

pub use window::{Editor, create};
