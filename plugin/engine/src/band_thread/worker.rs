//! The thread that listens and decides.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sideman_inference::band::StepPosition;
use sideman_music::Pulse;
use sideman_music::listen::KeyEvent;
use sideman_music::time::BarPosition;

use super::BandEnd;
use super::editor_feed::EditorFeed;
use super::preview::Preview;
use super::priority::Priority;
use crate::controls::Controls;
use crate::genre::{AudioGenre, Follower, GenreView, MakeAudioClassifier, Source};
use crate::listen::Hearing;
use crate::live::Shared;
use crate::loaded_band::{self, LoadedBand, Music};
use crate::messages::{FromBand, TempoPoint, ToBand};
use crate::position::{place_in, step_hearing, step_pulse};
use crate::session::{Session, SessionBand, TEMPO_RANGE};
use crate::settings::Settings;

/// Name of the thread, as a debugger shows it.
pub(super) const NAME: &str = "sideman-band";

/// How long the thread sleeps when there is nothing to do: while music runs and while it does not. The audio thread
/// may not wake it, so it looks.
const NAP: Duration = Duration::from_micros(500);
const IDLE_NAP: Duration = Duration::from_millis(4);
/// How long it sleeps while the host waits for it; twice as long after each look that found nothing, up to [`NAP`].
const OFFLINE_NAP: Duration = Duration::from_micros(20);
/// Samples of sound that are taken in between two looks at what there is to decide.
const PIECE: usize = 512;
/// Points of tempo and bars that are remembered.
const POINTS: usize = 8;

/// The running thread. Dropping it ends it.
pub(crate) struct BandThread {
    stop: Arc<AtomicBool>,
    handle: Option<JoinHandle<()>>,
}

impl BandThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(
        ends: BandEnd,
        shared: Arc<Shared>,
        make_classifier: Option<MakeAudioClassifier>,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stop_signal = stop.clone();
        let handle = std::thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(move || BandWorker::new(ends, shared, make_classifier).run(&stop_signal))?;
        Ok(Self { stop, handle: Some(handle) })
    }
}

impl Drop for BandThread {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(handle) = self.handle.take() {
            // The user has a notice of a panic in there already.
            let _ = handle.join();
        }
    }
}

/// Everything the thread owns.
struct BandWorker {
    ends: BandEnd,
    shared: Arc<Shared>,
    editor_feed: EditorFeed,
    session: Session<'static>,
    /// Whether the network failed, and the rules play.
    failed: bool,
    /// Makes what hears the genre of sound, until there is sound.
    make_classifier: Option<MakeAudioClassifier>,
    sound: Option<AudioGenre>,
    /// Room for a piece of sound.
    samples: Vec<f32>,
    /// The epoch that runs, if any.
    epoch: Option<u32>,
    /// Where the epoch begins, until its first point of tempo and bars arrives.
    beginning: Option<Pulse>,
    next: i64,
    points: Vec<TempoPoint>,
    keys: u128,
    preview: Preview,
    last: Option<StepPosition>,
    /// Count of changes of the patterns that was seen.
    patterns: u32,
}

impl BandWorker {
    fn new(ends: BandEnd, shared: Arc<Shared>, make_classifier: Option<MakeAudioClassifier>) -> Self {
        let music = Music { bpm: 120.0, bar_steps: 16 };
        let follower = Follower::new().map(Box::new);
        if let Err(e) = &follower {
            shared.notice(format!("The genre cannot be classified: {e}."));
        }
        let rules = SessionBand::Loaded(loaded_band::rules(&Controls::default(), music));
        let session = Session::new(Settings::default(), Hearing::default(), rules, follower.ok());
        let mut worker = Self {
            ends,
            editor_feed: EditorFeed::new(shared.clone()),
            shared,
            session,
            failed: false,
            make_classifier,
            sound: None,
            samples: vec![0.0; PIECE],
            epoch: None,
            beginning: None,
            next: 0,
            points: Vec::with_capacity(POINTS + 1),
            keys: 0,
            preview: Preview::default(),
            last: None,
            patterns: 0,
        };
        worker.ensure_band(music);
        worker
    }

    fn run(mut self, stop: &AtomicBool) {
        let mut priority = Priority::raise();
        // Looks in a row that found nothing.
        let mut idle = 0u32;
        while !stop.load(Relaxed) {
            priority.set_urgent(!self.shared.cells.offline.load(Relaxed));
            let mut busy = false;
            while let Some(message) = self.ends.receive() {
                busy = true;
                self.receive(message, stop);
            }
            while let Some(job) = self.shared.next_job() {
                // What a job returns is freed here, too.
                if priority.relaxed(|| catch_unwind(AssertUnwindSafe(job))).is_err() {
                    self.shared.notice("A task of the plugin failed. The band plays on.");
                }
            }
            self.ends.free_garbage();
            self.editor_feed.write();
            idle = if busy { 0 } else { idle.saturating_add(1) };
            // The next piece waits until it is clear that there is nothing to decide.
            if !busy && !self.read_sound() {
                self.look_ahead();
                std::thread::sleep(self.nap(idle));
            }
        }
        while let Some(ToBand::Tape { at, voice, pitch, velocity }) = self.ends.receive() {
            self.editor_feed.tape(at, voice, pitch, velocity);
        }
        self.ends.free_garbage();
        self.editor_feed.write();
    }

