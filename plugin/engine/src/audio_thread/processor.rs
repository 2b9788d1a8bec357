//! The audio thread's side.

#[allow(clippy::disallowed_types)] // Cloned and dropped by the main thread only.
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use sideman_music::listen::Lean;
use sideman_music::{PARTS, Part, Pulse, STEP_PULSES};

use super::audio_input::AudioInput;
use super::midi_learn::{LearnedOverrides, Press};
use super::output_mixer::OutputMixer;
use super::{BarFallback, Clock, Scheduler, Turn};
use crate::band_thread::BandThread;
use crate::controls::{Control, Controls};
use crate::genre::MakeAudioClassifier;
use crate::live::queues::queues;
use crate::live::{Garbage, Shared};
use crate::messages::{
    Block, ClockChoice, ClockSource, FromBand, Input, LiveSettings, MidiMessage, Order, Output, TempoPoint,
    ToBand, Transport, Voice,
};
use crate::plan::{HELD_BARS, SILENT_BARS};

/// Messages of the piano that can be on their way when the piano is delayed.
const DELAYED: usize = 1024;
/// How late a note may come and still sound, in pulses: a twelfth of a quarter note.
const GRACE: Pulse = 40;
/// Longest that a block waits for the band when the host renders offline.
const PATIENCE: Duration = Duration::from_secs(5);
/// Points of tempo are sent at most this often, in pulses: in a ramp each block has its own tempo.
const POINT_EVERY: f64 = 30.0;

/// The audio thread's side of a live band. All methods belong to the audio thread, except where they say
/// otherwise.
pub struct Processor {
    #[allow(clippy::disallowed_types)] // Cloned and dropped by the main thread only.
    shared: Arc<Shared>,
    thread: Option<BandThread>,
    mixer: OutputMixer,
    clock: Clock,
    scheduler: Scheduler,
    fallback: BarFallback,
    overrides: LearnedOverrides,
    #[allow(clippy::disallowed_types)] // Made and freed by the main thread.
    delayed: Box<[(u64, Input); DELAYED]>,
    delayed_count: usize,
    /// Controls that were sent last, once they arrived.
    sent: Option<Controls>,
    point: Option<TempoPoint>,
    reached: Pulse,
    decided: Pulse,
    /// Keys that are down.
    keys: u128,
    /// Whether key movements could not be sent.
    keys_lost: bool,
    /// Sample at which a key moved last.
    last_key: u64,
    largest: u32,
    /// Largest block when the epoch began.
    block: u32,
    max_block: u32,
    reset: bool,
    was_audible: [bool; PARTS],
    bypassed: bool,
    presses: [u32; 3],
    echoed: u64,
    /// Makes what tells the genre of sound, if anything does.
    make_classifier: Option<MakeAudioClassifier>,
    audio_input: AudioInput,
}

impl Processor {
    /// A processor that has not been activated. Any thread; starts nothing.
    #[allow(clippy::disallowed_types)] // The main thread.
    pub fn new(shared: Arc<Shared>) -> Self {
        let silence = Input { at: 0, channel: 0, message: MidiMessage::Note { pitch: 0, velocity: 0 } };
        Self {
            shared,
            thread: None,
            mixer: OutputMixer::default(),
            clock: Clock::new(48_000.0),
            scheduler: Scheduler::new(GRACE),
            fallback: BarFallback::default(),
            overrides: LearnedOverrides::default(),
            delayed: Box::new([(0, silence); DELAYED]),
            delayed_count: 0,
            sent: None,
            point: None,
            reached: Pulse::MIN,
            decided: Pulse::MIN,
            keys: 0,
            keys_lost: false,
            last_key: 0,
            largest: 0,
            block: 0,
            max_block: 0,
            reset: false,
            was_audible: [true; PARTS],
            bypassed: false,
            presses: [0; 3],
            echoed: 0,
            make_classifier: None,
            audio_input: AudioInput::default(),
        }
    }

