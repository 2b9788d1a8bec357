//! The rings between the audio thread and the band's thread. Nothing else knows what they are made of.
//!
//! Each has one end on either side; pushing and popping neither wait nor allocate. They are never cleared:
//! what is in them is outdated by the epoch that it names.

use std::any::Any;

use ringbuf::traits::{Consumer, Observer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};
use sideman_music::Pulse;

use super::block::Voice;
use super::shared::TempoPoint;
use crate::controls::Controls;
use crate::rt::Order;

/// Messages that can wait for the band's thread: half a second of the densest playing.
const TOLD: usize = 2048;
/// Orders that can wait for the audio thread: as many as its timeline holds, twice.
const ORDERED: usize = 1024;
/// Samples of sound that can wait: 2.7 seconds at 48 kHz, 0.7 at 192 kHz.
const SOUND: usize = 1 << 17;
/// Large things that can wait to be freed.
const GARBAGE: usize = 16;

/// What the band's thread is told, in order of time.
#[derive(Debug, Clone, Copy)]
pub(super) enum ToBand {
    /// An epoch has begun: the first step to be decided is the first one at or after this pulse.
    Began { epoch: u32, at: Pulse },
    /// The epoch is over, and none has begun.
    Ended,
    /// From here on, this tempo and these bars hold.
    Point(TempoPoint),
    /// A key moved: velocity 0 for up.
    Key { at: Pulse, pitch: u8, velocity: u8 },
    /// Messages were lost: these keys are down, and no others.
    Keys(u128),
    /// Everything up to and including this pulse has been told.
    HeardUpTo(Pulse),
    /// Controls have changed.
    Controls(Controls),
    /// What sounded, in pulses of the session; velocity 0 for an end.
    Tape { at: Pulse, voice: Voice, pitch: u8, velocity: u8 },
}

/// What the band's thread answers.
#[derive(Debug, Clone, Copy)]
pub(super) enum FromBand {
    /// An order for the scheduler, in an epoch.
    Order(u32, Order),
    /// Everything up to this pulse of an epoch has been decided.
    Decided(u32, Pulse),
}

/// Something to be freed elsewhere.
pub(super) type Garbage = Box<dyn Any + Send>;

/// The audio thread's ends.
pub(super) struct AudioEnd {
    told: HeapProd<ToBand>,
    answers: HeapCons<FromBand>,
    garbage: HeapProd<Garbage>,
    sound: HeapProd<f32>,
}

/// The ends of the band's thread.
pub(super) struct BandEnd {
    told: HeapCons<ToBand>,
    answers: HeapProd<FromBand>,
    garbage: HeapCons<Garbage>,
    sound: HeapCons<f32>,
}

/// A pair of ends, empty. Allocates.
pub(super) fn queues() -> (AudioEnd, BandEnd) {
    let (told_in, told_out) = ring(TOLD, || ToBand::Ended);
    let (answer_in, answer_out) = ring(ORDERED, || FromBand::Decided(0, 0));
    let (garbage_in, garbage_out) = ring(GARBAGE, || -> Garbage { Box::new(()) });
    let (sound_in, sound_out) = ring(SOUND, || 0.0);
    (
        AudioEnd { told: told_in, answers: answer_out, garbage: garbage_in, sound: sound_in },
        BandEnd { told: told_out, answers: answer_in, garbage: garbage_out, sound: sound_out },
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

impl AudioEnd {
    /// Tells the band's thread something; false when there is no room.
    pub(super) fn tell(&mut self, told: ToBand) -> bool {
        self.told.try_push(told).is_ok()
    }

    /// Messages that there is room for.
    pub(super) fn room(&self) -> usize {
        self.told.vacant_len()
    }

    /// The next answer.
    pub(super) fn answer(&mut self) -> Option<FromBand> {
        self.answers.try_pop()
    }

    /// Hands over samples of sound; how many of them there was room for.
    pub(super) fn sound(&mut self, samples: impl Iterator<Item = f32>) -> usize {
        self.sound.push_iter(samples)
    }

    /// Hands over garbage, or gives it back when there is no room.
    pub(super) fn discard(&mut self, garbage: Garbage) -> Result<(), Garbage> {
        self.garbage.try_push(garbage)
    }
}

impl BandEnd {
    /// What was told next.
    pub(super) fn told(&mut self) -> Option<ToBand> {
        self.told.try_pop()
    }

    /// Answers; gives the answer back when there is no room.
    pub(super) fn answer(&mut self, answer: FromBand) -> Result<(), FromBand> {
        self.answers.try_push(answer)
    }

    /// Takes samples of sound; how many there were.
    pub(super) fn sound(&mut self, into: &mut [f32]) -> usize {
        self.sound.pop_slice(into)
    }

    /// Frees what was handed over.
    pub(super) fn free_garbage(&mut self) {
        while self.garbage.try_pop().is_some() {}
    }
}