    /// Takes in a piece of the sound that comes in. Returns whether there may be more.
    fn read_sound(&mut self) -> bool {
        let count = self.ends.sound(&mut self.samples);
        let rate = f64::from_bits(self.shared.cells.sample_rate.load(Relaxed)) as f32;
        if count == 0 || rate <= 0.0 {
            return false;
        }
        if let Some(make) = self.make_classifier.take() {
            match make().and_then(AudioGenre::new) {
                Ok(sound) => self.sound = Some(sound),
                Err(e) => self.shared.notice(format!("The genre of sound cannot be classified: {e}.")),
            }
        }
        let Some(mut sound) = self.sound.take() else { return false };
        let (samples, was_present) = (&self.samples[..count], sound.is_present());
        match catch_unwind(AssertUnwindSafe(|| sound.push(samples, rate))) {
            Ok(new) => {
                let changed = new || sound.is_present() != was_present;
                self.sound = Some(sound);
                if changed {
                    self.show_genre();
                }
            }
            Err(_) => self.shared.notice("What tells the genre of sound failed. The band plays on."),
        }
        count == self.samples.len()
    }

    /// Works out a step of what is likely to come, for an editor: anew after every beat.
    fn look_ahead(&mut self) {
        if self.epoch.is_none()
            || !self.shared.watched.load(Relaxed)
            || self.shared.cells.offline.load(Relaxed)
        {
            return;
        }
        if let Some(place) = self.last.take_if(|p| p.in_bar.is_multiple_of(4)) {
            self.preview.begin(&place, self.session.player(), self.session.band());
        }
        let mut preview = std::mem::take(&mut self.preview);
        let (lean, bpm) = (self.session.hearing().lean(), self.bpm(self.next) as f32);
        let base = self.editor_feed.base();
        let look =
            AssertUnwindSafe(|| preview.look(|step| self.place(step), lean, bpm, base).map(<[_]>::to_vec));
        match catch_unwind(look) {
            Ok(Some(expected)) => self.editor_feed.expect(&expected),
            Ok(None) => {}
            Err(_) => preview.forget(),
        }
        self.preview = preview;
    }

    fn nap(&self, idle: u32) -> Duration {
        match self.epoch {
            _ if self.shared.cells.offline.load(Relaxed) => NAP.min(OFFLINE_NAP * (1 << idle.min(5))),
            Some(_) => NAP,
            None => IDLE_NAP,
        }
    }

    fn receive(&mut self, message: ToBand, stop: &AtomicBool) {
        match message {
            ToBand::Began { epoch, at } => {
                self.epoch = Some(epoch);
                self.beginning = Some(at);
                self.points.clear();
                self.session.forget_piano(self.keys);
                self.show_genre();
                self.editor_feed.begin();
                self.preview.forget();
                self.last = None;
            }
            ToBand::Ended => {
                self.epoch = None;
                self.editor_feed.begin();
                self.preview.forget();
                self.last = None;
            }
            ToBand::Point(point) => {
                if self.points.len() == POINTS {
                    self.points.remove(0);
                }
                self.points.push(point);
                self.editor_feed.point(point);
            }
            ToBand::Key { at, pitch, velocity } => {
                let bit = 1u128 << (pitch & 127);
                self.keys = if velocity > 0 { self.keys | bit } else { self.keys & !bit };
                if self.epoch.is_some() {
                    self.session.push_key(KeyEvent { at, pitch, velocity });
                }
            }
            ToBand::Keys(keys) => {
                self.keys = keys;
                self.session.hold_only(keys);
            }
            ToBand::Controls(controls) => self.session.control(&controls),
            ToBand::Tape { at, voice, pitch, velocity } => self.editor_feed.tape(at, voice, pitch, velocity),
            ToBand::HeardUpTo(reached) => {
                if let Some(epoch) = self.epoch {
                    self.decide(epoch, reached, stop);
                    self.shared.cells.decided.store(reached as u64, Relaxed);
                    self.send(FromBand::Decided(epoch, reached), stop);
                }
            }
        }
    }

