//! Instrument families and the parts of the band.

/// The instrument families of paper P1 (Figure 5), with strings from P2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Pianos and, as in P1, harpsichord, clavinet, celesta and organs.
    Piano,
    /// Everything on the percussion channel.
    Drums,
    /// General MIDI programs 32 to 39.
    Bass,
    /// General MIDI programs 24 to 31.
    Guitar,
    /// General MIDI programs 40 to 51 (P2: bowed strings, harp, timpani, ensembles).
    Strings,
}

impl Family {
    /// Family of a General MIDI program (0 to 127) exactly as Figure 5 of P1 lists it, plus strings.
    /// Accordions, harmonica and chromatic percussion other than the celesta belong to none.
    pub fn of_program(program: u8) -> Option<Self> {
        match program {
            0..=8 | 16..=20 => Some(Self::Piano),
            24..=31 => Some(Self::Guitar),
            32..=39 => Some(Self::Bass),
            40..=51 => Some(Self::Strings),
            _ => None,
        }
    }

    /// The wider reading that accompaniment is trained and measured with: any keyboard or tuned
    /// percussion, programs 0 to 23, counts as the piano that the band accompanies.
    pub fn for_accompaniment(program: u8) -> Option<Self> {
        if program < 24 { Some(Self::Piano) } else { Self::of_program(program) }
    }
}

/// A part of the band, in the order in which the parts decide a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Drum kit, channel 10.
    Drums,
    /// Bass.
    Bass,
    /// Guitar.
    Guitar,
    /// Strings.
    Strings,
}

/// Number of parts.
pub const PARTS: usize = Part::ALL.len();

/// What is known of a part, in the order of [`Part::ALL`].
struct Row {
    name: &'static str,
    channel: u8,
    family: Family,
    colour: [u8; 3],
}

const ROWS: [Row; PARTS] = [
    Row { name: "Drums", channel: 9, family: Family::Drums, colour: [0xE0, 0x6C, 0x4F] },
    Row { name: "Bass", channel: 1, family: Family::Bass, colour: [0x4C, 0x9F, 0xE0] },
    Row { name: "Guitar", channel: 2, family: Family::Guitar, colour: [0xE3, 0xB3, 0x41] },
    Row { name: "Strings", channel: 3, family: Family::Strings, colour: [0x6F, 0xBF, 0x73] },
];

impl Part {
    /// All parts in deciding order.
    pub const ALL: [Self; 4] = [Self::Drums, Self::Bass, Self::Guitar, Self::Strings];

    /// Position in [`Part::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// The track name that renders use.
    pub fn name(self) -> &'static str {
        ROWS[self.index()].name
    }

    /// MIDI channel from 0: drums 9 (written 10), bass 1 (2), guitar 2 (3), strings 3 (4). The piano has 0.
    pub fn channel(self) -> u8 {
        ROWS[self.index()].channel
    }

    /// The family that this part's notes belong to.
    pub fn family(self) -> Family {
        ROWS[self.index()].family
    }

    /// Colour as sRGB, the same in every picture and in the editor. The piano is [`PIANO_COLOUR`].
    pub fn colour(self) -> [u8; 3] {
        ROWS[self.index()].colour
    }
}

/// Colour of the piano in pictures, sRGB.
pub const PIANO_COLOUR: [u8; 3] = [0xB8, 0xB4, 0xC8];

impl std::str::FromStr for Part {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|p| p.name().eq_ignore_ascii_case(s.trim())).ok_or_else(|| {
            let known = Self::ALL.map(|p| p.name().to_ascii_lowercase()).join(", ");
            format!("unknown part '{s}': choose from {known}")
        })
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
