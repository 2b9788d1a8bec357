//! From a file's notes to a song that can teach a band, or the reason why not.

use serde::{Deserialize, Serialize};
use sideman_music::score::BandScore;
use sideman_music::time::PULSES_PER_BEAT;
use sideman_music::{Meter, Part, STEP_PULSES, Score};

use super::source::{Collect, Meta, Split, Tier};

/// Fewest piano notes of a song that teaches.
pub const MIN_PIANO: usize = 64;
/// Fewest drum notes of a song that teaches.
pub const MIN_DRUMS: usize = 64;
/// Fewest bass notes of a song that teaches; fewest guitar and strings notes together; and fewest notes for
/// a part to count as present.
pub const MIN_PART: usize = 32;
/// Fewest bars of a song that teaches.
pub const MIN_BARS: usize = 16;
/// Most bars of a song; longer files are medleys or have a stray event far behind the music.
pub const MAX_BARS: usize = 1000;
/// The metres that are kept. All have bars of whole steps.
pub const METERS: [(u8, u8); 4] = [(4, 4), (3, 4), (6, 8), (12, 8)];

/// A song with a piano and a band.
#[derive(Debug, Clone, PartialEq)]
pub struct Song {
    /// Path within the corpus.
    pub id: String,
    /// Name of the set within the corpus.
    pub set: String,
    /// Licence tier.
    pub tier: Tier,
    /// Split.
    pub split: Split,
    /// Genre label.
    pub genre: Option<String>,
    /// Style of the band, where the corpus names it.
    pub style: Option<String>,
    /// Songs that are versions of one another share a group.
    pub group: String,
    /// Median tempo in quarter notes a minute, weighted by duration in quarter notes.
    pub bpm: f32,
    /// Length in 16th steps: whole bars up to the last onset, or to the end of the last note where that is
    /// at most a bar later.
    pub steps: usize,
    /// The one metre of the song, one of [`METERS`].
    pub meter: Meter,
    /// Bars before the bar that the corpus counts as the first; a pickup lies in them.
    pub lead_in_bars: u16,
    /// Which parts have [`MIN_PART`] notes or more, in the order of [`Part::ALL`].
    pub parts_present: [bool; 4],
    /// Most common program of each part by number of notes, in the order of [`Part::ALL`]; for drums the
    /// number of the kit. None for a part without notes.
    pub programs: [Option<u8>; 4],
    /// Share of downbeats whose bass pitch class sounds in the piano, where the corpus measured it.
    pub agreement: Option<f32>,
    /// The notes. Bar 0 starts at pulse 0.
    pub band: BandScore,
}

impl Song {
    /// Length in bars.
    pub fn bars(&self) -> usize {
        self.steps / self.meter.bar_steps() as usize
    }
}

/// Why a file does not become a song.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LeftOut {
    /// The file is listed but could not be fetched.
    Missing(String),
    /// The file is damaged or not what its name says.
    Unreadable(String),
    /// The file has another metre than those in [`METERS`].
    Meter(String),
    /// The metre changes, or a bar is cut short, before the last note.
    MeterChanges,
    /// Too few piano notes.
    Piano(usize),
    /// Too few bass notes.
    Bass(usize),
    /// Too few drum notes.
    Drums(usize),
    /// Too few guitar and strings notes together.
    GuitarAndStrings(usize),
    /// Too few bars.
    Short(usize),
    /// Too many bars.
    Long(usize),
    /// The bass agrees with the piano on too few downbeats (share in percent).
    Disagrees(u8),
    /// The same notes as another song of the corpus, named here.
    Duplicate(String),
}

impl LeftOut {
    /// The reason without the figures of the file, for counting.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Missing(_) => "listed but missing",
            Self::Unreadable(_) => "damaged or not readable",
            Self::Meter(_) => "another metre",
            Self::MeterChanges => "metre changes",
            Self::Piano(_) => "fewer than 64 piano notes",
            Self::Bass(_) => "fewer than 32 bass notes",
            Self::Drums(_) => "fewer than 64 drum notes",
            Self::GuitarAndStrings(_) => "fewer than 32 guitar and strings notes",
            Self::Short(_) => "fewer than 16 bars",
            Self::Long(_) => "more than 1000 bars",
            Self::Disagrees(_) => "bass and piano disagree",
            Self::Duplicate(_) => "same notes as another file",
        }
    }

    /// The figures of the file.
    pub fn detail(&self) -> String {
        match self {
            Self::Missing(s) | Self::Unreadable(s) | Self::Meter(s) | Self::Duplicate(s) => s.clone(),
            Self::MeterChanges => String::new(),
            Self::Piano(n) | Self::Bass(n) | Self::Drums(n) | Self::GuitarAndStrings(n) => {
                format!("{n} notes")
            }
            Self::Short(n) | Self::Long(n) => format!("{n} bars"),
            Self::Disagrees(p) => format!("{p} %"),
        }
    }
}

/// The part or the piano that a track belongs to.
enum Role {
    Piano,
    Part(Part),
}

