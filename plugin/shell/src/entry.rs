//! The CLAP entry: a factory of one plugin, and the metadata for VST3.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::null;
use std::sync::OnceLock;

use nice_plug::wrapper::clap::{
    CLAP_PLUGIN_FACTORY_ID, CLAP_VERSION, PluginDescriptor, clap_host, clap_plugin, clap_plugin_descriptor,
    clap_plugin_entry, clap_plugin_factory,
};

use crate::clap_shim::Shim;
use crate::plugin::Sideman;

static FACTORY: clap_plugin_factory = clap_plugin_factory {
    get_plugin_count: Some(get_plugin_count),
    get_plugin_descriptor: Some(get_plugin_descriptor),
    create_plugin: Some(create_plugin),
};

/// What the VST3 wrapper asks for: `clap_plugin_factory_as_vst3` of its `vst3.h`. The strings may be null.
#[repr(C)]
struct FactoryAsVst3 {
    vendor: *const c_char,
    vendor_url: *const c_char,
    email_contact: *const c_char,
    get_vst3_info: unsafe extern "C" fn(*const FactoryAsVst3, u32) -> *const PluginAsVst3,
}

/// `clap_plugin_info_as_vst3` of the same file. Without a component id the wrapper derives it from the CLAP id.
#[repr(C)]
struct PluginAsVst3 {
    vendor: *const c_char,
    component_id: *const [u8; 16],
    features: *const c_char,
}

// SAFETY: the pointers are null or to constants.
unsafe impl Sync for FactoryAsVst3 {}
// SAFETY: as above.
unsafe impl Sync for PluginAsVst3 {}

/// Name of the factory extension.
const FACTORY_AS_VST3: &CStr = c"clap.plugin-factory-info-as-vst3/0";

static AS_VST3: FactoryAsVst3 = FactoryAsVst3 {
    vendor: null(),
    vendor_url: null(),
    // The wrapper would make one up.
    email_contact: c"".as_ptr(),
    get_vst3_info,
};

// The wrapper would make "Instrument|Instrument|Synth" of an instrument that is a note effect, too. A plain
// instrument is where Cubase, Live and the rest look for what has notes in and sound and notes out.
static INFO: PluginAsVst3 =
    PluginAsVst3 { vendor: null(), component_id: null(), features: c"Instrument".as_ptr() };

unsafe extern "C" fn get_vst3_info(_factory: *const FactoryAsVst3, index: u32) -> *const PluginAsVst3 {
    if index == 0 { &raw const INFO } else { null() }
}

fn descriptor() -> &'static PluginDescriptor {
    static DESCRIPTOR: OnceLock<PluginDescriptor> = OnceLock::new();
    DESCRIPTOR.get_or_init(PluginDescriptor::for_plugin::<Sideman>)
}

unsafe extern "C" fn get_plugin_count(_factory: *const clap_plugin_factory) -> u32 {
    1
}

unsafe extern "C" fn get_plugin_descriptor(
    _factory: *const clap_plugin_factory,
    index: u32,
) -> *const clap_plugin_descriptor {
    if index == 0 { descriptor().clap_plugin_descriptor() } else { null() }
}

unsafe extern "C" fn create_plugin(
    _factory: *const clap_plugin_factory,
    host: *const clap_host,
    id: *const c_char,
) -> *const clap_plugin {
    // SAFETY: CLAP asks the host for a valid C string.
    if host.is_null() || id.is_null() || unsafe { CStr::from_ptr(id) } != descriptor().clap_id() {
        return null();
    }
    // SAFETY: CLAP has it that the host outlives its plugins.
    unsafe { Shim::create(host) }
}

unsafe extern "C" fn init(_path: *const c_char) -> bool {
    nice_plug::wrapper::setup_logger::<Sideman>();
    true
}

unsafe extern "C" fn deinit() {}

unsafe extern "C" fn get_factory(id: *const c_char) -> *const c_void {
    if id.is_null() {
        return null();
    }
    // SAFETY: CLAP asks the host for a valid C string.
    let id = unsafe { CStr::from_ptr(id) };
    if id == CLAP_PLUGIN_FACTORY_ID {
        (&raw const FACTORY).cast()
    } else if id == FACTORY_AS_VST3 {
        (&raw const AS_VST3).cast()
    } else {
        null()
    }
}

/// Where a CLAP host begins; the VST3 and the AUv2 begin here, too.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
pub static clap_entry: clap_plugin_entry = clap_plugin_entry {
    clap_version: CLAP_VERSION,
    init: Some(init),
    deinit: Some(deinit),
    get_factory: Some(get_factory),
};
