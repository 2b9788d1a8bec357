//! The parameters: names, ranges, units and ids, and what else is kept in a project.
//!
//! An id, once released, keeps its meaning for good. A parameter that hosts automate cannot be set from the
//! audio thread; what a taught key or pedal does is laid over the parameters by the engine instead
//! ([`Shared::overridden`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use nice_plug::prelude::*;
use sideman_engine::live::Shared;

use crate::choices::{
    ClockParam, MeterParam, MorphParam, PianoSoundParam, SendParam, StyleParam, VariationParam, WeightsParam,
};
use crate::persist::{Kept, KeptPatterns, Later, Learned, Look};
use crate::soundfont::Soundfont;

/// Everything that a project keeps of an instance.
#[derive(Params)]
pub struct SidemanParams {
    /// The host's own bypass: the piano passes, the band rests.
    #[id = "bypass"]
    pub bypass: BoolParam,

    /// What the band plays.
    #[nested(group = "Band")]
    pub band: BandParams,
    /// The drums.
    #[nested(id_prefix = "drums", group = "Drums")]
    pub drums: PartParams,
    /// The bass.
    #[nested(id_prefix = "bass", group = "Bass")]
    pub bass: PartParams,
    /// The guitar.
    #[nested(id_prefix = "guitar", group = "Guitar")]
    pub guitar: PartParams,
    /// The strings.
    #[nested(id_prefix = "strings", group = "Strings")]
    pub strings: PartParams,
    /// When the band plays.
    #[nested(group = "Time")]
    pub time: TimeParams,
    /// Where its notes go.
    #[nested(group = "MIDI")]
    pub midi: MidiParams,
    /// What is heard of it.
    #[nested(group = "Sound")]
    pub sound: SoundParams,

    /// The soundfont that the user picked, if any.
    #[persist = "soundfont"]
    pub soundfont: Soundfont,
    /// Which keys and controllers do what.
    #[persist = "learned"]
    pub learned: Learned,
    /// What the parts keep to.
    #[persist = "patterns"]
    pub patterns: KeptPatterns,
    /// Size and scale of the editor.
    #[persist = "look"]
    pub look: Kept<Look>,
    /// Name of the preset that was loaded last; empty when there was none.
    #[persist = "preset"]
    pub preset: Kept<String>,
    /// What a later version saved and this one does not know.
    #[persist = "later"]
    pub later: Kept<Later>,

    /// Triggers of the parameters that are pressed rather than set.
    pub presses: Triggers,
}

/// Counts of presses since the instance was made. A press counts when the value goes up, so that none is lost
/// however short it is; the audio thread compares. They run over to 0.
#[derive(Debug, Clone, Default)]
pub struct Triggers {
    /// Of the next variation.
    pub next: Press,
    /// Of fills.
    pub fill: Press,
    /// Of the panic button.
    pub panic: Press,
    /// Of the tempo.
    pub tap: Press,
    /// Of stopping and starting.
    pub start_stop: Press,
    /// Of each part's new figure, in the order of [`sideman_music::Part::ALL`].
    pub redraw: [Press; 4],
}

impl Triggers {
    /// While a project is loaded, a button that is down in it is not pressed. The main thread.
    pub(crate) fn set_loading(&self, loading: bool) {
        let single = [&self.next, &self.fill, &self.panic, &self.tap, &self.start_stop];
        for press in single.into_iter().chain(&self.redraw) {
            press.loading.store(loading, Relaxed);
        }
    }
}

/// A count of presses.
#[derive(Debug, Clone, Default)]
pub struct Press {
    count: Arc<AtomicU32>,
    loading: Arc<AtomicBool>,
}

impl Press {
    /// The count. Any thread; never waits.
    pub fn count(&self) -> u32 {
        self.count.load(Relaxed)
    }

    /// A parameter that counts here.
    fn param(&self, name: impl Into<String>) -> BoolParam {
        let Self { count, loading } = self.clone();
        switch(name, false).with_callback(Arc::new(move |down| {
            count.fetch_add(u32::from(down && !loading.load(Relaxed)), Relaxed);
        }))
    }
}