    /// The same, with a classifier for incoming sound, from the next activation of an inactive processor on.
    pub fn with_audio_classifier(mut self, make_classifier: MakeAudioClassifier) -> Self {
        self.make_classifier = Some(make_classifier);
        self
    }

    /// Gets ready to play at a sample rate, in blocks of `max_block` samples at most, and starts the band's
    /// thread if it does not run. The main thread, while the audio thread does not process. May be called
    /// again without [`Processor::deactivate`]; what sounds is ended in the next block.
    #[allow(clippy::disallowed_macros, clippy::disallowed_methods)] // The main thread, while nothing is processed.
    pub fn activate(&mut self, sample_rate: f64, max_block: u32) {
        // Read once a process, here rather than when the first note waits for it; the band thread reports an error.
        let _ = sideman_inference::weights::embedded();
        let _ = sideman_inference::genre::built_in::piano();
        if self.thread.is_none() {
            let (audio, band) = queues();
            match BandThread::start(band, self.shared.clone(), self.make_classifier.clone()) {
                Ok(thread) => {
                    self.thread = Some(thread);
                    self.mixer.connect(Some(audio));
                }
                Err(e) => {
                    self.shared.notice(format!("The band cannot play: the system gives no thread ({e})."))
                }
            }
            self.sent = None;
        }
        let epoch = self.clock.epoch();
        self.clock = Clock::new(sample_rate).after(epoch);
        self.max_block = max_block;
        self.largest = 0;
        self.delayed_count = 0;
        self.reset = true;
        self.last_key = 0;
        self.shared.cells.panicked.store(false, Relaxed);
    }

    /// Ends the band's thread. The main thread, while the audio thread does not process.
    pub fn deactivate(&mut self) {
        self.thread = None;
        self.mixer.connect(None);
    }

    /// Forgets the music: the next block ends all sounding notes and begins anew.
    pub fn reset(&mut self) {
        self.reset = true;
    }

    /// Triggers the button of an action, as a taught key would, at the start of the next block.
    pub fn press(&mut self, action: Control) {
        if let Some(press) = self.overrides.press(action) {
            self.presses[press as usize] += 1;
        }
    }

    /// The latency to be reported to the host, in samples: 0 unless the settings ask for compensation. Any thread.
    pub fn latency_samples(&self, settings: &LiveSettings) -> u32 {
        if settings.compensate { self.reaction(settings).max(self.max_block) } else { 0 }
    }

    /// The reaction time that was asked for, in samples.
    fn reaction(&self, settings: &LiveSettings) -> u32 {
        let ms = if settings.reaction_ms.is_finite() { settings.reaction_ms.clamp(0.0, 100.0) } else { 10.0 };
        (f64::from(ms) * self.clock.sample_rate() / 1000.0).round() as u32
    }

    /// The delay from hearing to sounding in samples, as it is now.
    fn delay(&self, block: &Block<'_>) -> u32 {
        let reaction = self.reaction(block.settings);
        match (block.settings.compensate, block.offline) {
            (true, _) => self.latency_samples(block.settings),
            // Offline every block waits for what it needs.
            (false, true) => reaction,
            // What is decided in a block can sound in the next one at the earliest.
            (false, false) => reaction.max(self.block),
        }
    }

