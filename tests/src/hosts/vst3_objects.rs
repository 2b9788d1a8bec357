//! What a VST3 host hands to a plugin: events, parameter changes, streams, itself.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;

use vst3::Steinberg::Vst::{
    Event, IComponentHandler, IComponentHandlerTrait, IEventList, IEventListTrait, IHostApplication,
    IHostApplicationTrait, IParamValueQueue, IParamValueQueueTrait, IParameterChanges,
    IParameterChangesTrait, ParamID, ParamValue, String128,
};
use vst3::Steinberg::{
    IBStream, IBStream_::IStreamSeekMode_, IBStreamTrait, TUID, int32, int64, kInvalidArgument,
    kNotImplemented, kResultFalse, kResultOk, tresult,
};
use vst3::{Class, ComWrapper};

/// A list of events, one way or the other.
#[derive(Default)]
pub(super) struct Events(pub(super) RefCell<Vec<Event>>);

impl Class for Events {
    type Interfaces = (IEventList,);
}

impl IEventListTrait for Events {
    unsafe fn getEventCount(&self) -> int32 {
        self.0.borrow().len() as int32
    }

    unsafe fn getEvent(&self, index: int32, event: *mut Event) -> tresult {
        let events = self.0.borrow();
        let Some(found) = usize::try_from(index).ok().and_then(|i| events.get(i)) else {
            return kInvalidArgument;
        };
        // SAFETY: the plugin hands in a place for one event.
        unsafe { event.write(*found) };
        kResultOk
    }

    unsafe fn addEvent(&self, event: *mut Event) -> tresult {
        // SAFETY: the plugin hands in an event.
        self.0.borrow_mut().push(unsafe { event.read() });
        kResultOk
    }
}

/// The points of one parameter in a block.
pub(super) struct Points {
    pub(super) id: ParamID,
    pub(super) points: RefCell<Vec<(int32, ParamValue)>>,
}

impl Class for Points {
    type Interfaces = (IParamValueQueue,);
}

impl IParamValueQueueTrait for Points {
    unsafe fn getParameterId(&self) -> ParamID {
        self.id
    }

    unsafe fn getPointCount(&self) -> int32 {
        self.points.borrow().len() as int32
    }

    unsafe fn getPoint(&self, index: int32, at: *mut int32, value: *mut ParamValue) -> tresult {
        let points = self.points.borrow();
        let Some(point) = usize::try_from(index).ok().and_then(|i| points.get(i)) else {
            return kInvalidArgument;
        };
        // SAFETY: the plugin hands in places for both.
        unsafe {
            at.write(point.0);
            value.write(point.1);
        }
        kResultOk
    }

    unsafe fn addPoint(&self, at: int32, value: ParamValue, index: *mut int32) -> tresult {
        let mut points = self.points.borrow_mut();
        points.push((at, value));
        // SAFETY: the plugin hands in a place for the index.
        unsafe { index.write(points.len() as int32 - 1) };
        kResultOk
    }
}

/// The parameters that change in a block.
#[derive(Default)]
pub(super) struct Changes(pub(super) RefCell<Vec<ComWrapper<Points>>>);

impl Changes {
    pub(super) fn add(&self, id: ParamID, at: int32, value: ParamValue) {
        let mut all = self.0.borrow_mut();
        let found = match all.iter().position(|p| p.id == id) {
            Some(found) => found,
            None => {
                all.push(ComWrapper::new(Points { id, points: RefCell::default() }));
                all.len() - 1
            }
        };
        all[found].points.borrow_mut().push((at, value));
    }
}

impl Class for Changes {
    type Interfaces = (IParameterChanges,);
}

impl IParameterChangesTrait for Changes {
    unsafe fn getParameterCount(&self) -> int32 {
        self.0.borrow().len() as int32
    }

    unsafe fn getParameterData(&self, index: int32) -> *mut IParamValueQueue {
        let all = self.0.borrow();
        let found = usize::try_from(index).ok().and_then(|i| all.get(i));
        found.and_then(|p| p.as_com_ref::<IParamValueQueue>()).map_or(std::ptr::null_mut(), |p| p.as_ptr())
    }

