//! From samples to musical time: the host's transport, or a clock of our own.
//!
//! Time is cut into epochs: a start, a stop, a jump or a loop begins a new one. Within an epoch the position
//! runs on without a gap, whatever the tempo does.

use sideman_music::{Meter, Pulse};

use super::tempo_line::TempoLine;

/// The host's transport at the start of a block. What the host does not say is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Transport {
    /// Whether it runs.
    pub playing: bool,
    /// Quarter notes a minute.
    pub bpm: Option<f64>,
    /// Position in quarter notes.
    pub beats: Option<f64>,
    /// Start of the bar in quarter notes.
    pub bar_start: Option<f64>,
    /// Number of that bar, from 0.
    pub bar: Option<i64>,
    /// Metre.
    pub meter: Option<Meter>,
}

/// Which clock the band follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClockChoice {
    /// The host's while it runs, else the own.
    #[default]
    Auto,
    /// The host's only: when it stands, the band rests.
    Host,
    /// The own, whatever the host does.
    Own,
}

/// Who says what time it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClockSource {
    /// Nobody: no music until the host starts or a key is struck.
    #[default]
    Stopped,
    /// The internal clock is being counted in.
    CountIn,
    /// The internal clock.
    Own,
    /// The host's transport.
    Host,
}

/// A bar, and by it all that follow in its metre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// Where it starts, in pulses of the epoch.
    pub start: Pulse,
    /// Its number, from 0.
    pub number: i64,
    /// Its metre.
    pub meter: Meter,
}

impl Bar {
    const FIRST: Self = Self { start: 0, number: 0, meter: Meter::COMMON };

    /// The bar that a position lies in, if the metre holds.
    pub fn at(self, position: f64) -> Self {
        let length = self.meter.bar_pulses();
        let bars = ((position - self.start as f64) / length as f64).floor() as i64;
        Self {
            start: self.start.saturating_add(bars.saturating_mul(length)),
            number: self.number.saturating_add(bars),
            ..self
        }
    }
}

/// What a block brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Time goes on, or goes on standing.
    On,
    /// An epoch has begun: see [`Clock::position`].
    Began,
    /// An epoch is over, and none has begun.
    Ended,
}

/// Slowest and fastest tempo, quarter notes a minute, whatever a host claims.
const TEMPOS: (f64, f64) = (10.0, 999.0);
/// A host's position that is further than this from where it should be is a jump: a 64th note. Tempo ramps
/// stay below it.
const JUMP: f64 = 30.0;
/// Furthest position that is believed, in quarter notes: years of music.
const FURTHEST: f64 = 1e9;
/// Taps further apart than this are not of one count, in seconds: 24 beats a minute.
const TAP_GAP: f64 = 2.5;
/// A count-in whose beats differ by more than this share starts over.
const UNEVEN: f64 = 0.35;
/// Notes that count in.
const COUNTS: usize = 4;

/// The musical clock of the audio thread. No allocation.
#[derive(Debug, Clone)]
pub struct Clock {
    sample_rate: f64,
    /// Samples since activation, at the start of the block.
    sample: u64,
    source: ClockSource,
    epoch: u32,
    line: TempoLine,
    /// Position at the start of the block, in pulses of the epoch.
    position: f64,
    bpm: f64,
    bar: Bar,
    /// Pulses from the position to the session's axis.
    base: f64,
    session: f64,
    /// Samples of the last notes that count in, or of the last taps.
    taps: [u64; COUNTS],
    tapped: usize,
    /// Tempo that was tapped or counted in, and the setting that it replaces.
    own_bpm: Option<(f64, f64)>,
    /// Number of the bar after which the internal clock changes its metre.
    changing: Option<i64>,
}

impl Clock {
    /// A clock that stands.
    pub fn new(sample_rate: f64) -> Self {
        Self {
            sample_rate: if sample_rate.is_finite() && sample_rate >= 1.0 { sample_rate } else { 48_000.0 },
            sample: 0,
            source: ClockSource::Stopped,
            epoch: 0,
            line: TempoLine::default(),
            position: 0.0,
            bpm: 120.0,
            bar: Bar::FIRST,
            base: 0.0,
            session: 0.0,
            taps: [0; COUNTS],
            tapped: 0,
            own_bpm: None,
            changing: None,
        }
    }