    /// Processes a block. `inputs` are in order of time. What is to be sent and sounded comes back in order
    /// of time.
    pub fn process(&mut self, block: &Block<'_>, inputs: &[Input]) -> &[Output] {
        self.mixer.clear();
        self.largest = self.largest.max(block.frames);
        self.receive_from_band();
        let controls = self.overrides.apply(block.controls);
        self.send_controls(&controls);
        let meter = block.settings.meter;
        let (bpm, choice) = (block.settings.bpm, block.settings.clock);
        let resting = Transport::default();
        let transport = if block.bypass { &resting } else { &block.transport };
        if std::mem::take(&mut self.reset) || (block.bypass && !self.bypassed) {
            self.clock.halt();
            self.end_epoch(&controls, block);
            self.begin_session();
        }
        self.bypassed = block.bypass;
        match self.clock.turn(transport, choice, bpm, meter) {
            Turn::On => {}
            Turn::Began => self.begin_epoch(&controls, block),
            Turn::Ended => self.end_epoch(&controls, block),
        }
        self.send_point();
        self.act_on_presses(&controls, block);
        self.mind_mutes(&controls);

        let delay = self.delay(block);
        self.pass_delayed(block, if block.settings.compensate { delay } else { 0 });
        for input in inputs {
            let at = input.at.min(block.frames.saturating_sub(1));
            self.receive(Input { at, ..*input }, &controls, block, delay);
        }
        self.tell_reached(block.frames);
        if block.offline {
            self.wait();
        }
        self.play(&controls, block, delay);
        self.rest_when_alone(&controls, block);
        self.clock.pass(block.frames);
        self.publish(block, delay);
        self.mixer.outputs()
    }

    /// Takes the sound of a block that comes in, from which the band's thread tells the genre when it has nothing else
    /// to do; what there is no room for is left out and counted. An input to which nothing is connected costs
    /// nothing.
    pub fn listen(&mut self, left: &[f32], right: &[f32]) {
        if self.make_classifier.is_none() {
            return;
        }
        let rate = self.clock.sample_rate();
        self.audio_input.read(&mut self.mixer, left, right, rate);
        self.shared.cells.unheard.store(self.audio_input.unheard(), Relaxed);
    }

    /// Ends everything that sounds, at sample 0 of a block that is otherwise left silent, as after a panic.
    pub fn silence(&mut self) -> &[Output] {
        self.mixer.clear();
        self.clock.halt();
        self.scheduler.jump(self.clock.epoch(), 0, |_| {});
        for part in Part::ALL {
            self.mixer.end_part(part, 0);
        }
        self.mixer.end_passed();
        self.reset = true;
        self.mixer.outputs()
    }

    /// Hands something large to the band's thread to be freed there.
    ///
    /// # Errors
    /// Gives it back when there is no room, or no thread: try again in a later block.
    pub fn discard(&mut self, garbage: Garbage) -> Result<(), Garbage> {
        self.mixer.discard(garbage)
    }

