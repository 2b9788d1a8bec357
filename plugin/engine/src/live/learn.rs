//! Actions that a player can put on a key, a pad, a knob or a pedal ("MIDI learn").

use sideman_music::Part;

/// Something that a MIDI message can be taught to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// While down, the band keeps going on what it plays, whatever the piano does.
    Hold,
    /// The drums play a fill.
    Fill,
    /// The next variation, A to D and around.
    NextVariation,
    /// Freezes the band, and lets it go at the next press.
    Freeze,
    /// Ends every note at once and begins anew.
    Panic,
    /// Taps the tempo of the own clock.
    Tap,
    /// Stops the own clock, or starts it on the spot.
    StartStop,
    /// Mutes a part, and lets it be heard again at the next press.
    Mute(Part),
    /// Locks a part to what it played last, and frees it at the next press.
    Lock(Part),
    /// Has a part play something else.
    Redraw(Part),
    /// Sets the intensity.
    Intensity,
    /// Sets the complexity.
    Complexity,
    /// Sets the swing.
    Swing,
    /// Sets the humanize.
    Humanize,
    /// Sets the temperature.
    Temperature,
    /// Sets a part's level.
    Level(Part),
    /// Sets a part's density.
    Density(Part),
    /// Sets how far the band has gone to the other style.
    Morph,
    /// Sets how much parts rest, enter and leave.
    Sections,
    /// Sets how far the loudness follows the pianist's.
    Dynamics,
}

/// Number of actions.
pub const ACTIONS: usize = 35;

impl Action {
    /// All actions, each at its [`Action::index`].
    pub const ALL: [Self; ACTIONS] = {
        use Action::*;
        use Part::*;
        [
            Hold,
            Fill,
            NextVariation,
            Freeze,
            Panic,
            Tap,
            StartStop,
            Mute(Drums),
            Mute(Bass),
            Mute(Guitar),
            Mute(Strings),
            Lock(Drums),
            Lock(Bass),
            Lock(Guitar),
            Lock(Strings),
            Redraw(Drums),
            Redraw(Bass),
            Redraw(Guitar),
            Redraw(Strings),
            Intensity,
            Complexity,
            Swing,
            Humanize,
            Temperature,
            Level(Drums),
            Level(Bass),
            Level(Guitar),
            Level(Strings),
            Density(Drums),
            Density(Bass),
            Density(Guitar),
            Density(Strings),
            Morph,
            Sections,
            Dynamics,
        ]
    };

    /// Number of the action, from 0.
    pub fn index(self) -> usize {
        match self {
            Self::Hold => 0,
            Self::Fill => 1,
            Self::NextVariation => 2,
            Self::Freeze => 3,
            Self::Panic => 4,
            Self::Tap => 5,
            Self::StartStop => 6,
            Self::Mute(part) => 7 + part.index(),
            Self::Lock(part) => 11 + part.index(),
            Self::Redraw(part) => 15 + part.index(),
            Self::Intensity => 19,
            Self::Complexity => 20,
            Self::Swing => 21,
            Self::Humanize => 22,
            Self::Temperature => 23,
            Self::Level(part) => 24 + part.index(),
            Self::Density(part) => 28 + part.index(),
            Self::Morph => 32,
            Self::Sections => 33,
            Self::Dynamics => 34,
        }
    }

    /// Name as it is shown, and as it is kept in a project's state: it never changes.
    pub fn name(self) -> &'static str {
        const PARTS: [[&str; 4]; 5] = [
            ["mute drums", "mute bass", "mute guitar", "mute strings"],
            ["lock drums", "lock bass", "lock guitar", "lock strings"],
            ["drums level", "bass level", "guitar level", "strings level"],
            ["drums density", "bass density", "guitar density", "strings density"],
            ["new drums", "new bass", "new guitar", "new strings"],
        ];
        match self {
            Self::Hold => "hold",
            Self::Fill => "fill",
            Self::NextVariation => "next variation",
            Self::Freeze => "freeze",
            Self::Panic => "panic",
            Self::Tap => "tap tempo",
            Self::StartStop => "start or stop",
            Self::Mute(part) => PARTS[0][part.index()],
            Self::Lock(part) => PARTS[1][part.index()],
            Self::Intensity => "intensity",
            Self::Complexity => "complexity",
            Self::Swing => "swing",
            Self::Humanize => "humanize",
            Self::Temperature => "temperature",
            Self::Level(part) => PARTS[2][part.index()],
            Self::Density(part) => PARTS[3][part.index()],
            Self::Redraw(part) => PARTS[4][part.index()],
            Self::Morph => "morph",
            Self::Sections => "sections",
            Self::Dynamics => "dynamics",
        }
    }

    /// The action of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.name() == name)
    }

    /// Whether the action sets a value, rather than being pressed.
    pub fn is_value(self) -> bool {
        self.index() >= Self::Intensity.index()
    }
}

/// What sets off an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A key: channel 0 to 15, pitch.
    Note(u8, u8),
    /// A controller: channel 0 to 15, number.
    Controller(u8, u8),
}

impl Trigger {
    /// As a number that is not 0.
    pub fn pack(self) -> u32 {
        let (kind, channel, number) = match self {
            Self::Note(c, n) => (1, c, n),
            Self::Controller(c, n) => (2, c, n),
        };
        kind << 16 | u32::from(channel & 15) << 8 | u32::from(number & 127)
    }

    /// Back from a number; `None` for 0 and for what no trigger packs into.
    pub fn unpack(packed: u32) -> Option<Self> {
        let (channel, number) = ((packed >> 8 & 15) as u8, (packed & 127) as u8);
        let trigger = match packed >> 16 {
            1 => Self::Note(channel, number),
            2 => Self::Controller(channel, number),
            _ => return None,
        };
        (trigger.pack() == packed).then_some(trigger)
    }
}

impl std::fmt::Display for Trigger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Note(c, n) => write!(f, "key {n}, channel {}", c + 1),
            Self::Controller(c, n) => write!(f, "controller {n}, channel {}", c + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_have_their_place_and_their_own_name() {
        for (i, action) in Action::ALL.into_iter().enumerate() {
            assert_eq!(action.index(), i);
            assert_eq!(Action::from_name(action.name()), Some(action));
        }
    }

    #[test]
    fn triggers_survive_packing_and_garbage_is_refused() {
        for trigger in [Trigger::Note(0, 0), Trigger::Note(15, 127), Trigger::Controller(3, 64)] {
            assert_eq!(Trigger::unpack(trigger.pack()), Some(trigger));
        }
        for packed in [0, 7, 3 << 16, 1 << 16 | 1 << 7, u32::MAX] {
            assert_eq!(Trigger::unpack(packed), None, "{packed:x}");
        }
    }
}