/// What the band plays.
#[derive(Params)]
pub struct BandParams {
    /// Style, or to choose one.
    #[id = "style"]
    pub style: EnumParam<StyleParam>,
    /// Another band of the same style.
    #[id = "variation"]
    pub variation: EnumParam<VariationParam>,
    /// The next variation, at each press.
    #[id = "next"]
    pub next: BoolParam,
    /// A fill, at each press.
    #[id = "fill"]
    pub fill: BoolParam,
    /// All parts keep repeating what they played last.
    #[id = "freeze"]
    pub freeze: BoolParam,
    /// How much is played and how loudly, 0 to 1.
    #[id = "intensity"]
    pub intensity: FloatParam,
    /// How much is played off the beat, 0 to 1.
    #[id = "complexity"]
    pub complexity: FloatParam,
    /// How far the off-beats are delayed, 0 to 1.
    #[id = "swing"]
    pub swing: FloatParam,
    /// How human the timing is, 0 to 1.
    #[id = "humanize"]
    pub humanize: FloatParam,
    /// Sampling temperature factor, 0.1 to 2.
    #[id = "temperature"]
    pub temperature: FloatParam,
    /// Bars to listen before the band enters.
    #[id = "listen"]
    pub listen: IntParam,
    /// Everything drawn by chance follows from it.
    #[id = "seed"]
    pub seed: IntParam,
    /// Ends every note and begins anew, at each press.
    #[id = "panic"]
    pub panic: BoolParam,
    /// What the band plays from.
    #[id = "weights"]
    pub weights: EnumParam<WeightsParam>,
    /// Another style to go towards.
    #[id = "morph_to"]
    pub morph_to: EnumParam<MorphParam>,
    /// How far the band has gone to the other style, 0 to 1.
    #[id = "morph"]
    pub morph: FloatParam,
    /// How much parts rest, enter and leave by the phrase, 0 to 1.
    #[id = "sections"]
    pub sections: FloatParam,
    /// How far the loudness of the band follows the pianist's, 0 to 1.
    #[id = "dynamics"]
    pub dynamics: FloatParam,
    /// Whether the style follows the genre where it is chosen for the music.
    #[id = "follow"]
    pub follow: BoolParam,
}

/// One part of the band.
#[derive(Params)]
pub struct PartParams {
    /// Whether it takes part at all.
    #[id = "on"]
    pub on: BoolParam,
    /// Plays on, unheard.
    #[id = "mute"]
    pub mute: BoolParam,
    /// Only the parts that have this are heard.
    #[id = "solo"]
    pub solo: BoolParam,
    /// Keeps repeating what it played last.
    #[id = "lock"]
    pub lock: BoolParam,
    /// Octaves up or down.
    #[id = "octave"]
    pub octave: IntParam,
    /// Factor on velocities, 0 to 1.5.
    #[id = "level"]
    pub level: FloatParam,
    /// How much it plays, 0 to 1.
    #[id = "density"]
    pub density: FloatParam,
    /// Something else to play, at each press.
    #[id = "redraw"]
    pub redraw: BoolParam,
}

/// When the band plays.
#[derive(Params)]
pub struct TimeParams {
    /// Which clock to follow.
    #[id = "clock"]
    pub clock: EnumParam<ClockParam>,
    /// Tempo of the own clock.
    #[id = "tempo"]
    pub tempo: FloatParam,
    /// Metre of the own clock.
    #[id = "meter"]
    pub meter: EnumParam<MeterParam>,
    /// Whether four notes count the own clock in.
    #[id = "count"]
    pub count_in: BoolParam,
    /// Taps the tempo of the own clock, at each press.
    #[id = "tap"]
    pub tap: BoolParam,
    /// Stops the own clock or starts it, at each press.
    #[id = "start"]
    pub start_stop: BoolParam,
    /// From hearing to sounding.
    #[id = "reaction"]
    pub reaction: FloatParam,
    /// Whether the host is told a latency.
    #[id = "compensate"]
    pub compensate: BoolParam,
}

