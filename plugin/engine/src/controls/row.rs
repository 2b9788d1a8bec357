//! What a row of the table of controls says, and how a control is found in it.

use sideman_music::{Meter, Part};

use super::table::{GLOBAL, OF_PART, ROWS};
use super::{Control, Controls, WeightsChoice};
use crate::live::{ClockChoice, LiveSettings, Sending};
use crate::style::{Style, StyleChoice};

/// Number of controls, those of each part counted for themselves.
pub const CONTROLS: usize = GLOBAL.len() + 4 * OF_PART.len();

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Id of the host parameter, after the name of the part in rows of parts. Kept in projects: never changes.
    pub id: &'static str,
    /// Name for hosts, after the name of the part in rows of parts.
    pub name: &'static str,
    /// What values there are.
    pub kind: Kind,
    /// Unit, written after a value.
    pub unit: &'static str,
    /// How values are written.
    pub text: Text,
    /// Group in hosts.
    pub group: Group,
    /// Where it acts.
    pub acts: Acts,
    /// Name under which a MIDI message can be taught for it, `{}` being the part. Kept in projects: never changes.
    pub learn: Option<&'static str>,
    /// Whether presets set it.
    pub preset: bool,
    /// Whether hosts may automate it.
    pub automatable: bool,
    /// Option of `sideman render`: its position in the help, and the help text.
    pub option: Option<(u8, &'static str)>,
    /// Position in a panel of the editor that is laid out from the table.
    pub panel: Option<(Panel, u8)>,
    /// What the editor writes at it, and the tooltip.
    pub label: (&'static str, &'static str),
    /// Position in the trainer's table of control responses, and the values tried.
    pub sweep: Option<(u8, [f32; 5])>,
}

/// What values a control has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Off or on.
    Switch(bool),
    /// A button; presses count.
    Trigger,
    /// A real number.
    Number {
        /// Least value.
        min: f32,
        /// Greatest value.
        max: f32,
        /// Neutral value.
        default: f32,
        /// Step, or 0 for none.
        step: f32,
    },
    /// A whole number.
    Integer {
        /// Least value.
        min: i32,
        /// Greatest value.
        max: i32,
        /// Neutral value.
        default: i32,
    },
    /// One of several.
    Choice {
        /// Number of the list in [`super::table::CHOICES`].
        list: usize,
        /// Neutral choice.
        default: usize,
    },
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// As the kind is written.
    Plain,
    /// In percent.
    Percent,
    /// With so many decimals.
    Decimals(usize),
    /// With its sign.
    Signed,
    /// In decibels, the least value being silence.
    Decibels,
    /// A MIDI channel, 0 being the part's own.
    Channel,
}

/// Group of parameters in hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// No host parameter: only MIDI messages move it.
    Learned,
    /// At the top.
    Top,
    /// The band as a whole.
    Band,
    /// A part.
    Part,
    /// Clock and latency.
    Time,
    /// Routing.
    Midi,
    /// Sound.
    Sound,
}

/// Panels of the editor that are laid out from the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panel {
    /// Dials in a line.
    Band,
    /// Two columns, left to right and down.
    Midi,
}

/// Where a control acts. The index is that of the part, 0 for controls of the band.
#[derive(Debug, Clone, Copy)]
pub enum Acts {
    /// On the band: a value of [`Controls`].
    Band {
        /// Reads it.
        get: fn(&Controls, usize) -> f32,
        /// Sets it.
        set: fn(&mut Controls, usize, f32),
    },
    /// On the band: a count of presses in [`Controls`].
    Count(fn(&mut Controls, usize) -> &mut u32),
    /// On clock and routing: a value of [`LiveSettings`].
    Live(fn(&mut LiveSettings, f32)),
    /// Elsewhere: a press that the performer handles, or what only the plugin knows.
    Outside,
}

/// The values of a choice: ids, which projects keep, and names.
#[derive(Debug, Clone, Copy)]
pub struct Choices {
    /// Ids.
    pub ids: &'static [&'static str],
    /// Names.
    pub names: &'static [&'static str],
}

impl Row {
    pub(super) const fn new(id: &'static str, name: &'static str, kind: Kind, group: Group) -> Self {
        Self {
            id,
            name,
            kind,
            unit: "",
            text: Text::Plain,
            group,
            acts: Acts::Outside,
            learn: None,
            preset: false,
            automatable: true,
            option: None,
            panel: None,
            label: ("", ""),
            sweep: None,
        }
    }

