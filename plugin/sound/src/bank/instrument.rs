//! Instruments: which program they stand for, where they sit, and how they answer to velocity.

/// What a channel is played on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instrument {
    Piano,
    ElectricPiano,
    Mallet,
    Organ,
    NylonGuitar,
    SteelGuitar,
    CleanGuitar,
    MutedGuitar,
    DrivenGuitar,
    UprightBass,
    ElectricBass,
    SynthBass,
    Strings,
    Plucked,
    Mellow,
    Kit,
}

/// Groups of instruments that share a place in the room.
pub(crate) const BUSES: usize = 5;
/// Share of each bus that goes to the room: piano, drums, bass, guitar, strings and all others.
pub(crate) const SENDS: [f32; BUSES] = [0.20, 0.14, 0.03, 0.20, 0.36];

/// How an instrument sits in the mix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MixPosition {
    /// Which of the [`BUSES`].
    pub(crate) bus: usize,
    /// Loudness at full velocity.
    pub(crate) gain: f32,
    /// -1 left to 1 right.
    pub(crate) pan: f32,
    /// Seconds in which a held sound swells.
    pub(crate) attack: f32,
    /// Seconds in which a released note falls to 1/e.
    pub(crate) release: f32,
}

impl Instrument {
    /// All that have pitches.
    pub(super) const PITCHED: [Self; 15] = [
        Self::Piano,
        Self::ElectricPiano,
        Self::Mallet,
        Self::Organ,
        Self::NylonGuitar,
        Self::SteelGuitar,
        Self::CleanGuitar,
        Self::MutedGuitar,
        Self::DrivenGuitar,
        Self::UprightBass,
        Self::ElectricBass,
        Self::SynthBass,
        Self::Strings,
        Self::Plucked,
        Self::Mellow,
    ];

    /// The nearest instrument to a General MIDI program.
    pub(crate) fn of_program(program: u8) -> Self {
        match program {
            4 | 5 => Self::ElectricPiano,
            0..=7 => Self::Piano,
            8..=15 => Self::Mallet,
            16..=23 => Self::Organ,
            24 => Self::NylonGuitar,
            25 => Self::SteelGuitar,
            28 => Self::MutedGuitar,
            29..=31 => Self::DrivenGuitar,
            26 | 27 => Self::CleanGuitar,
            32 => Self::UprightBass,
            33..=37 => Self::ElectricBass,
            38 | 39 => Self::SynthBass,
            45 | 46 | 104..=108 => Self::Plucked,
            40..=55 => Self::Strings,
            112..=119 => Self::Mallet,
            _ => Self::Mellow,
        }
    }

    pub(crate) fn place(self) -> MixPosition {
        let (bus, gain, pan, attack, release) = match self {
            Self::Piano => (0, 0.62, 0.0, 0.0, 0.09),
            Self::ElectricPiano => (0, 0.55, 0.0, 0.0, 0.08),
            Self::Mallet => (0, 0.5, 0.1, 0.0, 0.35),
            Self::Organ => (0, 0.36, 0.0, 0.006, 0.03),
            Self::Kit => (1, 0.66, 0.0, 0.0, 0.02),
            Self::UprightBass => (2, 0.74, 0.0, 0.0, 0.06),
            Self::ElectricBass => (2, 0.66, 0.0, 0.0, 0.05),
            Self::SynthBass => (2, 0.60, 0.0, 0.0, 0.04),
            Self::NylonGuitar | Self::SteelGuitar => (3, 0.50, -0.32, 0.0, 0.07),
            Self::CleanGuitar => (3, 0.48, -0.32, 0.0, 0.06),
            Self::MutedGuitar => (3, 0.55, -0.32, 0.0, 0.04),
            Self::DrivenGuitar => (3, 0.30, -0.32, 0.0, 0.04),
            Self::Strings => (4, 0.58, 0.16, 0.07, 0.16),
            Self::Plucked => (4, 0.50, 0.2, 0.0, 0.12),
            Self::Mellow => (4, 0.34, 0.1, 0.03, 0.09),
        };
        MixPosition { bus, gain, pan, attack, release }
    }

    /// Lowest and highest pitch that has a sound of its own, and semitones from one sound to the next.
    pub(super) fn range(self) -> (u8, u8, u8) {
        match self {
            Self::Piano => (22, 107, 3),
            Self::UprightBass | Self::ElectricBass | Self::SynthBass => (25, 67, 3),
            Self::Strings => (28, 97, 3),
            Self::Organ | Self::Mellow | Self::ElectricPiano => (26, 101, 5),
            Self::Mallet => (36, 106, 5),
            Self::NylonGuitar | Self::SteelGuitar | Self::CleanGuitar | Self::MutedGuitar => (37, 88, 3),
            Self::DrivenGuitar | Self::Plucked => (36, 91, 5),
            Self::Kit => (0, 127, 1),
        }
    }
}
