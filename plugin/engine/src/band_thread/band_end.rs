//! The band thread's ends of the queues to and from the audio thread.

use ringbuf::traits::{Consumer, Producer};
use ringbuf::{HeapCons, HeapProd};

use crate::live::queues::Garbage;
use crate::messages::{FromBand, ToBand};

/// The ends of the band's thread.
pub(crate) struct BandEnd {
    pub(crate) to_band: HeapCons<ToBand>,
    pub(crate) from_band: HeapProd<FromBand>,
    pub(crate) garbage: HeapCons<Garbage>,
    pub(crate) sound: HeapCons<f32>,
}

impl BandEnd {
    /// The next message of the audio thread.
    pub(crate) fn receive(&mut self) -> Option<ToBand> {
        self.to_band.try_pop()
    }

    /// Sends a message to the audio thread, or gives it back when there is no room.
    pub(crate) fn send(&mut self, message: FromBand) -> Result<(), FromBand> {
        self.from_band.try_push(message)
    }

    /// Takes samples of sound; how many there were.
    pub(crate) fn sound(&mut self, into: &mut [f32]) -> usize {
        self.sound.pop_slice(into)
    }

    /// Frees what was handed over.
    pub(crate) fn free_garbage(&mut self) {
        while self.garbage.try_pop().is_some() {}
    }
}