    /// The same clock, with epochs that are none of those up to `epoch`.
    pub fn after(self, epoch: u32) -> Self {
        Self { epoch: epoch.wrapping_add(1), ..self }
    }

    /// Who says what time it is.
    pub fn source(&self) -> ClockSource {
        self.source
    }

    /// Whether musical time passes.
    pub fn runs(&self) -> bool {
        matches!(self.source, ClockSource::Own | ClockSource::Host)
    }

    /// Number of the epoch.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Position at the start of the block, in pulses of the epoch.
    pub fn position(&self) -> f64 {
        self.position
    }

    /// Quarter notes a minute.
    pub fn bpm(&self) -> f64 {
        self.bpm
    }

    /// Tempo of the internal clock when it was tapped or counted in, rather than set.
    pub fn tapped_bpm(&self) -> Option<f64> {
        self.own_bpm.map(|o| o.0)
    }

    /// The bar at the start of the block.
    pub fn bar(&self) -> Bar {
        self.bar.at(self.position + 1e-6)
    }

    /// Samples a second.
    pub fn sample_rate(&self) -> f64 {
        self.sample_rate
    }

    /// Samples since activation, at the start of the block.
    pub fn sample(&self) -> u64 {
        self.sample
    }

    /// Pulses a sample at the tempo of this block.
    pub fn rate(&self) -> f64 {
        self.bpm * 8.0 / self.sample_rate
    }

    /// Session time of a sample of this block, in pulses: it runs even while the clock stands.
    pub fn session_at(&self, at: u32) -> f64 {
        match self.runs() {
            // Not back, even if the host corrects its position by a little.
            true => self.session_of(self.position_at(at)).max(self.session),
            false => self.session + f64::from(at) * self.rate(),
        }
    }

    /// Session time of a position in this epoch.
    pub fn session_of(&self, position: f64) -> f64 {
        position + self.base
    }

    /// Position of a sample of this block; meaningful while the clock runs.
    pub fn position_at(&self, at: u32) -> f64 {
        self.line.position(self.sample as f64 + f64::from(at))
    }

    /// Position, `delay` samples before a sample counted from activation, or `None` before the epoch began.
    pub fn delayed(&self, sample: f64, delay: f64) -> Option<f64> {
        let then = sample - delay;
        (self.runs() && then >= self.line.begin()).then(|| self.line.position(then))
    }

    /// Sample counted from activation at which a position of this epoch was reached.
    pub fn sample_of(&self, position: f64) -> f64 {
        self.line.sample(position)
    }

    /// Begins a block: takes in what the host says, the own tempo and the own metre.
    pub fn turn(&mut self, transport: &Transport, choice: ClockChoice, bpm: f64, meter: Meter) -> Turn {
        if self.own_bpm.is_some_and(|(_, set)| set != bpm) {
            self.own_bpm = None;
        }
        let own = clean_tempo(Some(self.own_bpm.map_or(bpm, |o| o.0)), 120.0);
        if transport.playing && choice != ClockChoice::Own {
            return self.follow(transport);
        }
        if self.source == ClockSource::Host {
            self.bpm = own;
            self.stop();
            return Turn::Ended;
        }
        self.bpm = own;
        if choice == ClockChoice::Host && self.source != ClockSource::Stopped {
            self.stop();
            return Turn::Ended;
        }
        if self.source == ClockSource::Own {
            self.line.bend(self.sample as f64, self.position, self.rate());
            self.change_meter(meter);
        } else {
            self.bar = Bar { meter, ..Bar::FIRST };
        }
        Turn::On
    }

    /// Another metre of the internal clock holds from the next bar line on.
    fn change_meter(&mut self, meter: Meter) {
        let now = self.bar();
        match self.changing {
            _ if meter == self.bar.meter => self.changing = None,
            Some(number) if now.number > number => {
                self.bar = Bar { meter, ..now };
                self.changing = None;
            }
            Some(_) => {}
            None => self.changing = Some(now.number),
        }
    }

    fn follow(&mut self, transport: &Transport) -> Turn {
        self.bpm = clean_tempo(transport.bpm, self.bpm);
        let reported = transport.beats.filter(|b| b.is_finite() && b.abs() < FURTHEST).map(|b| b * 480.0);
        let goes_on = self.source == ClockSource::Host
            && reported.is_none_or(|reported| (reported - self.position).abs() <= JUMP);
        if goes_on {
            // A little back is a correction of what was guessed: time itself never goes back.
            let position = reported.unwrap_or(self.position).max(self.position - JUMP);
            self.line.bend(self.sample as f64, position, self.rate());
            self.go_to(self.line.position(self.sample as f64));
            self.bar = self.told_bar(transport, Some(self.bar));
            return Turn::On;
        }
        self.begin(ClockSource::Host, reported.unwrap_or(0.0), 0);
        self.bar = self.told_bar(transport, None);
        Turn::Began
    }