/// Where the notes go.
#[derive(Params)]
pub struct MidiParams {
    /// Parts that are sent.
    #[id = "send"]
    pub send: EnumParam<SendParam>,
    /// 0 for each part's own channel, else the channel from 1.
    #[id = "channel"]
    pub channel: IntParam,
    /// Whether the piano is passed on.
    #[id = "thru"]
    pub thru: BoolParam,
}

/// What is heard.
#[derive(Params)]
pub struct SoundParams {
    /// Whether the band is sounded here.
    #[id = "sound"]
    pub on: BoolParam,
    /// Volume in decibels; the least is silence.
    #[id = "volume"]
    pub volume: FloatParam,
    /// Whether the piano is sounded, too.
    #[id = "piano"]
    pub piano: EnumParam<PianoSoundParam>,
}

/// Volume at and below which there is silence, in decibels.
pub const SILENT_DB: f32 = -60.0;
/// Greatest seed.
pub const SEEDS: i32 = 9999;

impl SidemanParams {
    /// Defaults. What is taught is kept in `shared`.
    pub fn new(shared: Arc<Shared>) -> Self {
        let presses = Triggers::default();
        Self {
            bypass: BoolParam::new("Bypass", false)
                .with_value_to_string(formatters::v2s_bool_bypass())
                .with_string_to_value(formatters::s2v_bool_bypass())
                .make_bypass(),
            band: BandParams::new(&presses),
            drums: PartParams::new("Drums", &presses.redraw[0]),
            bass: PartParams::new("Bass", &presses.redraw[1]),
            guitar: PartParams::new("Guitar", &presses.redraw[2]),
            strings: PartParams::new("Strings", &presses.redraw[3]),
            time: TimeParams::new(&presses),
            midi: MidiParams::default(),
            sound: SoundParams::default(),
            soundfont: Soundfont::default(),
            learned: Learned(shared.clone()),
            patterns: KeptPatterns(shared),
            look: Kept::default(),
            preset: Kept::default(),
            later: Kept::default(),
            presses,
        }
    }

    /// The ids of the parameters that are pressed rather than set.
    pub const PRESSED: [&'static str; 9] = [
        "next",
        "fill",
        "panic",
        "tap",
        "start",
        "drums_redraw",
        "bass_redraw",
        "guitar_redraw",
        "strings_redraw",
    ];

    /// The parts, in the order of [`sideman_music::Part::ALL`].
    pub fn parts(&self) -> [&PartParams; 4] {
        [&self.drums, &self.bass, &self.guitar, &self.strings]
    }
}

impl BandParams {
    fn new(presses: &Triggers) -> Self {
        Self {
            style: EnumParam::new("Style", StyleParam::Auto),
            variation: EnumParam::new("Variation", VariationParam::A),
            next: presses.next.param("Next variation"),
            fill: presses.fill.param("Fill"),
            freeze: switch("Freeze", false),
            intensity: percent("Intensity", 0.5, 1.0),
            complexity: percent("Complexity", 0.5, 1.0),
            swing: percent("Swing", 0.0, 1.0),
            humanize: percent("Humanize", 1.0, 1.0),
            temperature: FloatParam::new("Temperature", 1.0, FloatRange::Linear { min: 0.1, max: 2.0 })
                .with_step_size(0.01)
                .with_value_to_string(formatters::v2s_f32_rounded(2)),
            listen: IntParam::new("Listen", 0, IntRange::Linear { min: 0, max: 16 }).with_unit(" bars"),
            seed: IntParam::new("Seed", 0, IntRange::Linear { min: 0, max: SEEDS }),
            panic: presses.panic.param("Panic"),
            // Who plays is for a whole piece: a host's automation would load weights in the middle of one.
            weights: EnumParam::new("Weights", WeightsParam::Full).non_automatable(),
            morph_to: EnumParam::new("Morph to", MorphParam::None),
            morph: percent("Morph", 0.0, 1.0),
            sections: percent("Sections", 1.0, 1.0),
            dynamics: percent("Dynamics", 0.5, 1.0),
            follow: switch("Follow genre", true),
        }
    }
}