    unsafe fn addParameterData(&self, id: *const ParamID, index: *mut int32) -> *mut IParamValueQueue {
        // SAFETY: the plugin hands in an id.
        let id = unsafe { *id };
        let mut all = self.0.borrow_mut();
        let found = all.iter().position(|p| p.id == id).unwrap_or_else(|| {
            all.push(ComWrapper::new(Points { id, points: RefCell::default() }));
            all.len() - 1
        });
        // SAFETY: the plugin hands in a place for the index.
        unsafe { index.write(found as int32) };
        all[found].as_com_ref::<IParamValueQueue>().map_or(std::ptr::null_mut(), |p| p.as_ptr())
    }
}

/// A stream of bytes.
#[derive(Default)]
pub(super) struct Stream {
    pub(super) bytes: RefCell<Vec<u8>>,
    at: Cell<usize>,
}

impl Stream {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { bytes: RefCell::new(bytes.to_vec()), at: Cell::new(0) }
    }
}

impl Class for Stream {
    type Interfaces = (IBStream,);
}

impl IBStreamTrait for Stream {
    unsafe fn read(&self, buffer: *mut c_void, wanted: int32, done: *mut int32) -> tresult {
        let bytes = self.bytes.borrow();
        let rest = &bytes[self.at.get().min(bytes.len())..];
        let count = rest.len().min(usize::try_from(wanted).unwrap_or(0));
        // SAFETY: the plugin hands in room for as many bytes as it wants; `done` may be null.
        unsafe {
            std::ptr::copy_nonoverlapping(rest.as_ptr(), buffer.cast(), count);
            if !done.is_null() {
                done.write(count as int32);
            }
        }
        self.at.set(self.at.get() + count);
        kResultOk
    }

    unsafe fn write(&self, buffer: *mut c_void, wanted: int32, done: *mut int32) -> tresult {
        let count = usize::try_from(wanted).unwrap_or(0);
        let mut bytes = self.bytes.borrow_mut();
        let end = self.at.get() + count;
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        // SAFETY: the plugin hands in as many bytes as it says; `done` may be null.
        unsafe {
            let given = std::slice::from_raw_parts(buffer.cast::<u8>(), count);
            bytes[self.at.get()..end].copy_from_slice(given);
            if !done.is_null() {
                done.write(count as int32);
            }
        }
        self.at.set(end);
        kResultOk
    }

    unsafe fn seek(&self, to: int64, mode: int32, result: *mut int64) -> tresult {
        let from = match mode as u32 {
            IStreamSeekMode_::kIBSeekSet => 0,
            IStreamSeekMode_::kIBSeekCur => self.at.get() as int64,
            IStreamSeekMode_::kIBSeekEnd => self.bytes.borrow().len() as int64,
            _ => return kInvalidArgument,
        };
        let Ok(at) = usize::try_from(from + to) else { return kResultFalse };
        self.at.set(at);
        if !result.is_null() {
            // SAFETY: not null, so the plugin wants to know.
            unsafe { result.write(at as int64) };
        }
        kResultOk
    }

    unsafe fn tell(&self, at: *mut int64) -> tresult {
        // SAFETY: the plugin hands in a place for the position.
        unsafe { at.write(self.at.get() as int64) };
        kResultOk
    }
}

/// The host itself.
pub(super) struct Application;

impl Class for Application {
    type Interfaces = (IHostApplication, IComponentHandler);
}

impl IHostApplicationTrait for Application {
    unsafe fn getName(&self, name: *mut String128) -> tresult {
        let mut text: String128 = [0; 128];
        for (to, from) in text.iter_mut().zip("Sideman tests".encode_utf16()) {
            *to = from;
        }
        // SAFETY: the plugin hands in room for the name.
        unsafe { name.write(text) };
        kResultOk
    }

    unsafe fn createInstance(&self, _class: *mut TUID, _iid: *mut TUID, _to: *mut *mut c_void) -> tresult {
        kNotImplemented
    }
}

impl IComponentHandlerTrait for Application {
    unsafe fn beginEdit(&self, _id: ParamID) -> tresult {
        kResultOk
    }

    unsafe fn performEdit(&self, _id: ParamID, _value: ParamValue) -> tresult {
        kResultOk
    }

    unsafe fn endEdit(&self, _id: ParamID) -> tresult {
        kResultOk
    }

    unsafe fn restartComponent(&self, _flags: int32) -> tresult {
        kResultOk
    }
}