    /// The bar that the host says, or that follows from the one before.
    fn told_bar(&self, transport: &Transport, before: Option<Bar>) -> Bar {
        let meter = transport.meter.or(before.map(|b| b.meter)).unwrap_or(Meter::COMMON);
        let reported = transport.bar_start.filter(|b| b.is_finite() && b.abs() < FURTHEST);
        let length = meter.bar_pulses();
        let start = match (reported, before) {
            (Some(reported), _) => (reported * 480.0).round() as Pulse,
            (None, Some(before)) if before.meter == meter => before.at(self.position + 1e-6).start,
            // The change of metre is where a bar starts, as far as anybody knows.
            (None, Some(_)) => self.position.round() as Pulse,
            (None, None) => ((self.position + 1e-6) / length as f64).floor() as Pulse * length,
        };
        let counted = match before {
            Some(b) if b.meter == meter => b.at(start as f64 + 1e-6).number,
            Some(b) => {
                let bars = (start - b.start) as f64 / b.meter.bar_pulses() as f64;
                b.number + bars.ceil() as i64
            }
            None => start.div_euclid(length),
        };
        Bar { start, number: transport.bar.unwrap_or(counted), meter }
    }

    /// Begins an epoch at a sample of this block.
    fn begin(&mut self, source: ClockSource, position: f64, at: u32) {
        self.epoch = self.epoch.wrapping_add(1);
        self.source = source;
        let sample = self.sample as f64 + f64::from(at);
        self.line.begin_at(sample, position, self.rate());
        self.base = self.session + f64::from(at) * self.rate() - position;
        self.position = position - f64::from(at) * self.rate();
        self.changing = None;
    }

    /// The block starts at this position.
    fn go_to(&mut self, position: f64) {
        self.position = position;
        self.session = self.session.max(position + self.base);
    }

    fn stop(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        self.source = ClockSource::Stopped;
        self.tapped = 0;
    }

    /// Stops the internal clock, or whatever runs, until it is started again; a host's clock starts again with the
    /// next block.
    pub fn halt(&mut self) {
        self.stop();
    }

    /// Starts the internal clock at a sample of this block, on the first beat of a bar.
    pub fn start(&mut self, at: u32) {
        self.bar = Bar { meter: self.bar.meter, ..Bar::FIRST };
        self.begin(ClockSource::Own, 0.0, at);
    }

    /// Takes a note that counts in. True when it was the last one: the internal clock then runs, one beat before
    /// its first bar.
    pub fn count(&mut self, at: u32, set_bpm: f64) -> bool {
        self.source = ClockSource::CountIn;
        if !self.tap_at(at, true) || self.tapped < COUNTS {
            return false;
        }
        let beat = beat_of(self.bar.meter);
        self.set_tapped(self.mean_gap() * 480.0 / beat, set_bpm);
        self.tapped = 0;
        self.bar = Bar { meter: self.bar.meter, ..Bar::FIRST };
        self.begin(ClockSource::Own, -beat, at);
        true
    }

    /// Taps the tempo of the internal clock at a sample of this block, in beats of the metre.
    pub fn tap(&mut self, at: u32, set_bpm: f64) {
        if self.tap_at(at, false) && self.tapped >= 2 && self.source != ClockSource::Host {
            let beat = beat_of(self.bar.meter);
            self.set_tapped(self.mean_gap() * 480.0 / beat, set_bpm);
            if self.source == ClockSource::Own {
                let sample = self.sample as f64 + f64::from(at);
                self.line.bend(sample, self.line.position(sample), self.rate());
            }
        }
    }

