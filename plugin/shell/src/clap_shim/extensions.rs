//! Extensions that are ours rather than the framework's.

use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr::null;
use std::sync::OnceLock;

use clap_sys::events::{clap_input_events, clap_output_events};
use clap_sys::ext::gui::CLAP_EXT_GUI;
use clap_sys::ext::latency::{CLAP_EXT_LATENCY, clap_plugin_latency};
use clap_sys::ext::params::{
    CLAP_EXT_PARAMS, CLAP_PARAM_IS_ENUM, CLAP_PARAM_IS_STEPPED, clap_param_info, clap_plugin_params,
};
use clap_sys::ext::render::{
    CLAP_EXT_RENDER, CLAP_RENDER_OFFLINE, CLAP_RENDER_REALTIME, clap_plugin_render, clap_plugin_render_mode,
};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_plugin_state};
use clap_sys::id::clap_id;
use clap_sys::plugin::clap_plugin;
use clap_sys::stream::{clap_istream, clap_ostream};
use nice_plug::prelude::{ParamPtr, Params};

use super::{Shim, inner};
use crate::state;

static STATE: clap_plugin_state = clap_plugin_state { save: Some(save), load: Some(load) };
static LATENCY: clap_plugin_latency = clap_plugin_latency { get: Some(latency) };
static RENDER: clap_plugin_render =
    clap_plugin_render { has_hard_realtime_requirement: Some(hard_realtime), set: Some(set_render) };
static PARAMS: clap_plugin_params = clap_plugin_params {
    count: Some(count),
    get_info: Some(get_info),
    get_value: Some(get_value),
    value_to_text: Some(value_to_text),
    text_to_value: Some(text_to_value),
    flush: Some(flush),
};

pub(super) unsafe extern "C" fn get_extension(
    plugin: *const clap_plugin,
    id: *const c_char,
) -> *const c_void {
    if plugin.is_null() || id.is_null() {
        return null();
    }
    // SAFETY: the host gives back what it got, and a C string.
    let (shim, name) = unsafe { (Shim::of(plugin), CStr::from_ptr(id)) };
    if name == CLAP_EXT_STATE {
        (&raw const STATE).cast()
    } else if name == CLAP_EXT_LATENCY {
        (&raw const LATENCY).cast()
    } else if name == CLAP_EXT_RENDER {
        (&raw const RENDER).cast()
    } else if name == CLAP_EXT_PARAMS {
        (&raw const PARAMS).cast()
    } else if name == CLAP_EXT_GUI && !shim.has_window() {
        // The framework's editor takes the host's side of this extension for granted.
        null()
    } else {
        inner!(shim, get_extension, id)
    }
}

/// The framework's own table of an extension.
///
/// # Safety
/// `T` is the type of that extension.
unsafe fn theirs<T>(shim: &Shim, name: &CStr) -> Option<&'static T> {
    let table = inner!(shim, get_extension, name.as_ptr()).cast::<T>();
    // SAFETY: the framework's tables live as long as the plugin, whose functions alone call this.
    unsafe { table.as_ref() }
}

unsafe extern "C" fn save(plugin: *const clap_plugin, stream: *const clap_ostream) -> bool {
    if plugin.is_null() || stream.is_null() {
        return false;
    }
    // SAFETY: the host gives back what it got.
    let shim = unsafe { Shim::of(plugin) };
    // SAFETY: the type of the state extension.
    let Some(save) = (unsafe { theirs::<clap_plugin_state>(shim, CLAP_EXT_STATE) }).and_then(|s| s.save)
    else {
        return false;
    };
    let mut chunk: Vec<u8> = Vec::new();
    let into = clap_ostream { ctx: (&raw mut chunk).cast(), write: Some(collect) };
    // SAFETY: the framework's own function, with a stream that lives through the call.
    if !unsafe { save(shim.inner, &into) } {
        return false;
    }
    let chunk = state::dress(&chunk);
    // SAFETY: the host's stream is valid during this call.
    unsafe { write_all(&*stream, &chunk) }
}

unsafe extern "C" fn collect(stream: *const clap_ostream, buffer: *const c_void, size: u64) -> i64 {
    // SAFETY: the stream is the one made in `save`, and the framework gives a buffer of that size.
    unsafe {
        let chunk = &mut *(*stream).ctx.cast::<Vec<u8>>();
        chunk.extend_from_slice(std::slice::from_raw_parts(buffer.cast(), size as usize));
    }
    size as i64
}