impl PartParams {
    fn new(part: &str, redraw: &Press) -> Self {
        let name = |what: &str| format!("{part} {what}");
        Self {
            on: switch(name("on"), true),
            mute: switch(name("mute"), false),
            solo: switch(name("solo"), false),
            lock: switch(name("lock"), false),
            octave: IntParam::new(name("octave"), 0, IntRange::Linear { min: -2, max: 2 })
                .with_value_to_string(Arc::new(|v| format!("{v:+}"))),
            level: percent(name("level"), 1.0, 1.5),
            density: percent(name("density"), 0.5, 1.0),
            redraw: redraw.param(name("new figure")),
        }
    }
}

impl TimeParams {
    fn new(presses: &Triggers) -> Self {
        Self {
            clock: EnumParam::new("Clock", ClockParam::Auto),
            tempo: FloatParam::new("Tempo", 120.0, FloatRange::Linear { min: 20.0, max: 300.0 })
                .with_unit(" BPM")
                .with_value_to_string(formatters::v2s_f32_rounded(2)),
            meter: EnumParam::new("Metre", MeterParam::FourFour),
            count_in: switch("Count-in", false),
            tap: presses.tap.param("Tap tempo"),
            start_stop: presses.start_stop.param("Start or stop"),
            reaction: FloatParam::new("Reaction time", 10.0, FloatRange::Linear { min: 0.0, max: 100.0 })
                .with_unit(" ms")
                .with_step_size(0.1)
                .with_value_to_string(formatters::v2s_f32_rounded(1)),
            compensate: switch("Report latency", false),
        }
    }
}

impl Default for MidiParams {
    fn default() -> Self {
        Self {
            send: EnumParam::new("Send", SendParam::All),
            channel: IntParam::new("Channel", 0, IntRange::Linear { min: 0, max: 16 })
                .with_value_to_string(Arc::new(|v| if v == 0 { "Own".to_owned() } else { v.to_string() }))
                .with_string_to_value(Arc::new(|s| {
                    if s.trim().eq_ignore_ascii_case("own") { Some(0) } else { s.trim().parse().ok() }
                })),
            thru: switch("Piano through", true),
        }
    }
}

impl Default for SoundParams {
    fn default() -> Self {
        Self {
            on: switch("Sound", true),
            volume: FloatParam::new("Volume", 0.0, FloatRange::Linear { min: SILENT_DB, max: 12.0 })
                .with_unit(" dB")
                .with_step_size(0.1)
                .with_value_to_string(Arc::new(|v| {
                    // Rounding may leave a minus sign before a zero.
                    if v <= SILENT_DB {
                        "-inf".to_owned()
                    } else {
                        format!("{:.1}", (v * 10.0).round() / 10.0 + 0.0)
                    }
                }))
                .with_string_to_value(Arc::new(|s| {
                    let s = s.trim().trim_end_matches(['d', 'D', 'B', 'b']).trim();
                    if s == "-inf" { Some(SILENT_DB) } else { s.parse().ok() }
                })),
            piano: EnumParam::new("Piano sound", PianoSoundParam::Auto),
        }
    }
}

/// Off or on.
fn switch(name: impl Into<String>, default: bool) -> BoolParam {
    BoolParam::new(name, default)
        .with_value_to_string(Arc::new(|v| if v { "On" } else { "Off" }.to_owned()))
        .with_string_to_value(Arc::new(|s| match s.trim().to_ascii_lowercase().as_str() {
            "on" | "1" => Some(true),
            "off" | "0" => Some(false),
            _ => None,
        }))
}

