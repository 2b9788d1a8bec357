//! A host's events in a store of our own: checked, in order of time, and with times that can be moved.

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr::null;

use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_MIDI, CLAP_EVENT_NOTE_CHOKE, CLAP_EVENT_NOTE_OFF,
    CLAP_EVENT_NOTE_ON, CLAP_EVENT_PARAM_MOD, CLAP_EVENT_PARAM_VALUE, CLAP_EVENT_TRANSPORT,
    clap_event_header, clap_event_midi, clap_event_note, clap_event_param_mod, clap_event_param_value,
    clap_event_transport, clap_input_events, clap_output_events,
};

use super::EVENTS;

/// Events beyond this many are taken only if they end a note, so that those always have a place.
const ORDINARY: usize = EVENTS - 1024;
/// Changes of transport within a block that are followed.
const TRANSPORTS: usize = 64;
/// Largest event that is kept, in 64-bit words.
const WORDS: usize = 8;

/// An event, of whatever kind.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot([u64; WORDS]);

impl Slot {
    fn header(&self) -> &clap_event_header {
        // SAFETY: every slot begins with a header, is large enough and aligned for it.
        unsafe { &*self.0.as_ptr().cast() }
    }

    /// Sample of the block.
    pub(super) fn time(&self) -> u32 {
        self.header().time
    }

    /// Moves it to a sample.
    pub(super) fn set_time(&mut self, time: u32) {
        // SAFETY: as in `header`.
        unsafe { (*self.0.as_mut_ptr().cast::<clap_event_header>()).time = time };
    }

    fn set_flags(&mut self, flags: u32) {
        // SAFETY: as in `header`.
        unsafe { (*self.0.as_mut_ptr().cast::<clap_event_header>()).flags = flags };
    }

    /// Whether it sets or modulates a parameter.
    pub(super) fn is_param(&self) -> bool {
        matches!(self.header().type_, CLAP_EVENT_PARAM_VALUE | CLAP_EVENT_PARAM_MOD)
    }

    /// Whether it lets a note end.
    fn ends_note(&self) -> bool {
        match self.header().type_ {
            CLAP_EVENT_NOTE_OFF | CLAP_EVENT_NOTE_CHOKE => true,
            CLAP_EVENT_MIDI => {
                // SAFETY: the size was checked as it was copied.
                let midi = unsafe { &*self.0.as_ptr().cast::<clap_event_midi>() };
                midi.data[0] & 0xF0 == 0x80 || (midi.data[0] & 0xF0 == 0x90 && midi.data[2] == 0)
            }
            _ => false,
        }
    }

    /// A copy of a host's event, if it is of a kind that we take.
    ///
    /// # Safety
    /// `event` is null or points to an event of the size that its header says.
    unsafe fn copy(event: *const clap_event_header) -> Option<Self> {
        // SAFETY: as this function's.
        let header = unsafe { event.as_ref()? };
        if header.space_id != CLAP_CORE_EVENT_SPACE_ID {
            return None;
        }
        let size = match header.type_ {
            CLAP_EVENT_NOTE_ON | CLAP_EVENT_NOTE_OFF | CLAP_EVENT_NOTE_CHOKE => size_of::<clap_event_note>(),
            CLAP_EVENT_PARAM_VALUE => size_of::<clap_event_param_value>(),
            CLAP_EVENT_PARAM_MOD => size_of::<clap_event_param_mod>(),
            CLAP_EVENT_MIDI => size_of::<clap_event_midi>(),
            _ => return None,
        };
        if (header.size as usize) < size {
            return None;
        }
        let mut slot = Self([0; WORDS]);
        // SAFETY: the source has `size` bytes, and no event that is taken is larger than a slot (see the test).
        unsafe { std::ptr::copy_nonoverlapping(event.cast::<u8>(), slot.0.as_mut_ptr().cast::<u8>(), size) };
        Some(slot)
    }
}

/// The events of a block, and what waits for it.
pub(super) struct Events {
    slots: Vec<Slot>,
    transports: Vec<clap_event_transport>,
    /// Whether something had to be left out.
    crowded: bool,
}

impl Default for Events {
    fn default() -> Self {
        Self { slots: Vec::with_capacity(EVENTS), transports: Vec::with_capacity(TRANSPORTS), crowded: false }
    }
}