    pub(super) const fn acts(self, acts: Acts) -> Self {
        Self { acts, ..self }
    }

    pub(super) const fn text(self, unit: &'static str, text: Text) -> Self {
        Self { unit, text, ..self }
    }

    pub(super) const fn learn(self, name: &'static str) -> Self {
        Self { learn: Some(name), ..self }
    }

    pub(super) const fn preset(self) -> Self {
        Self { preset: true, ..self }
    }

    pub(super) const fn fixed(self) -> Self {
        Self { automatable: false, ..self }
    }

    pub(super) const fn option(self, position: u8, help: &'static str) -> Self {
        Self { option: Some((position, help)), ..self }
    }

    pub(super) const fn panel(
        self,
        panel: Panel,
        position: u8,
        label: &'static str,
        tip: &'static str,
    ) -> Self {
        Self { panel: Some((panel, position)), label: (label, tip), ..self }
    }

    pub(super) const fn sweep(self, position: u8, values: [f32; 5]) -> Self {
        Self { sweep: Some((position, values)), ..self }
    }

    /// Least, greatest and neutral value; choices count from 0, off and on are 0 and 1.
    pub fn range(&self) -> (f32, f32, f32) {
        match self.kind {
            Kind::Switch(on) => (0.0, 1.0, f32::from(u8::from(on))),
            Kind::Trigger => (0.0, 1.0, 0.0),
            Kind::Number { min, max, default, .. } => (min, max, default),
            Kind::Integer { min, max, default } => (min as f32, max as f32, default as f32),
            Kind::Choice { list, default } => {
                (0.0, super::table::CHOICES[list].ids.len() as f32 - 1.0, default as f32)
            }
        }
    }

    /// A value brought into range; NaN becomes neutral.
    pub fn clamp(&self, value: f32) -> f32 {
        let (min, max, default) = self.range();
        if value.is_nan() { default } else { value.clamp(min, max) }
    }

    /// The values of a choice.
    pub fn choices(&self) -> Option<&'static Choices> {
        match self.kind {
            Kind::Choice { list, .. } => Some(&super::table::CHOICES[list]),
            _ => None,
        }
    }

    /// Whether it has a range to move in, rather than being pressed or switched.
    pub fn is_value(&self) -> bool {
        matches!(self.kind, Kind::Number { .. } | Kind::Integer { .. })
    }
}

impl Control {
    /// All that are host parameters, in the order of the parameters.
    pub fn all() -> impl Iterator<Item = Self> {
        let global = |before: bool| {
            GLOBAL.iter().copied().filter(move |c| match c.row().group {
                Group::Learned => false,
                Group::Top | Group::Band => before,
                _ => !before,
            })
        };
        let parts = Part::ALL.into_iter().flat_map(|part| OF_PART.iter().map(move |control| control(part)));
        global(true).chain(parts).chain(global(false))
    }

    /// All that a MIDI message can be taught for.
    pub fn learnable() -> impl Iterator<Item = Self> {
        (0..CONTROLS).filter_map(Self::at).filter(|c| c.row().learn.is_some())
    }

    /// The control of an index.
    pub fn at(index: usize) -> Option<Self> {
        let of_part = |i: usize| OF_PART.get(i / 4).map(|control| control(Part::ALL[i % 4]));
        GLOBAL.get(index).copied().or_else(|| of_part(index.checked_sub(GLOBAL.len())?))
    }

    /// Its index, less than [`CONTROLS`].
    pub fn index(self) -> usize {
        match self.part() {
            None => self.number(),
            Some(part) => GLOBAL.len() + 4 * (self.number() - GLOBAL.len()) + part.index(),
        }
    }

    /// Its row.
    pub fn row(self) -> &'static Row {
        &ROWS[self.number()]
    }

    /// Index of its part, 0 for controls of the band.
    fn part_index(self) -> usize {
        self.part().map_or(0, Part::index)
    }

    /// Id of the host parameter.
    pub fn id(self) -> String {
        match self.part() {
            None => self.row().id.to_owned(),
            Some(part) => format!("{}_{}", part.name().to_lowercase(), self.row().id),
        }
    }

    /// Name for hosts.
    pub fn name(self) -> String {
        match self.part() {
            None => self.row().name.to_owned(),
            Some(part) => format!("{} {}", part.name(), self.row().name),
        }
    }

    /// Name under which a MIDI message is taught for it.
    pub fn learned_name(self) -> Option<String> {
        let part = self.part().map_or_else(String::new, |p| p.name().to_lowercase());
        self.row().learn.map(|name| name.replace("{}", &part))
    }

    /// The control that a MIDI message is taught for under a name.
    pub fn of_learned_name(name: &str) -> Option<Self> {
        Self::learnable().find(|c| c.learned_name().as_deref() == Some(name))
    }
}

