//! The rings between the audio thread and the band's thread. Nothing else knows what they are made of.
//!
//! Each has one end on either side; pushing and popping neither wait nor allocate. They are never cleared:
//! what is in them is outdated by the epoch that it names.

use std::any::Any;

use ringbuf::traits::{Consumer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};

use crate::audio_thread::AudioEnd;
use crate::band_thread::BandEnd;
use crate::messages::{FromBand, ToBand};

/// Messages that can wait for the band's thread: half a second of the densest playing.
const TO_BAND: usize = 2048;
/// Orders that can wait for the audio thread: as many as its timeline holds, twice.
const FROM_BAND: usize = 1024;
/// Samples of sound that can wait: 2.7 seconds at 48 kHz, 0.7 at 192 kHz.
const SOUND: usize = 1 << 17;
/// Large things that can wait to be freed.
const GARBAGE: usize = 16;

/// Something to be freed elsewhere.
pub type Garbage = Box<dyn Any + Send>;

/// A pair of ends, empty. Allocates.
pub(crate) fn queues() -> (AudioEnd, BandEnd) {
    let (to_band_in, to_band_out) = ring(TO_BAND, || ToBand::Ended);
    let (from_band_in, from_band_out) = ring(FROM_BAND, || FromBand::Decided(0, 0));
    let (garbage_in, garbage_out) = ring(GARBAGE, || -> Garbage { Box::new(()) });
    let (sound_in, sound_out) = ring(SOUND, || 0.0);
    (
        AudioEnd { to_band: to_band_in, from_band: from_band_out, garbage: garbage_in, sound: sound_in },
        BandEnd { to_band: to_band_out, from_band: from_band_in, garbage: garbage_out, sound: sound_out },
    )
}

/// An empty ring. Every place has been written to once: the system gives memory page by page at the first
/// touch, and the audio thread is not to wait for that.
fn ring<T>(places: usize, anything: impl Fn() -> T) -> (HeapProd<T>, HeapCons<T>) {
    let (mut give, mut take) = HeapRb::new(places).split();
    for _ in 0..places {
        let _ = give.try_push(anything());
        drop(take.try_pop());
    }
    (give, take)
}
