//! Sideman as a plugin.
