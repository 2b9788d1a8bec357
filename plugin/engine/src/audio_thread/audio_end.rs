//! The audio thread's ends of the queues to and from the band thread.

use ringbuf::traits::{Consumer, Observer, Producer};
use ringbuf::{HeapCons, HeapProd};

use crate::live::queues::Garbage;
use crate::messages::{FromBand, ToBand};

/// The audio thread's ends.
pub(crate) struct AudioEnd {
    pub(crate) to_band: HeapProd<ToBand>,
    pub(crate) from_band: HeapCons<FromBand>,
    pub(crate) garbage: HeapProd<Garbage>,
    pub(crate) sound: HeapProd<f32>,
}

impl AudioEnd {
    /// Sends a message to the band thread; false when there is no room.
    pub(crate) fn send(&mut self, message: ToBand) -> bool {
        self.to_band.try_push(message).is_ok()
    }

    /// Messages that there is room for.
    pub(crate) fn room(&self) -> usize {
        self.to_band.vacant_len()
    }

    /// The next message of the band thread.
    pub(crate) fn receive(&mut self) -> Option<FromBand> {
        self.from_band.try_pop()
    }

    /// Hands over samples of sound; how many of them there was room for.
    pub(crate) fn sound(&mut self, samples: impl Iterator<Item = f32>) -> usize {
        self.sound.push_iter(samples)
    }

    /// Hands over garbage, or gives it back when there is no room.
    pub(crate) fn discard(&mut self, garbage: Garbage) -> Result<(), Garbage> {
        self.garbage.try_push(garbage)
    }
}
