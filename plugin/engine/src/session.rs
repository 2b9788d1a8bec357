//! One performance of the band, step by step: the same code for the offline renderer and the live band.

use sideman_inference::band::{Band, StepPosition};
use sideman_music::listen::KeyEvent;
use sideman_music::{PARTS, Part, Pulse};

use crate::controls::{Controls, WeightsChoice};
use crate::genre::Follower;
use crate::listen::{Heard, Hearing};
use crate::loaded_band::{LoadedBand, Music};
use crate::messages::Order;
use crate::play::Player;
use crate::play::pattern::Patterns;
use crate::position::step_pulse;
use crate::settings::Settings;
use crate::style::{Style, StyleChoice};

/// Slowest and fastest tempo that a band is given, quarter notes a minute, whatever a file or a host claims.
pub(crate) const TEMPO_RANGE: (f64, f64) = (10.0, 500.0);

/// Loads the band for the controls and the music of a bar; `None` to keep the one that plays.
pub type LoadBand<'a> = &'a mut dyn FnMut(&Controls, Music) -> Option<LoadedBand>;

/// The band of a session.
#[expect(clippy::large_enum_variant, reason = "a session holds one, and it is not moved while it plays")]
pub(crate) enum SessionBand<'b> {
    /// One band from beginning to end.
    Fixed(&'b mut dyn Band),
    /// A band that another one may take over from.
    Loaded(LoadedBand),
}

/// Everything that a step depends on: the piano, the controls, the band, the genre. It knows no clock and no
/// thread, so what it orders follows from its inputs alone.
pub(crate) struct Session<'b> {
    hearing: Hearing,
    controls: Controls,
    player: Player,
    band: SessionBand<'b>,
    /// What the band was chosen by.
    key: BandKey,
    /// Which parts played and how the music was when it was chosen.
    context: Option<([bool; PARTS], Music)>,
    /// Follows the genre with the style; `None` where the style never changes.
    follower: Option<Box<Follower>>,
    heard: Heard,
}

/// The controls that choose a band.
type BandKey = (WeightsChoice, StyleChoice, Option<Style>, u8, u64);

fn key(controls: &Controls) -> BandKey {
    (controls.weights, controls.style, controls.to, controls.variation, controls.seed)
}

/// What a step changed apart from its orders.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StepChanges {
    /// A bar ended, so the probabilities of the genres may have moved.
    pub(crate) genre: bool,
    /// Another band took over.
    pub(crate) band: bool,
}

impl<'b> Session<'b> {
    /// A session with settings that have been checked. The band plays after [`Session::restart`].
    pub(crate) fn new(
        settings: Settings,
        hearing: Hearing,
        band: SessionBand<'b>,
        follower: Option<Box<Follower>>,
    ) -> Self {
        let controls = settings.controls;
        let heard = Heard::default();
        let player = Player::new(settings);
        Self { hearing, controls, player, band, key: key(&controls), context: None, follower, heard }
    }

    /// Resets player and band, as after a stop or a jump.
    pub(crate) fn restart(&mut self) {
        self.player.reset(band(&mut self.band));
    }

    /// Forgets the piano and the genre, with these keys held down since before.
    pub(crate) fn forget_piano(&mut self, held: u128) {
        self.hearing.restart(held);
        if let Some(follower) = &mut self.follower {
            follower.reset();
        }
    }

    /// A key moved; in order of time.
    pub(crate) fn push_key(&mut self, event: KeyEvent) {
        self.hearing.push(event);
    }

    /// These keys are down and no others, whatever was received before.
    pub(crate) fn hold_only(&mut self, held: u128) {
        self.hearing.hold_only(held);
        if let Some(follower) = &mut self.follower {
            follower.hold_only(held);
        }
    }

    /// Other controls from the next step on.
    pub(crate) fn control(&mut self, controls: &Controls) {
        self.controls = *controls;
        self.player.control(controls);
    }

    /// Has parts keep to other patterns from the next step on.
    pub(crate) fn change_patterns(&mut self, patterns: Patterns) {
        self.player.change_patterns(patterns);
    }

    pub(crate) fn hearing(&self) -> &Hearing {
        &self.hearing
    }

    pub(crate) fn player(&self) -> &Player {
        &self.player
    }

    pub(crate) fn follower(&self) -> Option<&Follower> {
        self.follower.as_deref()
    }

