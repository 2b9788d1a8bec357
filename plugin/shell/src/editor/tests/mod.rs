//! The editor without a window: drawn, looked at, clicked and typed into.

mod alive;
mod layout;
mod raster;
mod stage;
mod use_it;

pub(super) use stage::editor_state;
