//! The table of controls: a row for each, and every form of it follows from the row.
//!
//! To add a control, add a field to [`super::Controls`] where the band or the output reads it, and a row here. Host
//! parameter, state, MIDI learn, option of the command, range check and, with a panel, the editor follow.

use sideman_music::Part;

use super::row::{Acts, Choices, Field, Group, Kind, Panel, Row, Text, clock, meter, sending};
use crate::style::Style;

/// Greatest seed of a host.
pub(super) const SEEDS: i32 = 9999;
/// Volume at and below which there is silence, in decibels.
pub const SILENT_DB: f32 = -60.0;

/// The lists of choices.
pub const CHOICES: [Choices; 8] = [
    Choices { ids: &STYLE_IDS[0], names: &STYLE_NAMES[0] },
    Choices { ids: &STYLE_IDS[1], names: &STYLE_NAMES[1] },
    Choices { ids: &["a", "b", "c", "d"], names: &["A", "B", "C", "D"] },
    Choices { ids: &["full", "open", "rules"], names: &["Full", "Open", "Rules"] },
    Choices { ids: &["auto", "host", "own"], names: &["Auto", "Host", "Own"] },
    Choices { ids: METERS, names: METERS },
    Choices {
        ids: &["all", "drums", "bass", "guitar", "strings", "nothing"],
        names: &["All", "Drums", "Bass", "Guitar", "Strings", "Nothing"],
    },
    Choices { ids: &["auto", "on", "off"], names: &["Auto", "On", "Off"] },
];
/// The metres of the internal clock.
pub(super) const METERS: &[&str] =
    &["2/4", "3/4", "4/4", "5/4", "6/4", "7/4", "2/2", "3/8", "5/8", "6/8", "7/8", "9/8", "12/8"];
const STYLE_IDS: [[&str; STYLES]; 2] = [styles("auto", true), styles("none", true)];
const STYLE_NAMES: [[&str; STYLES]; 2] = [styles("Auto", false), styles("None", false)];
const STYLES: usize = Style::ALL.len() + 1;

/// The styles in the order of [`Style::ALL`], after another choice.
const fn styles(first: &'static str, ids: bool) -> [&'static str; STYLES] {
    let mut all = [first; STYLES];
    let mut i = 1;
    while i < STYLES {
        let data = Style::ALL[i - 1].data();
        all[i] = if ids { data.name } else { data.title };
        i += 1;
    }
    all
}

/// A row of the band.
const fn band(id: &'static str, name: &'static str, kind: Kind) -> Row {
    Row::new(id, name, kind, Group::Band)
}

/// A row of each part.
const fn part(id: &'static str, name: &'static str, kind: Kind) -> Row {
    Row::new(id, name, kind, Group::Part)
}

/// A row of clock and latency.
const fn time(id: &'static str, name: &'static str, kind: Kind) -> Row {
    Row::new(id, name, kind, Group::Time)
}

/// A number from 0 to `max`, written in percent.
const fn percent(max: f32, default: f32) -> Kind {
    Kind::Number { min: 0.0, max, default, step: 0.0 }
}

const fn integer(min: i32, max: i32) -> Kind {
    Kind::Integer { min, max, default: 0 }
}

const fn choice(list: usize, default: usize) -> Kind {
    Kind::Choice { list, default }
}

/// A field of [`super::Controls`] or of its parts.
macro_rules! field {
    ($field:ident) => {
        Acts::Band { get: |c, _| c.$field.number(), set: |c, _, v| c.$field = Field::of(v) }
    };
    (parts.$field:ident) => {
        Acts::Band { get: |c, p| c.parts[p].$field.number(), set: |c, p, v| c.parts[p].$field = Field::of(v) }
    };
}