impl Events {
    /// The events, in order of time.
    pub(super) fn slots(&mut self) -> &mut [Slot] {
        &mut self.slots
    }

    /// Changes of transport, in order of time.
    pub(super) fn transports(&self) -> &[clap_event_transport] {
        &self.transports
    }

    /// Whether something was left out since the last call.
    pub(super) fn take_crowded(&mut self) -> bool {
        std::mem::take(&mut self.crowded)
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.transports.clear();
    }

    /// Takes a host's events for a block of `frames` samples, behind those that wait.
    ///
    /// # Safety
    /// `list` is null or a valid list of events.
    pub(super) unsafe fn take(&mut self, list: *const clap_input_events, frames: u32) {
        // SAFETY: as this function's.
        let Some(list) = (unsafe { list.as_ref() }) else { return };
        let (Some(size), Some(get)) = (list.size, list.get) else { return };
        // SAFETY: the host's functions on the host's list.
        let count = unsafe { size(list) };
        let (last, mut in_order, mut before) = (frames.saturating_sub(1), true, 0);
        for i in 0..count {
            // SAFETY: as above.
            let event = unsafe { get(list, i) };
            // SAFETY: the host's events are as large as they say.
            let (slot, transport) = unsafe { (Slot::copy(event), transport(event)) };
            if let Some(mut slot) = slot {
                slot.set_time(slot.time().min(last));
                in_order &= slot.time() >= before;
                before = slot.time();
                if self.slots.len() < if slot.ends_note() { EVENTS } else { ORDINARY } {
                    self.slots.push(slot);
                } else {
                    self.crowded = true;
                }
            } else if let Some(transport) = transport
                && self.transports.len() < TRANSPORTS
            {
                self.transports.push(transport);
            }
        }
        if !in_order {
            // A host's mistake. A stable sort would need memory: the flags, which are not read, keep the order.
            for (i, slot) in self.slots.iter_mut().enumerate() {
                slot.set_flags(i as u32);
            }
            self.slots.sort_unstable_by_key(|slot| (slot.time(), slot.header().flags));
        }
        if !self.transports.is_sorted_by_key(|t| t.header.time) {
            self.transports.clear();
        }
    }

    /// Keeps all but changes of parameters for the next block, at its start.
    pub(super) fn keep_notes(&mut self) {
        self.slots.retain(|slot| !slot.is_param());
        self.slots.iter_mut().for_each(|slot| slot.set_time(0));
        self.transports.clear();
    }
}

/// The transport of an event, if it is one.
///
/// # Safety
/// `event` is null or points to an event of the size that its header says.
unsafe fn transport(event: *const clap_event_header) -> Option<clap_event_transport> {
    // SAFETY: as this function's.
    let header = unsafe { event.as_ref()? };
    let is = header.space_id == CLAP_CORE_EVENT_SPACE_ID
        && header.type_ == CLAP_EVENT_TRANSPORT
        && header.size as usize >= size_of::<clap_event_transport>();
    // SAFETY: the size was checked.
    is.then(|| unsafe { *event.cast::<clap_event_transport>() })
}

/// A list of slots as the framework reads it.
pub(super) fn list(slots: &&[Slot]) -> clap_input_events {
    clap_input_events { ctx: (&raw const *slots).cast_mut().cast(), size: Some(size), get: Some(get) }
}

unsafe extern "C" fn size(list: *const clap_input_events) -> u32 {
    // SAFETY: the context of the lists made by `list`, which outlive the calls.
    let slots = unsafe { *(*list).ctx.cast::<&[Slot]>() };
    slots.len() as u32
}

unsafe extern "C" fn get(list: *const clap_input_events, index: u32) -> *const clap_event_header {
    // SAFETY: as above.
    let slots = unsafe { *(*list).ctx.cast::<&[Slot]>() };
    slots.get(index as usize).map_or(null(), |slot| slot.0.as_ptr().cast())
}

/// Where the framework puts what goes out: into the host's list, with times moved to the whole block and never
/// running backwards.
pub(super) struct Out {
    /// The host's list; may be null.
    pub(super) to: *const clap_output_events,
    /// Start of the piece in the block.
    pub(super) start: u32,
    /// Last sample of the block.
    pub(super) end: u32,
    /// Time of what was put in last.
    pub(super) last: u32,
}

