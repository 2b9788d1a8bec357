//! The figures, and what a song contributes to each.

use std::collections::BTreeMap;

use sideman_music::family::Part;

use super::song::BAR_PULSES;

/// So many equal bars on end make a part stuck.
pub const STUCK_BARS: u32 = 16;

/// A figure that a band is measured by. Shares are 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Share of the half-bars that a bass note opens (within a 32nd of their start) in which its pitch
    /// class sounds in the piano; only where the piano sounds two pitch classes or more.
    BassIn,
    /// The same, its pitch class being that of the piano's lowest note there.
    BassRoot,
    /// Share of guitar and string sounding time on a pitch class that the piano sounds in that half-bar;
    /// half-bars in which the piano is silent do not count.
    ChordIn,
    /// Share of bass onsets on the same 16th as a kick.
    KickBass,
    /// 1 less the mean Hamming distance of adjacent bars' drum onset vectors of 16 positions; pairs of
    /// two empty bars do not count.
    Groove,
    /// Correlation over the bars of a song of the piano's onsets with the band's, both as four-bar moving
    /// means; -1 to 1. From the first to the last bar in which both play: a common silence before the
    /// music begins or after it ended follows nothing.
    Follow,
    /// Correlation over the bars of a song of the piano's loudness with the band's, both the mean velocity
    /// of four bars' notes; -1 to 1. From the first to the last bar in which both play; only of songs whose
    /// piano changes its loudness.
    Dynamics,
    /// EB: share of bars in which the part starts no note.
    EmptyBars(Part),
    /// NPB: notes a bar, empty bars included.
    NotesPerBar(Part),
    /// UPC: pitch classes started in a bar that is not empty; not for drums.
    PitchClasses(Part),
    /// QN: share of notes of a 32nd or more; not for drums.
    QualifiedNotes(Part),
    /// DP: share of drum notes whose nearest 24th of a beat is a 16th.
    DrumPattern,
    /// Number of different bars over the number of bars that are not empty.
    DistinctBars(Part),
    /// Longest run of equal bars that are not empty, in bars; 1 where no two neighbours are equal.
    LongestRun(Part),
    /// Whether the part plays a bar [`STUCK_BARS`] times on end or more: over songs, the share of them.
    Stuck(Part),
    /// Entropy in bits of the chords (major and minor triads) that bass, guitar and strings sound, by
    /// half-bar, of one song.
    ChordEntropy,
}

impl Metric {
    /// The figures whose closeness to people's is given as coupling.
    pub const COUPLED: [Self; 3] = [Self::BassIn, Self::BassRoot, Self::ChordIn];

    /// All figures in the order of the report.
    pub fn all() -> Vec<Self> {
        use Metric::*;
        let pitched = &Part::ALL[1..];
        let mut out = vec![BassIn, BassRoot, ChordIn, KickBass, Groove, Follow, Dynamics];
        out.extend(Part::ALL.map(EmptyBars));
        out.extend(Part::ALL.map(NotesPerBar));
        out.extend(pitched.iter().map(|&p| PitchClasses(p)));
        out.extend(pitched.iter().map(|&p| QualifiedNotes(p)));
        out.push(DrumPattern);
        out.extend(Part::ALL.map(DistinctBars));
        out.extend(Part::ALL.map(LongestRun));
        out.extend(Part::ALL.map(Stuck));
        out.push(ChordEntropy);
        out
    }

    /// Short name, as in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::BassIn => "bass_in",
            Self::BassRoot => "bass_root",
            Self::ChordIn => "chord_in",
            Self::KickBass => "kick_bass",
            Self::Groove => "groove",
            Self::Follow => "follow",
            Self::Dynamics => "dynamics",
            Self::EmptyBars(_) => "EB",
            Self::NotesPerBar(_) => "NPB",
            Self::PitchClasses(_) => "UPC",
            Self::QualifiedNotes(_) => "QN",
            Self::DrumPattern => "DP",
            Self::DistinctBars(_) => "distinct_bars",
            Self::LongestRun(_) => "longest_run",
            Self::Stuck(_) => "stuck",
            Self::ChordEntropy => "chord_entropy",
        }
    }

    /// Least weight with which a song's figure counts: a share of fewer cases says nothing about a song.
    pub fn least(self) -> f64 {
        match self {
            // Half-bars, bass steps, pairs of bars, notes.
            Self::BassIn | Self::BassRoot | Self::KickBass | Self::Groove => 8.0,
            Self::QualifiedNotes(_) | Self::DrumPattern => 8.0,
            // Pulses of sounding time: two bars.
            Self::ChordIn => 2.0 * BAR_PULSES as f64,
            // Bars that are not empty.
            Self::PitchClasses(_) | Self::DistinctBars(_) => 4.0,
            Self::Follow
            | Self::Dynamics
            | Self::EmptyBars(_)
            | Self::NotesPerBar(_)
            | Self::LongestRun(_)
            | Self::Stuck(_)
            | Self::ChordEntropy => 1.0,
        }
    }

    /// The part that the figure is of, if it is of one.
    pub fn part(self) -> Option<Part> {
        match self {
            Self::EmptyBars(p)
            | Self::NotesPerBar(p)
            | Self::PitchClasses(p)
            | Self::QualifiedNotes(p)
            | Self::DistinctBars(p)
            | Self::LongestRun(p)
            | Self::Stuck(p) => Some(p),
            Self::DrumPattern => Some(Part::Drums),
            _ => None,
        }
    }
}

/// A sum and what it is divided by.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Ratio {
    /// Numerator.
    pub sum: f64,
    /// Denominator, 0 or more.
    pub weight: f64,
}

impl Ratio {
    /// Counts one more case, which is or is not so.
    pub fn count(&mut self, so: bool) {
        self.add(f64::from(u8::from(so)), 1.0);
    }

    /// Adds to both.
    pub fn add(&mut self, sum: f64, weight: f64) {
        self.sum += sum;
        self.weight += weight;
    }

    /// The ratio; `None` where nothing was counted.
    pub fn value(self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }
}

/// What one song contributes to each figure; figures that do not apply to it are missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally(BTreeMap<Metric, Ratio>);

impl Tally {
    /// The entry of a figure, made when missing.
    pub fn entry(&mut self, figure: Metric) -> &mut Ratio {
        self.0.entry(figure).or_default()
    }

    /// What the song contributes to a figure; nothing when it does not apply.
    pub fn get(&self, figure: Metric) -> Ratio {
        self.0.get(&figure).copied().unwrap_or_default()
    }

    /// The song's figure; `None` where it does not apply or too little was counted ([`Metric::least`]).
    /// A figure over songs is the mean of these, so that every song counts alike.
    pub fn value(&self, figure: Metric) -> Option<f64> {
        self.get(figure).value().filter(|_| self.get(figure).weight >= figure.least())
    }

    /// Adds another tally of the same song, as when it is measured against several pianos.
    pub fn merge(&mut self, other: &Self) {
        for (&figure, r) in &other.0 {
            self.entry(figure).add(r.sum, r.weight);
        }
    }
}