/// From nothing to `max`, shown as a percentage.
fn percent(name: impl Into<String>, default: f32, max: f32) -> FloatParam {
    FloatParam::new(name, default, FloatRange::Linear { min: 0.0, max })
        .with_unit(" %")
        .with_value_to_string(formatters::v2s_f32_percentage(0))
        .with_string_to_value(formatters::s2v_f32_percentage())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn params() -> SidemanParams {
        SidemanParams::new(Arc::new(Shared::default()))
    }

    /// Ids are kept in projects and in hosts' automation: this list only grows.
    #[test]
    fn ids_are_what_they_were() {
        let part = ["on", "mute", "solo", "lock", "octave", "level", "density", "redraw"];
        let mut wanted: Vec<String> = [
            "bypass",
            "style",
            "variation",
            "next",
            "fill",
            "freeze",
            "intensity",
            "complexity",
            "swing",
            "humanize",
            "temperature",
            "listen",
            "seed",
            "panic",
            "weights",
            "morph_to",
            "morph",
            "sections",
            "dynamics",
            "follow",
        ]
        .map(str::to_owned)
        .to_vec();
        for name in ["drums", "bass", "guitar", "strings"] {
            wanted.extend(part.iter().map(|p| format!("{name}_{p}")));
        }
        let rest = [
            "clock",
            "tempo",
            "meter",
            "count",
            "tap",
            "start",
            "reaction",
            "compensate",
            "send",
            "channel",
            "thru",
            "sound",
            "volume",
            "piano",
        ];
        wanted.extend(rest.map(str::to_owned));
        let ids: Vec<String> = params().param_map().into_iter().map(|(id, ..)| id).collect();
        assert_eq!(ids, wanted);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        let fields: Vec<String> = params().serialize_fields().into_keys().collect();
        assert_eq!(fields, ["later", "learned", "look", "patterns", "preset", "soundfont"]);
    }

    #[test]
    fn names_are_unique_and_values_can_be_read_as_they_are_shown() {
        let params = params();
        let mut names = BTreeSet::new();
        for (id, ptr, _) in params.param_map() {
            // SAFETY: the parameters are alive.
            unsafe {
                assert!(
                    names.insert(ptr.name().to_owned()),
                    "{id}: another parameter is named {}",
                    ptr.name()
                );
                for normal in [0.0, 0.25, 0.5, 1.0, ptr.default_normalized_value()] {
                    let shown = ptr.normalized_value_to_string(normal, true);
                    let back = ptr.string_to_normalized_value(&shown);
                    let again = back.map(|b| ptr.normalized_value_to_string(b, true));
                    assert_eq!(again.as_deref(), Some(shown.as_str()), "{id} at {normal}");
                }
            }
        }
    }

    #[test]
    fn presses_count_when_they_go_down() {
        let params = params();
        let set = |on: f32| {
            // SAFETY: the parameter is alive.
            unsafe { params.band.fill.as_ptr()._internal_set_normalized_value(on) }
        };
        for (value, count) in [(1.0, 1), (1.0, 1), (0.0, 1), (1.0, 2), (0.0, 2)] {
            set(value);
            assert_eq!(params.presses.fill.count(), count);
        }
        assert_eq!(params.presses.tap.count(), 0);
        params.presses.set_loading(true);
        set(1.0);
        assert_eq!((params.presses.fill.count(), params.band.fill.value()), (2, true), "loaded, not pressed");
        params.presses.set_loading(false);
        for id in SidemanParams::PRESSED {
            assert!(params.param_map().iter().any(|(known, ..)| known == id), "{id}");
        }
    }

    #[test]
    fn the_least_volume_is_silence() {
        let volume = &params().sound.volume;
        assert_eq!(volume.normalized_value_to_string(0.0, true), "-inf dB");
        assert_eq!(volume.string_to_normalized_value("-inf dB"), Some(0.0));
        assert_eq!(volume.normalized_value_to_string(volume.preview_normalized(-0.01), false), "0.0");
    }
}