    /// The band that plays.
    pub(crate) fn band(&self) -> &dyn Band {
        match &self.band {
            SessionBand::Fixed(band) => *band,
            SessionBand::Loaded(loaded) => &*loaded.band,
        }
    }

    /// The loaded band that plays, unless it is a fixed one.
    pub(crate) fn loaded(&self) -> Option<&LoadedBand> {
        match &self.band {
            SessionBand::Fixed(_) => None,
            SessionBand::Loaded(loaded) => Some(loaded),
        }
    }

    /// What was heard at the last step, also where the step panicked after it.
    pub(crate) fn heard(&self) -> Heard {
        self.heard
    }

    /// The decision point of a step: nothing later is heard, nothing that is ordered begins earlier.
    pub(crate) fn decision_point(&self, step: i64) -> Pulse {
        step_pulse(step) + self.hearing.lean()
    }

    /// The controls with the style that follows the genre.
    pub(crate) fn followed(&self) -> Controls {
        self.follower.as_ref().map_or(self.controls, |f| f.followed(&self.controls))
    }

    /// Plays one step: hears the piano up to its decision point, follows the genre, has another band take over at
    /// a bar line, decides, and gives the orders. To be called with each step once, in ascending order; steps may
    /// be left out while the player sleeps. `audio_genre` is the genre of incoming sound, where there is any.
    pub(crate) fn step(
        &mut self,
        place: &StepPosition,
        bpm: f64,
        audio_genre: Option<&str>,
        load: LoadBand<'_>,
        order: &mut impl FnMut(Order),
    ) -> StepChanges {
        let mut changes = StepChanges::default();
        let follower = &mut self.follower;
        self.heard = self.hearing.each(place, |event| {
            if let Some(follower) = follower {
                follower.key(event);
            }
        });
        if let Some(follower) = follower {
            let now = step_pulse(place.step) + self.heard.lean;
            changes.genre = follower.step(place, now, bpm, &self.controls, audio_genre);
        }
        if place.in_bar == 0 {
            changes.band = self.change_band(Music { bpm, bar_steps: i64::from(place.bar_steps) }, load);
        }
        self.player.step(band(&mut self.band), place, self.heard, bpm as f32, order);
        if let Some(follower) = self.follower.as_mut().filter(|_| self.player.is_asleep()) {
            follower.sleep();
        }
        changes
    }

    /// Loads the band for the controls and the music, before [`Session::restart`], unless it is the one there is.
    /// Returns whether it was loaded.
    pub(crate) fn ensure_band(&mut self, music: Music, load: LoadBand<'_>) -> bool {
        let controls = self.followed();
        if self.context == Some(context(&controls, music)) && self.key == key(&controls) {
            return false;
        }
        self.choose(&controls, music);
        let Some(loaded) = load(&controls, music) else { return false };
        self.player.change_velocities(&loaded.velocities);
        self.player.change_activity(loaded.activity);
        self.band = SessionBand::Loaded(loaded);
        true
    }

    /// Another band takes over if weights, styles, variation or seed were changed, or if the style follows the
    /// genre to another one. Returns whether it does.
    fn change_band(&mut self, music: Music, load: LoadBand<'_>) -> bool {
        let SessionBand::Loaded(playing) = &self.band else { return false };
        let controls = self.followed();
        let (before, wanted) = (self.key, key(&controls));
        if wanted == before {
            return false;
        }
        let by_genre = self.controls.style == StyleChoice::Auto
            && (before.0, wanted.1, before.2, before.3, before.4) == wanted;
        let same = |style: &str| by_genre && style == playing.style;
        let stays = by_genre && playing.plays(controls.style);
        let other = if stays { None } else { load(&controls, music).filter(|other| !same(&other.style)) };
        self.choose(&controls, music);
        other.map(|other| self.take_over(other)).is_some()
    }

    fn choose(&mut self, controls: &Controls, music: Music) {
        self.key = key(controls);
        self.context = Some(context(controls, music));
    }

    /// Another band goes on from the next step.
    pub(crate) fn take_over(&mut self, mut other: LoadedBand) {
        self.player.take_over(&mut other);
        self.band = SessionBand::Loaded(other);
    }
}

fn context(controls: &Controls, music: Music) -> ([bool; PARTS], Music) {
    (Part::ALL.map(|p| controls.part(p).on), music)
}

fn band<'a>(band: &'a mut SessionBand<'_>) -> &'a mut dyn Band {
    match band {
        SessionBand::Fixed(band) => *band,
        SessionBand::Loaded(loaded) => &mut *loaded.band,
    }
}