/// Role of a track, `None` for one that is neither heard nor learned.
fn role(track: &sideman_music::Track, collect: Collect) -> Option<Role> {
    match collect {
        Collect::ByProgram => {
            let family = track.family()?;
            Some(Part::ALL.into_iter().find(|p| p.family() == family).map_or(Role::Piano, Role::Part))
        }
        Collect::ByTrackName => match track.name.trim() {
            "PIANO" => Some(Role::Piano),
            "DRUMS" => Some(Role::Part(Part::Drums)),
            "BASS" => Some(Role::Part(Part::Bass)),
            "GUITAR" => Some(Role::Part(Part::Guitar)),
            "STRINGS" => Some(Role::Part(Part::Strings)),
            _ => None,
        },
    }
}

/// The piano and the band of a score, and the most common program of each part by number of notes.
pub fn collect(score: &Score, how: Collect) -> (BandScore, [Option<u8>; 4]) {
    let mut band = BandScore::default();
    let mut counts = [[0usize; 128]; 4];
    for track in &score.tracks {
        match role(track, how) {
            Some(Role::Piano) => band.piano.extend_from_slice(&track.notes),
            Some(Role::Part(part)) => {
                band.parts[part.index()].extend_from_slice(&track.notes);
                counts[part.index()][usize::from(track.program & 127)] += track.notes.len();
            }
            None => {}
        }
    }
    band.sort();
    let programs = counts.map(|c| {
        let best = (0..128).rev().max_by_key(|&p| c[p])?;
        (c[best] > 0).then_some(best as u8)
    });
    (band, programs)
}

/// The metre that holds until the last onset, with bars counted from pulse 0.
fn only_meter(score: &Score, last_onset: i64) -> Result<Meter, LeftOut> {
    let mut changes = score.meters.changes();
    let (_, meter) = changes.next().unwrap_or((0, Meter::COMMON));
    if changes.any(|(at, _)| at <= last_onset) {
        return Err(LeftOut::MeterChanges);
    }
    if !METERS.contains(&(meter.numerator, meter.denominator)) {
        return Err(LeftOut::Meter(meter.to_string()));
    }
    Ok(meter)
}

/// Median tempo until `end`, weighted by duration in quarter notes.
fn median_bpm(score: &Score, end: i64) -> f32 {
    let changes: Vec<(i64, u32)> = score.tempos.changes().collect();
    let mut spans: Vec<(u32, i64)> = Vec::with_capacity(changes.len());
    for (i, &(at, tempo)) in changes.iter().enumerate() {
        let until = changes.get(i + 1).map_or(end, |c| c.0).min(end);
        spans.push((tempo, (until - at).max(0)));
    }
    spans.sort_unstable();
    let half = spans.iter().map(|s| s.1).sum::<i64>() / 2;
    let mut sum = 0;
    let tempo = spans.iter().find(|s| {
        sum += s.1;
        sum > half
    });
    (60e6 / f64::from(tempo.map_or(changes[0].1, |s| s.0))) as f32
}

/// Makes a song of a score, or says why not. Reasons are looked for in the order of [`LeftOut`].
///
/// `min_agreement` applies to training songs only, so that it cannot make the figures look better.
pub fn qualify(score: &Score, meta: Meta, min_agreement: Option<f32>) -> Result<Song, LeftOut> {
    let (band, programs) = collect(score, meta.collect);
    let lists = || band.parts.iter().chain([&band.piano]);
    let last_onset = lists().filter_map(|l| l.last()).map(|n| n.onset).max().unwrap_or(0);
    let [drums, bass, guitar, strings] = [0, 1, 2, 3].map(|i: usize| band.parts[i].len());
    if band.piano.len() < MIN_PIANO {
        return Err(LeftOut::Piano(band.piano.len()));
    }
    if drums < MIN_DRUMS {
        return Err(LeftOut::Drums(drums));
    }
    if bass < MIN_PART {
        return Err(LeftOut::Bass(bass));
    }
    if guitar + strings < MIN_PART {
        return Err(LeftOut::GuitarAndStrings(guitar + strings));
    }
    let meter = only_meter(score, last_onset)?;
    // A pad held for minutes behind the last onset does not make the song longer.
    let bar = meter.bar_pulses();
    let end = lists().flatten().map(|n| n.onset.saturating_add(n.length.min(bar))).max().unwrap_or(0);
    let bars = usize::try_from((end + bar - 1) / bar).unwrap_or(0);
    if bars < MIN_BARS {
        return Err(LeftOut::Short(bars));
    }
    if bars > MAX_BARS {
        return Err(LeftOut::Long(bars));
    }
    if let (Some(least), Some(agreement), Split::Train) = (min_agreement, meta.agreement, meta.split)
        && agreement < least
    {
        return Err(LeftOut::Disagrees((agreement * 100.0).round() as u8));
    }
    debug_assert_eq!(bar % STEP_PULSES, 0);
    Ok(Song {
        id: meta.id,
        set: meta.set,
        tier: meta.tier,
        split: meta.split,
        genre: meta.genre,
        style: meta.style,
        group: meta.group,
        bpm: median_bpm(score, end.max(PULSES_PER_BEAT)),
        steps: bars * meter.bar_steps() as usize,
        meter,
        lead_in_bars: meta.lead_in_bars,
        parts_present: [drums, bass, guitar, strings].map(|n| n >= MIN_PART),
        programs,
        agreement: meta.agreement,
        band,
    })
}
