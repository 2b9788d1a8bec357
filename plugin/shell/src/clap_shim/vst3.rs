//! A hole in the VST3 wrapper, and the patch on it.
//!
//! When parameters change with a loaded state, clap-wrapper 0.3.1 (wrapper version 0.14.0) calls the host's
//! component handler without a look whether there is one: `ClapAsVst3::param_rescan` ends in
//! `componentHandler->restartComponent(..)`. A host that loads a state before it sets a handler, or never sets
//! one, as Steinberg's validator, dies there. Leaving the call out would leave the controller with the
//! values from before. So the controller is given a handler of ours at its birth, which does nothing; the host's
//! takes its place as soon as there is one.
//!
//! To a CLAP the wrapper shows only a `clap_host`. That structure is a member of its `Clap::Plugin`, right
//! before the pointer to the wrapper's VST3 object, and from one base of a C++ object the whole can be found by
//! its table of virtual functions. This knowledge holds for one version, so it is used for no other; on
//! Windows, whose C++ is laid out otherwise, it is not used at all.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::null_mut;

use clap_sys::host::clap_host;

/// Who the wrapper says it is.
const VENDOR: &CStr = c"The CLAP Wrapper Team";
/// The version whose layout is known.
const VERSION: &CStr = c"0.14.0";
/// `IEditController::iid`.
const EDIT_CONTROLLER: [u8; 16] =
    [0xDC, 0xD7, 0xBB, 0xE3, 0x77, 0x42, 0x44, 0x8D, 0xA8, 0x74, 0xAA, 0xCC, 0x97, 0x9C, 0x75, 0x9E];
const OK: i32 = 0;
const NO_INTERFACE: i32 = -1;

/// The functions of `IComponentHandler`.
#[repr(C)]
struct HandlerTable {
    query_interface: unsafe extern "C" fn(*mut c_void, *const [u8; 16], *mut *mut c_void) -> i32,
    add_ref: unsafe extern "C" fn(*mut c_void) -> u32,
    release: unsafe extern "C" fn(*mut c_void) -> u32,
    begin_edit: unsafe extern "C" fn(*mut c_void, u32) -> i32,
    perform_edit: unsafe extern "C" fn(*mut c_void, u32, f64) -> i32,
    end_edit: unsafe extern "C" fn(*mut c_void, u32) -> i32,
    restart_component: unsafe extern "C" fn(*mut c_void, i32) -> i32,
}

/// The functions of `IEditController` up to the one that is needed.
#[repr(C)]
struct ControllerTable {
    query_interface: unsafe extern "C" fn(*mut c_void, *const [u8; 16], *mut *mut c_void) -> i32,
    add_ref: unsafe extern "C" fn(*mut c_void) -> u32,
    release: unsafe extern "C" fn(*mut c_void) -> u32,
    /// Of `IPluginBase` two, of `IEditController` eleven.
    others: [*const c_void; 13],
    set_component_handler: unsafe extern "C" fn(*mut c_void, *mut c_void) -> i32,
}

/// A handler that does nothing. It lives as long as the library.
#[repr(transparent)]
struct Handler(&'static HandlerTable);

static HANDLER: Handler = Handler(&HandlerTable {
    query_interface,
    add_ref,
    release,
    begin_edit,
    perform_edit,
    end_edit,
    restart_component,
});

unsafe extern "C" fn query_interface(_: *mut c_void, _: *const [u8; 16], object: *mut *mut c_void) -> i32 {
    if !object.is_null() {
        // SAFETY: the caller's place for the answer.
        unsafe { *object = null_mut() };
    }
    NO_INTERFACE
}

unsafe extern "C" fn add_ref(_: *mut c_void) -> u32 {
    1
}

unsafe extern "C" fn release(_: *mut c_void) -> u32 {
    1
}

unsafe extern "C" fn begin_edit(_: *mut c_void, _: u32) -> i32 {
    OK
}

unsafe extern "C" fn perform_edit(_: *mut c_void, _: u32, _: f64) -> i32 {
    OK
}

unsafe extern "C" fn end_edit(_: *mut c_void, _: u32) -> i32 {
    OK
}

unsafe extern "C" fn restart_component(_: *mut c_void, _: i32) -> i32 {
    OK
}

/// Whether a host is the wrapper, of any version.
///
/// # Safety
/// The host is valid.
pub(super) unsafe fn is_wrapper(host: &clap_host) -> bool {
    // SAFETY: as this function's.
    unsafe { is(host.vendor, VENDOR) }
}

/// Whether a host is the wrapper in the version whose layout is known.
///
/// # Safety
/// The host is valid.
unsafe fn is_known_wrapper(host: &clap_host) -> bool {
    // SAFETY: as this function's.
    unsafe { is_wrapper(host) && is(host.version, VERSION) }
}

/// Whether a host's text is a certain one.
///
/// # Safety
/// The text is null or ends with a zero.
unsafe fn is(text: *const c_char, wanted: &CStr) -> bool {
    // SAFETY: as this function's.
    !text.is_null() && unsafe { CStr::from_ptr(text) } == wanted
}

/// Gives the wrapper's controller a handler, if the host is the wrapper.
///
/// # Safety
/// The host is valid. The main thread, as the plugin is created: the VST3 host has had no occasion yet to set a
/// handler of its own.
pub(super) unsafe fn give_handler(host: *const clap_host) {
    // SAFETY: as this function's.
    if cfg!(windows) || !unsafe { is_known_wrapper(&*host) } {
        return;
    }
    // SAFETY: of this version it is known that a `Clap::IHost *` follows the host, which is the base of a
    // `ClapAsVst3`; that its table is preceded by the distance to the whole object (Itanium C++ ABI, 2.5.2);
    // and that the whole begins with `FUnknown`.
    unsafe {
        let parent = *host.add(1).cast::<*const *const isize>();
        if parent.is_null() {
            return;
        }
        let to_top = *(*parent).sub(2);
        let object = parent.cast::<u8>().offset(to_top).cast_mut().cast::<c_void>();
        let table = *object.cast::<*const ControllerTable>();
        let mut controller: *mut c_void = null_mut();
        if ((*table).query_interface)(object, &EDIT_CONTROLLER, &mut controller) != OK || controller.is_null()
        {
            return;
        }
        let table = *controller.cast::<*const ControllerTable>();
        let handler = (&raw const HANDLER).cast_mut().cast::<c_void>();
        ((*table).set_component_handler)(controller, handler);
        ((*table).release)(controller);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::undocumented_unsafe_blocks)] // hosts made right here

    use std::ptr::null;

    use super::*;

    #[test]
    fn only_the_known_version_of_the_wrapper_is_touched() {
        let host = |vendor: &'static CStr, version: *const c_char| clap_host {
            clap_version: clap_sys::version::CLAP_VERSION,
            host_data: null_mut(),
            name: null(),
            vendor: vendor.as_ptr(),
            url: null(),
            version,
            get_extension: None,
            request_restart: None,
            request_process: None,
            request_callback: None,
        };
        unsafe {
            assert!(is_known_wrapper(&host(VENDOR, VERSION.as_ptr())));
            assert!(!is_known_wrapper(&host(VENDOR, c"0.15.0".as_ptr())));
            assert!(!is_known_wrapper(&host(c"Somebody", VERSION.as_ptr())));
            assert!(!is_known_wrapper(&host(VENDOR, null())));
        }
    }
}