/// Writes everything; a host may take it in pieces.
///
/// # Safety
/// The stream is valid.
unsafe fn write_all(stream: &clap_ostream, mut bytes: &[u8]) -> bool {
    let Some(write) = stream.write else { return false };
    while !bytes.is_empty() {
        // SAFETY: the host's function on the host's stream, with a buffer of the length given.
        let written = unsafe { write(stream, bytes.as_ptr().cast(), bytes.len() as u64) };
        match usize::try_from(written) {
            Ok(n) if n > 0 && n <= bytes.len() => bytes = &bytes[n..],
            _ => return false,
        }
    }
    true
}

unsafe extern "C" fn load(plugin: *const clap_plugin, stream: *const clap_istream) -> bool {
    if plugin.is_null() || stream.is_null() {
        return false;
    }
    // SAFETY: the host gives back what it got, and a valid stream.
    let (shim, bytes) = unsafe { (Shim::of(plugin), read_all(&*stream)) };
    // SAFETY: the type of the state extension.
    let load = unsafe { theirs::<clap_plugin_state>(shim, CLAP_EXT_STATE) }.and_then(|s| s.load);
    let (Some(bytes), Some(load)) = (bytes, load) else {
        shim.instance.shared.notice("The host could not give the saved settings; nothing was changed.");
        return false;
    };
    // Some hosts load nothing at all into a new instance.
    if bytes.is_empty() {
        return false;
    }
    let instance = &shim.instance;
    let repaired = state::repair(&bytes, &instance.params);
    let font = instance.params.soundfont.path();
    let mut source = repaired.chunk.as_slice();
    let from = clap_istream { ctx: (&raw mut source).cast(), read: Some(give) };
    instance.params.set_loading(true);
    // SAFETY: the framework's own function, with a stream that lives through the call.
    let loaded = unsafe { load(shim.inner, &from) };
    instance.params.set_loading(false);
    for notice in &repaired.notices {
        instance.shared.notice(notice.as_str());
    }
    if instance.params.soundfont.path() != font {
        instance.load_sound();
    }
    loaded && repaired.readable
}

unsafe extern "C" fn give(stream: *const clap_istream, buffer: *mut c_void, size: u64) -> i64 {
    // SAFETY: the stream is the one made in `load`, and the framework gives a buffer of that size.
    unsafe {
        let source = &mut *(*stream).ctx.cast::<&[u8]>();
        let n = source.len().min(usize::try_from(size).unwrap_or(usize::MAX));
        std::ptr::copy_nonoverlapping(source.as_ptr(), buffer.cast(), n);
        *source = &source[n..];
        n as i64
    }
}

/// Reads everything, up to [`state::LONGEST`]; `None` when the host says that it cannot.
///
/// # Safety
/// The stream is valid.
unsafe fn read_all(stream: &clap_istream) -> Option<Vec<u8>> {
    let read = stream.read?;
    let mut bytes = Vec::new();
    let mut piece = [0u8; 4096];
    loop {
        // SAFETY: the host's function on the host's stream, with a buffer of the length given.
        let n = unsafe { read(stream, piece.as_mut_ptr().cast(), piece.len() as u64) };
        match usize::try_from(n) {
            Ok(0) => return Some(bytes),
            Ok(n) if n <= piece.len() => bytes.extend_from_slice(&piece[..n]),
            // What came before may be readable all the same.
            _ => return (!bytes.is_empty()).then_some(bytes),
        }
        if bytes.len() >= state::LONGEST {
            return Some(bytes);
        }
    }
}

unsafe extern "C" fn latency(plugin: *const clap_plugin) -> u32 {
    // SAFETY: the host gives back what it got.
    unsafe { Shim::of(plugin) }.instance.latency()
}

unsafe extern "C" fn hard_realtime(_plugin: *const clap_plugin) -> bool {
    false
}

unsafe extern "C" fn set_render(plugin: *const clap_plugin, mode: clap_plugin_render_mode) -> bool {
    // SAFETY: the host gives back what it got.
    let shim = unsafe { Shim::of(plugin) };
    // The framework would keep it to itself until the next activation.
    match mode {
        CLAP_RENDER_REALTIME => shim.instance.set_offline(false),
        CLAP_RENDER_OFFLINE => shim.instance.set_offline(true),
        _ => return false,
    }
    true
}