    /// What an editor sees.
    #[allow(clippy::disallowed_types)] // Handed out, neither cloned nor dropped.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn send_controls(&mut self, controls: &Controls) {
        if self.sent.as_ref() != Some(controls) && self.mixer.send_reserved(ToBand::Controls(*controls)) {
            self.sent = Some(*controls);
        }
    }

    /// Sends tempo and bars where they are not what follows from what was sent before.
    fn send_point(&mut self) {
        if !self.clock.runs() {
            return;
        }
        let (position, bar) = (self.clock.position(), self.clock.bar());
        let now = TempoPoint {
            at: self.clock.session_of(position).round() as Pulse,
            position: position.round() as Pulse,
            bar_start: self.clock.session_of(bar.start as f64).round() as Pulse,
            bar: bar.number,
            meter: bar.meter,
            bpm: self.clock.bpm(),
        };
        if let Some(before) = &self.point {
            let same_bars = before.meter == now.meter
                && (now.bar_start - before.bar_start).rem_euclid(now.meter.bar_pulses()) == 0
                && (now.bar_start - before.bar_start) / now.meter.bar_pulses() == now.bar - before.bar;
            let same_tempo = (now.bpm / before.bpm - 1.0).abs() < 1e-9;
            let soon = ((now.at - before.at) as f64) < POINT_EVERY;
            if same_bars && (same_tempo || soon) {
                return;
            }
        }
        if self.mixer.send_reserved(ToBand::Point(now)) {
            self.point = Some(now);
        }
    }

    fn begin_epoch(&mut self, controls: &Controls, block: &Block<'_>) {
        self.block = self.largest;
        let at = self.clock.position().ceil() as Pulse;
        self.jump(at, controls, block);
        // What came before the first bar is not music: the counting in, or what a host rolls before it.
        let first = if self.clock.source() == ClockSource::Own { at.max(0) } else { at };
        let epoch = self.clock.epoch();
        self.mixer.send_reserved(ToBand::Began { epoch, at: first });
        self.point = None;
        self.send_point();
    }

    fn end_epoch(&mut self, controls: &Controls, block: &Block<'_>) {
        self.jump(0, controls, block);
        self.mixer.send_reserved(ToBand::Ended);
        self.point = None;
    }

    /// Ends all notes of the band and forgets what was planned.
    fn jump(&mut self, to: Pulse, controls: &Controls, block: &Block<'_>) {
        let at = self.clock.session_at(0).round() as Pulse;
        let (mixer, epoch) = (&mut self.mixer, self.clock.epoch());
        self.scheduler.jump(epoch, to, |m| mixer.send(0, at, m, controls, block));
        self.scheduler.set_grace(GRACE);
        self.fallback.clear();
        self.reached = Pulse::MIN;
        self.decided = Pulse::MIN;
    }

    /// After a reset, keys that were down are not, as far as anybody knows.
    fn begin_session(&mut self) {
        self.keys = 0;
        self.keys_lost = false;
        self.mixer.send_reserved(ToBand::Keys(0));
        self.delayed_count = 0;
        self.mixer.end_passed();
        self.last_key = self.clock.sample();
    }

    fn act_on_presses(&mut self, controls: &Controls, block: &Block<'_>) {
        for press in [Press::Panic, Press::Tap, Press::StartStop] {
            for _ in 0..std::mem::take(&mut self.presses[press as usize]).min(4) {
                self.act(press, 0, controls, block);
            }
        }
    }

    fn act(&mut self, press: Press, at: u32, controls: &Controls, block: &Block<'_>) {
        match press {
            Press::Panic => {
                self.clock.halt();
                self.end_epoch(controls, block);
                self.begin_session();
                self.mixer.silence_everything(at);
            }
            Press::Tap => {
                self.clock.tap(at, block.settings.bpm);
                self.send_point();
            }
            Press::StartStop => match self.clock.source() {
                ClockSource::Host => {}
                ClockSource::Stopped | ClockSource::CountIn if block.settings.clock != ClockChoice::Host => {
                    self.clock.start(at);
                    self.last_key = self.clock.sample() + u64::from(at);
                    self.begin_epoch(controls, block);
                }
                _ => {
                    self.clock.halt();
                    self.end_epoch(controls, block);
                }
            },
        }
    }

    /// Parts that fall silent end what sounds.
    fn mind_mutes(&mut self, controls: &Controls) {
        for part in Part::ALL {
            let audible = controls.audible(part);
            if self.was_audible[part.index()] && !audible {
                self.mixer.end_part(part, self.clock.session_at(0).round() as Pulse);
            }
            self.was_audible[part.index()] = audible;
        }
    }

    /// Takes an input: passes it on, and sends the band what it should hear.
    fn receive(&mut self, input: Input, controls: &Controls, block: &Block<'_>, delay: u32) {
        if !block.bypass {
            let (taught, press) = self.overrides.receive(&self.shared, input.channel, input.message);
            if let Some(press) = press {
                self.act(press, input.at, controls, block);
            }
            if taught && !self.mixer.holds(&input) {
                return;
            }
        }
        if block.settings.compensate && self.delayed_count < DELAYED {
            let due = self.clock.sample() + u64::from(input.at) + u64::from(delay);
            self.delayed[self.delayed_count] = (due, input);
            self.delayed_count += 1;
            self.pass_delayed(block, delay);
        } else {
            self.mixer.pass(input, &block.settings.route);
        }
        let MidiMessage::Note { pitch, velocity } = input.message else { return };
        let (pitch, bit) = (pitch & 127, 1u128 << (pitch & 127));
        let was_down = self.keys & bit != 0;
        self.keys = if velocity > 0 { self.keys | bit } else { self.keys & !bit };
        self.last_key = self.clock.sample() + u64::from(input.at);
        if velocity > 0 && !block.bypass {
            self.start_clock(input.at, controls, block);
        }
        let at = self.clock.session_at(input.at).round() as Pulse;
        self.mixer.send_to_band(ToBand::Tape { at, voice: Voice::Piano, pitch, velocity });
        if velocity == 0 && !was_down {
            return;
        }
        if self.keys_lost {
            self.keys_lost = !self.mixer.send_reserved(ToBand::Keys(self.keys));
        }
        let at = self.clock.position_at(input.at).round() as Pulse;
        if !self.mixer.send_to_band(ToBand::Key { at, pitch, velocity }) {
            self.keys_lost = true;
        }
    }

    /// A key was struck: the internal clock may start with it, or be counted in by it.
    fn start_clock(&mut self, at: u32, controls: &Controls, block: &Block<'_>) {
        if self.clock.runs() || block.settings.clock == ClockChoice::Host {
            return;
        }
        if block.settings.count_in {
            if self.clock.count(at, block.settings.bpm) {
                self.begin_epoch(controls, block);
            }
        } else {
            self.clock.start(at);
            self.begin_epoch(controls, block);
        }
    }

    /// The internal clock stops when the piano has been away for so long that the band has ended.
    fn rest_when_alone(&mut self, controls: &Controls, block: &Block<'_>) {
        if self.clock.source() != ClockSource::Own || controls.freeze || controls.hold {
            return;
        }
        let bars = SILENT_BARS + 1 + if self.keys == 0 { 0 } else { HELD_BARS };
        let bar = self.clock.bar().meter.bar_pulses().max(960) as f64;
        let now = self.clock.sample() + u64::from(block.frames);
        let alone = now.saturating_sub(self.last_key) as f64 * self.clock.rate();
        if alone > bars as f64 * bar {
            self.clock.halt();
            self.end_epoch(controls, block);
        }
    }

    /// Passes on what of the delayed piano is due in this block.
    fn pass_delayed(&mut self, block: &Block<'_>, delay: u32) {
        let (start, end) = (self.clock.sample(), self.clock.sample() + u64::from(block.frames));
        let mut done = 0;
        while done < self.delayed_count {
            let (due, input) = self.delayed[done];
            if delay > 0 && due >= end {
                break;
            }
            let at = due.saturating_sub(start).min(u64::from(block.frames.saturating_sub(1))) as u32;
            self.mixer.pass(Input { at, ..input }, &block.settings.route);
            done += 1;
        }
        self.delayed.copy_within(done..self.delayed_count, 0);
        self.delayed_count -= done;
    }

    fn receive_from_band(&mut self) {
        let epoch = self.clock.epoch();
        while let Some(message) = self.mixer.receive() {
            match message {
                FromBand::Order(e, order) => {
                    let accepted = self.scheduler.accept(e, order);
                    match order {
                        Order::Play(part, note) if accepted => self.fallback.remember(part, note),
                        // The band rests: there is nothing to go on with.
                        Order::CancelFrom(_) if e == epoch => self.fallback.clear(),
                        _ => {}
                    }
                }
                FromBand::Decided(e, to) if e == epoch => self.decided = self.decided.max(to),
                FromBand::Decided(..) => {}
            }
        }
    }

    /// Sends the pulse up to which everything has been sent: nothing later belongs to an earlier pulse.
    fn tell_reached(&mut self, frames: u32) {
        if !self.clock.runs() {
            return;
        }
        let reached = self.clock.position_at(frames).round() as Pulse - 1;
        if reached > self.reached && undecided(self.reached) <= reached {
            let sent = self.mixer.send_reserved(ToBand::HeardUpTo(reached));
            self.reached = if sent { reached } else { self.reached };
        }
    }

    /// Waits until the band has decided everything that was sent.
    #[allow(clippy::disallowed_methods, clippy::disallowed_types)] // Only where the host renders faster than real time.
    fn wait(&mut self) {
        if !self.clock.runs() || self.thread.is_none() {
            return;
        }
        let began = std::time::Instant::now();
        loop {
            self.receive_from_band();
            if self.decided >= self.reached || began.elapsed() > PATIENCE {
                return;
            }
            std::thread::sleep(Duration::from_micros(30));
        }
    }

    /// Plays what is due in this block, `delay` samples after its time.
    fn play(&mut self, controls: &Controls, block: &Block<'_>, delay: u32) {
        let (start, end) = (self.clock.sample() as f64, self.clock.sample() as f64 + f64::from(block.frames));
        // Everything that, rounded to a sample, lies before the end of the block.
        let Some(now) = self.clock.delayed(end - 0.5, f64::from(delay)) else { return };
        let until = now.ceil() as Pulse;
        self.go_on_without(until);
        let (clock, mixer) = (&self.clock, &mut self.mixer);
        let mut last = 0;
        self.scheduler.advance(until, |m| {
            let sample = clock.sample_of(m.at as f64).round() + f64::from(delay) - start;
            let at = (sample.max(0.0) as u32).clamp(last, block.frames.saturating_sub(1).max(last));
            last = at;
            let time = clock.session_of(m.at as f64).round() as Pulse;
            mixer.send(at, time, m, controls, block);
        });
    }

    /// When the band's thread has fallen behind by more than the grace, the last bar goes on.
    fn go_on_without(&mut self, until: Pulse) {
        // The first step that may be undecided, and was asked for.
        let owed = undecided(self.decided);
        let asked = self.decided != Pulse::MIN && self.decided < self.reached && owed <= self.reached;
        let grace = if self.fallback.is_on() { 0 } else { GRACE };
        if self.thread.is_none() || !asked || owed + grace >= until {
            if self.fallback.stop() {
                self.scheduler.set_grace(GRACE);
            }
            return;
        }
        let was_on = self.fallback.is_on();
        let (epoch, from) = (self.clock.epoch(), self.scheduler.now());
        let bar = self.clock.bar().meter.bar_pulses();
        let scheduler = &mut self.scheduler;
        scheduler.set_grace(0);
        let mut played = false;
        self.fallback.go_on(from, until, bar, |part, note| {
            played |= scheduler.accept(epoch, Order::Play(part, note));
        });
        self.echoed += u64::from(!was_on);
    }

    fn publish(&mut self, block: &Block<'_>, delay: u32) {
        let (c, clock) = (&self.shared.cells, &self.clock);
        let bar = clock.bar();
        c.session.store(clock.session_at(0).to_bits(), Relaxed);
        c.position.store(clock.position().to_bits(), Relaxed);
        c.bpm.store(clock.bpm().to_bits(), Relaxed);
        c.bar.store(bar.number as u64, Relaxed);
        c.in_bar.store((clock.position() - bar.start as f64).to_bits(), Relaxed);
        c.meter.store(u32::from(bar.meter.numerator) << 8 | u32::from(bar.meter.denominator), Relaxed);
        let source = match clock.source() {
            ClockSource::Stopped => 0,
            ClockSource::CountIn => 1,
            ClockSource::Own => 2,
            ClockSource::Host => 3,
        };
        c.source.store(source, Relaxed);
        c.offline.store(block.offline, Relaxed);
        let counts = self.scheduler.counts();
        c.late.store(counts.late, Relaxed);
        c.missed.store(counts.missed, Relaxed);
        c.overflowed.store(counts.overflowed + self.mixer.lost(), Relaxed);
        c.echoed.store(self.echoed, Relaxed);
        c.reaction.store(delay, Relaxed);
        c.sample_rate.store(clock.sample_rate().to_bits(), Relaxed);
        self.overrides.publish(&self.shared, clock.tapped_bpm());
    }
}

/// The first step whose decision point may lie after a pulse, in pulses: a point lies up to
/// [`Lean::MOST`] after its step.
fn undecided(after: Pulse) -> Pulse {
    (after.saturating_sub(Lean::MOST).div_euclid(STEP_PULSES) + 1).saturating_mul(STEP_PULSES)
}