    /// Remembers a tap; false when it begins a new count.
    fn tap_at(&mut self, at: u32, even: bool) -> bool {
        let now = self.sample + u64::from(at);
        let last = self.tapped.checked_sub(1).map(|i| self.taps[i]);
        let gap = last.map(|l| now.saturating_sub(l) as f64 / self.sample_rate);
        let fits = gap.is_some_and(|gap| {
            let alike = !even || self.tapped < 2 || {
                let mean = self.mean_gap();
                (gap - mean).abs() <= UNEVEN * mean
            };
            (0.15..=TAP_GAP).contains(&gap) && alike
        });
        // The notes of a chord count as one.
        if gap.is_some_and(|gap| gap < 0.06) {
            return false;
        }
        if !fits {
            self.tapped = 0;
        } else if self.tapped == COUNTS {
            self.taps.copy_within(1.., 0);
            self.tapped -= 1;
        }
        self.taps[self.tapped] = now;
        self.tapped += 1;
        fits
    }

    /// Mean time between the taps, in seconds; at least two are needed.
    fn mean_gap(&self) -> f64 {
        let n = self.tapped.max(2);
        (self.taps[n - 1].saturating_sub(self.taps[0])) as f64 / self.sample_rate / (n - 1) as f64
    }

    fn set_tapped(&mut self, seconds_a_quarter: f64, set: f64) {
        let bpm = (60.0 / seconds_a_quarter.max(1e-3)).clamp(20.0, 400.0);
        self.own_bpm = Some((bpm, set));
        self.bpm = bpm;
    }

    /// Ends the block.
    pub fn pass(&mut self, frames: u32) {
        self.sample += u64::from(frames);
        if self.runs() {
            self.go_to(self.line.position(self.sample as f64));
            self.bar = self.bar();
        } else {
            self.session += f64::from(frames) * self.rate();
        }
    }
}

/// Pulses of the beat that a player counts in a metre: a dotted quarter in compound ones.
fn beat_of(meter: Meter) -> f64 {
    let compound = meter.denominator >= 8 && meter.numerator > 3 && meter.numerator.is_multiple_of(3);
    let written = 1920.0 / f64::from(meter.denominator.max(1));
    if compound { written * 3.0 } else { written }
}