impl Controls {
    /// A value by its control; `None` for what is no value of the band.
    pub fn get(&self, control: Control) -> Option<f32> {
        match control.row().acts {
            Acts::Band { get, .. } => Some(get(self, control.part_index())),
            _ => None,
        }
    }

    /// Sets a value by its control; nothing where it is no value of the band.
    pub fn set(&mut self, control: Control, value: f32) {
        if let Acts::Band { set, .. } = control.row().acts {
            set(self, control.part_index(), value);
        }
    }

    /// The count of presses of a control, if the band has one.
    pub fn count(&mut self, control: Control) -> Option<&mut u32> {
        match control.row().acts {
            Acts::Count(count) => Some(count(self, control.part_index())),
            _ => None,
        }
    }

    /// The same with every value brought into its range; NaN becomes neutral.
    pub fn clamped(mut self) -> Self {
        for control in (0..CONTROLS).filter_map(Control::at) {
            if let Some(value) = self.get(control) {
                let fixed = control.row().clamp(value);
                if fixed != value {
                    self.set(control, fixed);
                }
            }
        }
        self
    }
}

impl LiveSettings {
    /// Sets a value by its control; nothing where it is none of these.
    pub fn set(&mut self, control: Control, value: f32) {
        if let Acts::Live(set) = control.row().acts {
            set(self, value);
        }
    }
}

/// A field that a control reads and sets as a number.
pub(super) trait Field: Copy {
    /// As a number.
    fn number(self) -> f32;
    /// From a number in range.
    fn of(number: f32) -> Self;
}

macro_rules! numeric {
    ($($t:ty),*) => { $(impl Field for $t {
        fn number(self) -> f32 {
            self as f32
        }
        fn of(number: f32) -> Self {
            number as $t
        }
    })* };
}
numeric!(f32, f64, u8, u16, i8);

impl Field for bool {
    fn number(self) -> f32 {
        f32::from(u8::from(self))
    }
    fn of(number: f32) -> Self {
        number >= 0.5
    }
}

/// The seed: a render takes any, a host knows those of the table.
impl Field for u64 {
    fn number(self) -> f32 {
        self.min(super::table::SEEDS as u64) as f32
    }
    fn of(number: f32) -> Self {
        number as u64
    }
}

impl Field for Option<Style> {
    fn number(self) -> f32 {
        self.map_or(0.0, |style| style as u8 as f32 + 1.0)
    }
    fn of(number: f32) -> Self {
        (number as usize).checked_sub(1).and_then(|i| Style::ALL.get(i)).copied()
    }
}

impl Field for StyleChoice {
    fn number(self) -> f32 {
        match self {
            Self::Auto => 0.0,
            Self::Fixed(style) => Some(style).number(),
        }
    }
    fn of(number: f32) -> Self {
        Option::<Style>::of(number).map_or(Self::Auto, Self::Fixed)
    }
}

impl Field for WeightsChoice {
    fn number(self) -> f32 {
        self as u8 as f32
    }
    fn of(number: f32) -> Self {
        Self::ALL.get(number as usize).copied().unwrap_or_default()
    }
}

/// The clock of a choice.
pub(super) fn clock(number: f32) -> ClockChoice {
    [ClockChoice::Auto, ClockChoice::Host, ClockChoice::Own].get(number as usize).copied().unwrap_or_default()
}

/// The metre of a choice.
pub(super) fn meter(number: f32) -> Meter {
    let text = super::table::METERS.get(number as usize).copied().unwrap_or("4/4");
    let read =
        |(n, d): (&str, &str)| Some(Meter { numerator: n.parse().ok()?, denominator: d.parse().ok()? });
    text.split_once('/').and_then(read).unwrap_or(Meter::COMMON)
}

/// What is sent, of a choice.
pub(super) fn sending(number: f32) -> Sending {
    match number as usize {
        0 => Sending::All,
        i => Part::ALL.get(i - 1).map_or(Sending::Nothing, |&part| Sending::Only(part)),
    }
}
