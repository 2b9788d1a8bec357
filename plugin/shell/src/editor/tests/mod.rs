//! The editor without a window: drawn, looked at, clicked and typed into.

mod alive;
mod layout;
mod raster;
mod stage;
mod use_it;

pub(super) use stage::book;

pub(super) fn host() -> nice_plug::context::gui::GuiContext {
    nice_plug::context::gui::GuiContext::new(std::sync::Arc::new(stage::Host::default()))
}