fn clean_tempo(reported: Option<f64>, otherwise: f64) -> f64 {
    match reported {
        Some(bpm) if bpm.is_finite() && bpm > 0.0 => bpm.clamp(TEMPOS.0, TEMPOS.1),
        _ => otherwise,
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::disallowed_macros)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATE: f64 = 48_000.0;

    fn host(beats: f64, bpm: f64) -> Transport {
        Transport { playing: true, bpm: Some(bpm), beats: Some(beats), ..Transport::default() }
    }

    fn turn(clock: &mut Clock, transport: &Transport) -> Turn {
        clock.turn(transport, ClockChoice::Auto, 120.0, Meter::COMMON)
    }

    #[test]
    fn a_steady_host_is_followed_without_a_gap_at_any_block_size() {
        for size in [1u32, 37, 480, 4096] {
            let mut clock = Clock::new(RATE);
            let mut sample = 0u32;
            while sample < 96_000 {
                let turned = turn(&mut clock, &host(f64::from(sample) / RATE * 2.0, 120.0));
                assert_eq!(turned, if sample == 0 { Turn::Began } else { Turn::On });
                let wanted = f64::from(sample + size - 1) * 0.02;
                assert!((clock.position_at(size - 1) - wanted).abs() < 1e-3, "{size} {sample}");
                let back = clock.sample_of(wanted);
                assert!((back - f64::from(sample + size - 1)).abs() < 0.1, "{back}");
                clock.pass(size);
                sample += size;
            }
            assert_eq!((clock.epoch(), clock.bar().number), (1, 1), "one epoch, bar 1 from 1 on");
        }
    }

    #[test]
    fn a_tempo_ramp_is_no_jump_and_time_never_goes_back() {
        // From 60 to 180 in four seconds: at t seconds t + t * t / 4 quarter notes have passed.
        let mut clock = Clock::new(RATE);
        let mut last = -1.0;
        for block in 0..375 {
            let t = f64::from(block) * 512.0 / RATE;
            let turned = turn(&mut clock, &host(t + t * t / 4.0, 60.0 + 30.0 * t));
            assert!(block == 0 || turned == Turn::On);
            for at in [0, 255, 511] {
                let t = t + f64::from(at) / RATE;
                let position = clock.position_at(at);
                assert!(position >= last, "{position} after {last}");
                assert!((position - 480.0 * (t + t * t / 4.0)).abs() < 2.0, "block {block}: {position}");
                last = position;
            }
            clock.pass(512);
        }
    }

    #[test]
    fn loops_jumps_and_stops_begin_and_end_epochs() {
        let mut clock = Clock::new(RATE);
        assert_eq!(turn(&mut clock, &host(8.0, 120.0)), Turn::Began);
        assert_eq!((clock.position(), clock.bar().number, clock.bar().start), (3840.0, 2, 3840));
        clock.pass(24_000);
        let session = clock.session_at(0);
        assert_eq!(turn(&mut clock, &host(8.0, 120.0)), Turn::Began, "a beat back");
        assert_eq!(clock.session_at(0), session, "the session goes on");
        assert_eq!(clock.delayed(24_000.0 + 100.0, 480.0), None, "nothing of this epoch has its time yet");
        clock.pass(480);
        assert_eq!(turn(&mut clock, &Transport::default()), Turn::Ended);
        assert_eq!(turn(&mut clock, &Transport::default()), Turn::On);
        assert!(!clock.runs());
        clock.pass(480);
        assert!(clock.session_at(0) > session);
    }

    #[test]
    fn a_metre_change_of_the_host_counts_on() {
        let mut clock = Clock::new(RATE);
        let at = |beats: f64, start: f64, numerator| Transport {
            bar_start: Some(start),
            meter: Some(Meter { numerator, denominator: 4 }),
            ..host(beats, 120.0)
        };
        turn(&mut clock, &at(4.0, 4.0, 4));
        assert_eq!(clock.bar().number, 1);
        clock.pass(96_000);
        turn(&mut clock, &at(8.0, 8.0, 3));
        assert_eq!((clock.bar().number, clock.bar().start), (2, 3840));
        clock.pass(72_000);
        turn(&mut clock, &at(11.0, 11.0, 3));
        assert_eq!((clock.bar().number, clock.bar().start), (3, 5280));
    }

    #[test]
    fn the_own_metre_changes_at_the_next_bar_line() {
        let mut clock = Clock::new(RATE);
        let three = Meter { numerator: 3, denominator: 4 };
        let still = Transport::default();
        clock.turn(&still, ClockChoice::Auto, 120.0, Meter::COMMON);
        clock.start(0);
        clock.pass(24_000);
        for _ in 0..3 {
            clock.turn(&still, ClockChoice::Auto, 120.0, three);
            assert_eq!((clock.bar().meter, clock.bar().start), (Meter::COMMON, 0));
            clock.pass(24_000);
        }
        clock.turn(&still, ClockChoice::Auto, 120.0, three);
        assert_eq!((clock.bar().meter, clock.bar().start, clock.bar().number), (three, 1920, 1));
    }

    #[test]
    fn taps_set_the_tempo_until_it_is_set_anew() {
        let mut clock = Clock::new(RATE);
        let still = Transport::default();
        for _ in 0..3 {
            clock.turn(&still, ClockChoice::Auto, 120.0, Meter::COMMON);
            clock.tap(0, 120.0);
            clock.pass(32_000);
        }
        assert!((clock.bpm() - 90.0).abs() < 1e-9);
        clock.turn(&still, ClockChoice::Auto, 120.0, Meter::COMMON);
        assert!((clock.bpm() - 90.0).abs() < 1e-9);
        clock.turn(&still, ClockChoice::Auto, 121.0, Meter::COMMON);
        assert_eq!((clock.bpm(), clock.tapped_bpm()), (121.0, None));
    }

    proptest! {
        #[test]
        fn no_host_can_break_it(
            blocks in prop::collection::vec((any::<bool>(), any::<f64>(), any::<f64>(), any::<f64>(), 0u32..5000, 1u8..=255), 1..60),
        ) {
            let mut clock = Clock::new(RATE);
            let mut session = 0.0;
            for (playing, beats, bpm, bar, frames, numerator) in blocks {
                let transport = Transport {
                    playing,
                    bpm: Some(bpm),
                    beats: Some(beats),
                    bar_start: Some(bar),
                    bar: Some(i64::from(numerator)),
                    meter: Some(Meter { numerator, denominator: 4 }),
                };
                turn(&mut clock, &transport);
                prop_assert!(clock.rate() > 0.0 && clock.position_at(frames).is_finite());
                prop_assert!(clock.session_at(0) >= session && clock.session_at(0).is_finite());
                session = clock.session_at(0);
                let _ = (clock.bar(), clock.sample_of(clock.position_at(frames)));
                clock.pass(frames);
            }
        }
    }
}