    /// Decides all steps whose decision point has been reached.
    fn decide(&mut self, epoch: u32, reached: Pulse, stop: &AtomicBool) {
        if let Some(patterns) = self.shared.changed_patterns(&mut self.patterns) {
            self.session.change_patterns(patterns);
        }
        if let Some(at) = self.beginning.take() {
            self.next = step_hearing(at);
            let place = self.place(self.next);
            self.ensure_band(Music { bpm: self.bpm(self.next), bar_steps: i64::from(place.bar_steps) });
            self.session.restart();
        }
        while self.session.decision_point(self.next) <= reached && !stop.load(Relaxed) {
            let place = self.place(self.next);
            let point = self.session.decision_point(self.next);
            let bpm = self.bpm(self.next);
            let audio_genre = self.sound.as_ref().and_then(AudioGenre::genre);
            let (session, shared, failed) = (&mut self.session, &*self.shared, self.failed);
            let began = Instant::now();
            let mut orders = Vec::new();
            let step = AssertUnwindSafe(|| {
                let mut load = |controls: &Controls, music| Some(load_band(controls, music, failed, shared));
                session.step(&place, bpm, audio_genre, &mut load, &mut |o| orders.push(o))
            });
            match catch_unwind(step) {
                Ok(changes) => {
                    if changes.genre {
                        self.show_genre();
                    }
                    if changes.band {
                        self.show_band();
                    }
                }
                Err(_) => self.fall_back(&place),
            }
            self.shared.note_decision(began.elapsed());
            let heard = self.session.heard();
            self.editor_feed.hear(&heard.frame, &place);
            self.preview.hear(heard.frame);
            self.last = Some(place);
            for order in orders {
                self.editor_feed.order(order, point);
                self.send(FromBand::Order(epoch, order), stop);
            }
            self.next += 1;
        }
    }

    fn show_genre(&mut self) {
        let sound = self.sound.as_ref().and_then(AudioGenre::view);
        let piano = || {
            let classifier = self.session.follower()?.classifier();
            Some(GenreView::of(classifier.tracker(), classifier.classes(), Source::Piano))
        };
        if let Some(view) = sound.or_else(piano) {
            self.editor_feed.genre(view);
        }
    }

    /// Answers; the audio thread may take its time.
    fn send(&mut self, message: FromBand, stop: &AtomicBool) {
        let mut message = message;
        while let Err(back) = self.ends.send(message) {
            if stop.load(Relaxed) {
                return;
            }
            message = back;
            std::thread::sleep(OFFLINE_NAP);
        }
    }

    /// Loads a band for the controls and the music, unless it is the one that plays.
    fn ensure_band(&mut self, music: Music) {
        let (shared, failed) = (&*self.shared, self.failed);
        if self
            .session
            .ensure_band(music, &mut |controls, music| Some(load_band(controls, music, failed, shared)))
        {
            self.show_band();
        }
    }

    /// The network failed: the rules take over.
    fn fall_back(&mut self, place: &StepPosition) {
        self.failed = true;
        self.shared.notice("The network failed: the rule band plays on. Please report this.");
        let music = Music { bpm: self.bpm(place.step), bar_steps: i64::from(place.bar_steps) };
        self.session.take_over(loaded_band::rules(&self.session.followed(), music));
        self.show_band();
    }

    /// Shows which band plays.
    fn show_band(&mut self) {
        let Some(band) = self.session.loaded() else { return };
        self.shared.cells.programs.store(u32::from_le_bytes(band.programs), Relaxed);
        self.editor_feed.name(band);
    }

    /// The last point at or before a pulse, or the first one there is.
    fn point(&self, pulse: Pulse) -> Option<&TempoPoint> {
        self.points.iter().rev().find(|p| p.position <= pulse).or(self.points.first())
    }

    fn bpm(&self, step: i64) -> f64 {
        self.point(step_pulse(step)).map_or(120.0, |p| p.bpm).clamp(TEMPO_RANGE.0, TEMPO_RANGE.1)
    }

    fn place(&self, step: i64) -> StepPosition {
        place_in(step, |pulse| {
            // A bar that begins a little later than announced belongs to the step that it is nearest to.
            let Some(p) = self.points.iter().rev().find(|p| p.bar_start - p.at + p.position <= pulse) else {
                return self.points.first().map_or(BarPosition::START, |p| bar_position(p, pulse));
            };
            bar_position(p, pulse)
        })
    }
}

fn bar_position(p: &TempoPoint, pulse: Pulse) -> BarPosition {
    let start = p.bar_start - p.at + p.position;
    let length = p.meter.bar_pulses();
    let bars = (pulse - start).div_euclid(length);
    let bar_start = start + bars * length;
    BarPosition { bar: p.bar + bars, bar_start, offset: pulse - bar_start, meter: p.meter }
}

/// The band for the controls and the music; the rule band where that cannot be had, or has failed.
fn load_band(controls: &Controls, music: Music, failed: bool, shared: &Shared) -> LoadedBand {
    if !failed {
        match loaded_band::load(controls, music) {
            Ok(band) => return band,
            Err(e) => shared.notice(format!("The rules play instead: {e}.")),
        }
    }
    loaded_band::rules(controls, music)
}