/// Makes the controls of their rows.
macro_rules! controls {
    (band { $($(#[$of_band:meta])* $b:ident => $band:expr,)* } part { $($(#[$of_part:meta])* $p:ident => $part:expr,)* }) => {
        /// A control, by what it does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Control {
            $($(#[$of_band])* $b,)*
            $($(#[$of_part])* $p(Part),)*
        }

        enum Number {
            $($b,)*
            $($p,)*
        }

        /// Controls of the band, of clock and routing, and of the plugin, in the order of their rows.
        pub(super) const GLOBAL: &[Control] = &[$(Control::$b,)*];
        /// Controls of each part, in the order of their rows.
        pub(super) const OF_PART: &[fn(Part) -> Control] = &[$(Control::$p,)*];
        /// The rows: first those of [`GLOBAL`].
        pub(super) static ROWS: &[Row] = &[$($band,)* $($part,)*];

        impl Control {
            /// Number of its row.
            pub(super) fn number(self) -> usize {
                match self {
                    $(Self::$b => Number::$b as usize,)*
                    $(Self::$p(_) => Number::$p as usize,)*
                }
            }

            /// The part that it is of.
            pub fn part(self) -> Option<Part> {
                match self {
                    $(Self::$p(part) => Some(part),)*
                    _ => None,
                }
            }
        }
    };
}

controls! {
    band {
        /// While down, the band keeps going on what it plays, whatever the piano does.
        Hold => Row::new("hold", "Hold", Kind::Trigger, Group::Learned).learn("hold"),
        /// The piano passes, the band rests.
        Bypass => Row::new("bypass", "Bypass", Kind::Switch(false), Group::Top),
        /// Style, or to choose one.
        Style => band("style", "Style", choice(0, 0)).acts(field!(style)).preset(),
        /// Another band of the same style.
        Variation => band("variation", "Variation", choice(2, 0)).acts(field!(variation)).preset(),
        /// The next variation, A to D and around.
        Next => band("next", "Next variation", Kind::Trigger).learn("next variation"),
        /// The drums play a fill.
        Fill => band("fill", "Fill", Kind::Trigger).acts(Acts::Count(|c, _| &mut c.fills)).learn("fill"),
        /// All parts keep repeating what they played last.
        Freeze => band("freeze", "Freeze", Kind::Switch(false)).acts(field!(freeze)).learn("freeze"),
        /// How much is played and how loudly.
        Intensity => band("intensity", "Intensity", percent(1.0, 0.5)).text(" %", Text::Percent)
            .acts(field!(intensity)).learn("intensity").preset()
            .option(70, "How much and how loudly it plays, 0 to 1")
            .panel(Panel::Band, 0, "Intensity", "How much is played and how loudly; 50 % is as the band would")
            .sweep(0, UNIT),
        /// How much is played off the beat.
        Complexity => band("complexity", "Complexity", percent(1.0, 0.5)).text(" %", Text::Percent)
            .acts(field!(complexity)).learn("complexity").preset()
            .option(80, "How much it plays off the beat, 0 to 1")
            .panel(Panel::Band, 1, "Complexity", "How much is played off the beat; 50 % is as the band would")
            .sweep(1, UNIT),
        /// How far the off-beats are delayed.
        Swing => band("swing", "Swing", percent(1.0, 0.0)).text(" %", Text::Percent)
            .acts(field!(swing)).learn("swing").preset()
            .option(150, "How far off-beats are delayed: 0 as played, 1 full triplets")
            .panel(Panel::Band, 2, "Swing", "How far the off-beats are delayed; 100 % puts them on the last triplet")
            .sweep(3, UNIT),
        /// How human the timing is.
        Humanize => band("humanize", "Humanize", percent(1.0, 1.0)).text(" %", Text::Percent)
            .acts(field!(humanize)).learn("humanize").preset()
            .option(160, "How human the timing is: 0 exactly on the grid, 1 as played")
            .panel(Panel::Band, 3, "Humanize", "How human the timing is; 0 % is exactly on the grid")
            .sweep(4, UNIT),
        /// A factor on the sampling temperature.
        Temperature => band("temperature", "Temperature", Kind::Number { min: 0.1, max: 2.0, default: 1.0, step: 0.01 })
            .text("", Text::Decimals(2)).acts(field!(temperature)).learn("temperature").preset()
            .option(60, "How daring the band is, 0.1 to 2")
            .panel(Panel::Band, 4, "Temp.", "How freely the band draws what it plays; 1 is as tuned")
            .sweep(5, [0.25, 0.5, 1.0, 1.5, 2.0]),
        /// Bars to listen before the band enters.
        Listen => band("listen", "Listen", integer(0, 16)).text(" bars", Text::Plain).acts(field!(listen_bars)).preset(),
        /// Everything drawn by chance follows from it.
        Seed => band("seed", "Seed", integer(0, SEEDS)).acts(field!(seed)),
        /// Ends every note at once and begins anew.
        Panic => band("panic", "Panic", Kind::Trigger).learn("panic"),
        /// What the band plays from. For a whole piece: automation would load weights in the middle of one.
        Weights => band("weights", "Weights", choice(3, 0)).acts(field!(weights)).fixed(),
        /// Another style to go towards.
        MorphTo => band("morph_to", "Morph to", choice(1, 0)).acts(field!(to)).preset(),
        /// How far the band has gone to the other style.
        Morph => band("morph", "Morph", percent(1.0, 0.0)).text(" %", Text::Percent)
            .acts(field!(morph)).learn("morph").preset()
            .option(30, "How far from --style to --morph-to the band has gone, 0 to 1"),
        /// How much parts rest, enter and leave by the phrase.
        Sections => band("sections", "Sections", percent(1.0, 1.0)).text(" %", Text::Percent)
            .acts(field!(sections)).learn("sections").preset()
            .option(120, "How much parts rest, enter and leave by the phrase: 0 everybody always plays")
            .panel(Panel::Band, 5, "Sections", "How much parts rest, enter and leave by the phrase; at 0 % all play on"),
        /// How far the loudness of the band follows the pianist's.
        Dynamics => band("dynamics", "Dynamics", percent(1.0, 0.5)).text(" %", Text::Percent)
            .acts(field!(dynamics)).learn("dynamics").preset()
            .option(130, "How far the band's loudness follows the pianist's, 0 to 1")
            .panel(Panel::Band, 6, "Dynamics", "How far the band's loudness follows yours"),
        /// Whether the style follows the genre where it is chosen for the music.
        Follow => band("follow", "Follow genre", Kind::Switch(true)).acts(field!(follow_genre)),
        /// Which clock to follow.
        Clock => time("clock", "Clock", choice(4, 0)).acts(Acts::Live(|s, v| s.clock = clock(v))),
        /// Tempo of the internal clock.
        Tempo => time("tempo", "Tempo", Kind::Number { min: 20.0, max: 300.0, default: 120.0, step: 0.0 })
            .text(" BPM", Text::Decimals(2)).acts(Acts::Live(|s, v| s.bpm = f64::from(v))),
        /// Metre of the internal clock.
        Meter => time("meter", "Metre", choice(5, 2)).acts(Acts::Live(|s, v| s.meter = meter(v))),
        /// Whether four notes count the internal clock in.
        CountIn => time("count", "Count-in", Kind::Switch(false)).acts(Acts::Live(|s, v| s.count_in = v >= 0.5)),
        /// Taps the tempo of the internal clock.
        Tap => time("tap", "Tap tempo", Kind::Trigger).learn("tap tempo"),
        /// Stops the internal clock, or starts it on the spot.
        StartStop => time("start", "Start or stop", Kind::Trigger).learn("start or stop"),
        /// Delay from hearing to sounding.
        Reaction => time("reaction", "Reaction time", Kind::Number { min: 0.0, max: 100.0, default: 10.0, step: 0.1 })
            .text(" ms", Text::Decimals(1)).acts(Acts::Live(|s, v| s.reaction_ms = v))
            .panel(Panel::Midi, 3, "React", "From hearing to sounding; shorter answers sooner, and may miss more"),
        /// Whether the host is told a latency.
        Compensate => time("compensate", "Report latency", Kind::Switch(false))
            .acts(Acts::Live(|s, v| s.compensate = v >= 0.5))
            .panel(Panel::Midi, 4, "Report latency",
                "The host is told the reaction time as a latency, and the piano is delayed alike"),
        /// Parts that are sent to the host.
        Send => Row::new("send", "Send", choice(6, 0), Group::Midi).acts(Acts::Live(|s, v| s.route.send = sending(v)))
            .panel(Panel::Midi, 0, "Send",
                "Which parts go to the host as MIDI: one instance a track works where a host merges channels"),
        /// 0 for each part's own channel, else the channel from 1.
        Channel => Row::new("channel", "Channel", integer(0, 16), Group::Midi).text("", Text::Channel)
            .acts(Acts::Live(|s, v| s.route.channel = (v as u8).checked_sub(1).map(|c| c.min(15))))
            .panel(Panel::Midi, 1, "Channel",
                "MIDI channel of what is sent; Own gives each part the channel that render writes"),
        /// Whether the piano is passed on.
        Thru => Row::new("thru", "Piano through", Kind::Switch(true), Group::Midi)
            .acts(Acts::Live(|s, v| s.route.swallow_piano = v < 0.5))
            .panel(Panel::Midi, 2, "Piano through", "The piano's notes are passed on to the host"),
        /// Whether the band is sounded here.
        Sound => Row::new("sound", "Sound", Kind::Switch(true), Group::Sound),
        /// Volume; the least is silence.
        Volume => Row::new("volume", "Volume", Kind::Number { min: SILENT_DB, max: 12.0, default: 0.0, step: 0.1 },
            Group::Sound).text(" dB", Text::Decibels),
        /// Whether the piano is sounded here, too: automatic is in the standalone program only.
        PianoSound => Row::new("piano", "Piano sound", choice(7, 0), Group::Sound),
        /// Semitones that the band is moved by; the drums stay.
        Transpose => Row::new("transpose", "Transpose", integer(-12, 12), Group::Midi).text(" st", Text::Signed)
            .acts(field!(transpose)).learn("transpose")
            .option(170, "Semitones to move the band by, -12 to 12; the drums stay")
            .panel(Panel::Midi, 5, "Transpose", "Semitones that the band is moved by; the drums stay"),
    }
    part {
        /// Whether a part takes part at all.
        On => part("on", "on", Kind::Switch(true)).acts(field!(parts.on)).preset(),
        /// A part plays on, unheard.
        Mute => part("mute", "mute", Kind::Switch(false)).acts(field!(parts.mute)).learn("mute {}").preset(),
        /// Only the parts that have this are heard.
        Solo => part("solo", "solo", Kind::Switch(false)).acts(field!(parts.solo)).preset(),
        /// A part keeps repeating what it played last.
        Lock => part("lock", "lock", Kind::Switch(false)).acts(field!(parts.lock)).learn("lock {}").preset(),
        /// Octaves up or down.
        Octave => part("octave", "octave", integer(-2, 2)).text("", Text::Signed).acts(field!(parts.octave)).preset(),
        /// Factor on velocities.
        Level => part("level", "level", percent(1.5, 1.0)).text(" %", Text::Percent)
            .acts(field!(parts.level)).learn("{} level").preset(),
        /// How much a part plays.
        Density => part("density", "density", percent(1.0, 0.5)).text(" %", Text::Percent)
            .acts(field!(parts.density)).learn("{} density").preset().sweep(2, UNIT),
        /// A part plays something else.
        Redraw => part("redraw", "new figure", Kind::Trigger)
            .acts(Acts::Count(|c, p| &mut c.parts[p].redraws)).learn("new {}"),
    }
}

/// Five values from 0 to 1.
const UNIT: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