unsafe fn params(shim: &Shim) -> &'static clap_plugin_params {
    // SAFETY: the type of the parameters' extension, which the framework always has.
    unsafe { theirs(shim, CLAP_EXT_PARAMS).expect("the framework has parameters") }
}

unsafe extern "C" fn count(plugin: *const clap_plugin) -> u32 {
    // SAFETY: the host gives back what it got; the framework's function is there.
    unsafe {
        let shim = Shim::of(plugin);
        params(shim).count.map_or(0, |f| f(shim.inner))
    }
}

unsafe extern "C" fn get_info(plugin: *const clap_plugin, index: u32, info: *mut clap_param_info) -> bool {
    // SAFETY: the host gives back what it got.
    let shim = unsafe { Shim::of(plugin) };
    // The framework looks one too far and panics.
    // SAFETY: as above; the framework's function is there, and fills in a structure that the host owns.
    unsafe {
        if info.is_null()
            || index >= count(plugin)
            || !params(shim).get_info.is_some_and(|f| f(shim.inner, index, info))
        {
            return false;
        }
    }
    let map = shim.instance.params.param_map();
    if let Some((_, ParamPtr::EnumParam(_), _)) = map.get(index as usize) {
        // SAFETY: filled in above. The framework says "stepped" only, and hosts show a slider, not a list.
        unsafe { (*info).flags |= CLAP_PARAM_IS_ENUM };
    }
    true
}

unsafe extern "C" fn get_value(plugin: *const clap_plugin, id: clap_id, value: *mut f64) -> bool {
    // SAFETY: the host gives back what it got.
    unsafe {
        let shim = Shim::of(plugin);
        params(shim).get_value.is_some_and(|f| f(shim.inner, id, value)) && make_whole(shim, id, value)
    }
}

/// The framework goes by way of 0 to 1 in single precision, where a seed of 7 comes back as 6.9999998; the VST3
/// wrapper rounds that down. So what has steps is brought onto them.
///
/// # Safety
/// `value` is null or valid.
unsafe fn make_whole(shim: &Shim, id: clap_id, value: *mut f64) -> bool {
    // All instances have the same parameters.
    static STEPPED: OnceLock<Vec<clap_id>> = OnceLock::new();
    let stepped = STEPPED.get_or_init(|| {
        // SAFETY: an shim has its framework.
        let describe = unsafe { params(shim) }.get_info;
        let info = |index| {
            let mut info = MaybeUninit::<clap_param_info>::zeroed();
            // SAFETY: the framework fills in the structure that it is handed.
            let there = describe.is_some_and(|f| unsafe { f(shim.inner, index, info.as_mut_ptr()) });
            // SAFETY: zeros are a value of all that the framework may have left as it was.
            let info = unsafe { info.assume_init() };
            (there && info.flags & CLAP_PARAM_IS_STEPPED != 0).then_some(info.id)
        };
        // The framework looks one too far and panics.
        (0..shim.instance.params.param_map().len() as u32).filter_map(info).collect()
    });
    // SAFETY: as this function's.
    if let Some(value) = unsafe { value.as_mut() }.filter(|_| stepped.contains(&id)) {
        *value = value.round();
    }
    true
}

unsafe extern "C" fn value_to_text(
    plugin: *const clap_plugin,
    id: clap_id,
    value: f64,
    text: *mut c_char,
    size: u32,
) -> bool {
    // A buffer without room for the end of the text is one that the framework would write beyond.
    if text.is_null() || size == 0 || !value.is_finite() {
        return false;
    }
    // SAFETY: the host gives back what it got.
    unsafe {
        let shim = Shim::of(plugin);
        params(shim).value_to_text.is_some_and(|f| f(shim.inner, id, value, text, size))
    }
}

unsafe extern "C" fn text_to_value(
    plugin: *const clap_plugin,
    id: clap_id,
    text: *const c_char,
    value: *mut f64,
) -> bool {
    // SAFETY: the host gives back what it got.
    unsafe {
        let shim = Shim::of(plugin);
        params(shim).text_to_value.is_some_and(|f| f(shim.inner, id, text, value))
            && make_whole(shim, id, value)
    }
}

unsafe extern "C" fn flush(
    plugin: *const clap_plugin,
    incoming: *const clap_input_events,
    outgoing: *const clap_output_events,
) {
    // SAFETY: the host gives back what it got, and flushes never while it processes.
    unsafe {
        let shim = Shim::of(plugin);
        super::process::flush(shim, incoming, outgoing);
    }
}