impl Out {
    /// As the framework writes it.
    pub(super) fn list(&mut self) -> clap_output_events {
        clap_output_events { ctx: (&raw mut *self).cast::<c_void>(), try_push: Some(try_push) }
    }
}

unsafe extern "C" fn try_push(list: *const clap_output_events, event: *const clap_event_header) -> bool {
    // SAFETY: the context of the lists made by `Out::list`, which outlive the calls; the framework's events are
    // as large as they say.
    unsafe {
        let out = &mut *(*list).ctx.cast::<Out>();
        // Without a list nothing goes out, but the framework's side effects must happen.
        let Some(to) = out.to.as_ref() else { return true };
        let Some(push) = to.try_push else { return true };
        let size = (*event).size as usize;
        let mut slot = Slot([0; WORDS]);
        if size > size_of::<Slot>() {
            return false;
        }
        std::ptr::copy_nonoverlapping(event.cast::<u8>(), slot.0.as_mut_ptr().cast::<u8>(), size);
        let time = slot.time().saturating_add(out.start).clamp(out.last, out.end.max(out.last));
        slot.set_time(time);
        let pushed = push(to, slot.0.as_ptr().cast());
        if pushed {
            out.last = time;
        }
        pushed
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::undocumented_unsafe_blocks)] // the lists are made right beside

    use super::*;

    #[test]
    fn every_event_that_is_taken_fits_a_slot() {
        let largest = size_of::<clap_event_note>()
            .max(size_of::<clap_event_param_value>())
            .max(size_of::<clap_event_param_mod>())
            .max(size_of::<clap_event_midi>());
        assert!(largest <= size_of::<Slot>(), "{largest}");
    }

    fn note(time: u32, type_: u16) -> clap_event_note {
        let size = size_of::<clap_event_note>() as u32;
        let header = clap_event_header { size, time, space_id: CLAP_CORE_EVENT_SPACE_ID, type_, flags: 0 };
        clap_event_note { header, note_id: -1, port_index: 0, channel: 0, key: 60, velocity: 0.5 }
    }

    /// Runs a list of notes through a store.
    fn take(events: &mut Events, notes: &[clap_event_note], frames: u32) {
        unsafe extern "C" fn size(list: *const clap_input_events) -> u32 {
            let notes = unsafe { *(*list).ctx.cast::<&[clap_event_note]>() };
            notes.len() as u32
        }
        unsafe extern "C" fn get(list: *const clap_input_events, i: u32) -> *const clap_event_header {
            let notes = unsafe { *(*list).ctx.cast::<&[clap_event_note]>() };
            (&raw const notes[i as usize]).cast()
        }
        let list =
            clap_input_events { ctx: (&raw const notes).cast_mut().cast(), size: Some(size), get: Some(get) };
        unsafe { events.take(&list, frames) };
    }

    #[test]
    fn events_are_put_in_order_and_within_the_block() {
        let mut events = Events::default();
        let (on, off) = (CLAP_EVENT_NOTE_ON, CLAP_EVENT_NOTE_OFF);
        take(&mut events, &[note(9, on), note(3, off), note(3, on), note(500, off)], 64);
        let got: Vec<(u32, bool)> = events.slots().iter().map(|s| (s.time(), s.ends_note())).collect();
        assert_eq!(got, [(3, true), (3, false), (9, false), (63, true)]);
        let damaged =
            clap_event_note { header: clap_event_header { size: 3, ..note(0, on).header }, ..note(0, on) };
        events.clear();
        take(&mut events, &[damaged, note(0, 99)], 64);
        assert!(events.slots().is_empty());
    }

    #[test]
    fn note_offs_find_a_place_when_note_ons_do_not() {
        let mut events = Events::default();
        take(&mut events, &vec![note(0, CLAP_EVENT_NOTE_ON); EVENTS], 64);
        assert_eq!(events.slots().len(), ORDINARY);
        take(&mut events, &[note(0, CLAP_EVENT_NOTE_OFF); 100], 64);
        assert_eq!(events.slots().len(), ORDINARY + 100);
        assert!(events.take_crowded() && !events.take_crowded());
    }
}
