//! The editor.

use std::sync::Arc;

use crate::instance::Instance;

/// What the framework is told the editor is.
pub type Editor = ();

/// The editor of an instance.
pub fn create(_instance: Arc<Instance>) -> Option<Editor> {
    None
}
