//! Which files can teach a band: the rules, and the reasons for leaving a file out.

use serde::{Deserialize, Serialize};
use sideman_music::score::BandScore;
use sideman_music::time::PULSES_PER_BEAT;
use sideman_music::{Meter, Pulse, STEP_PULSES, Score};

use super::song::{Song, collect, lists, lists_mut};
use super::source::{Meta, Split};

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
pub const METERS: [Meter; 4] = [
    Meter::COMMON,
    Meter { numerator: 3, denominator: 4 },
    Meter { numerator: 6, denominator: 8 },
    Meter { numerator: 12, denominator: 8 },
];

/// Why a file does not become a song.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LeftOut {
    /// The file is listed but could not be fetched.
    Missing(String),
    /// The file is damaged or not what its name says.
    Unreadable(String),
    /// Too few piano notes.
    Piano(usize),
    /// Too few drum notes.
    Drums(usize),
    /// Too few bass notes.
    Bass(usize),
    /// Too few guitar and strings notes together.
    GuitarAndStrings(usize),
    /// The whole file is in another metre than those in [`METERS`].
    Meter(String),
    /// The metre changes, and no stretch in one metre is long enough; the bars of the longest.
    MeterChanges(usize),
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
            Self::Piano(_) => "fewer than 64 piano notes",
            Self::Drums(_) => "fewer than 64 drum notes",
            Self::Bass(_) => "fewer than 32 bass notes",
            Self::GuitarAndStrings(_) => "fewer than 32 guitar and strings notes",
            Self::Meter(_) => "another metre",
            Self::MeterChanges(_) => "metre changes too often",
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
            Self::Piano(n) | Self::Bass(n) | Self::Drums(n) | Self::GuitarAndStrings(n) => {
                format!("{n} notes")
            }
            Self::MeterChanges(n) | Self::Short(n) | Self::Long(n) => format!("{n} bars"),
            Self::Disagrees(p) => format!("{p} %"),
        }
    }
}

/// Notes of each part, or the reason why a band with so few does not teach.
fn enough(band: &BandScore) -> Result<[usize; 4], LeftOut> {
    let counts @ [drums, bass, guitar, strings] = [0, 1, 2, 3].map(|i: usize| band.parts[i].len());
    // A drummer alone teaches drumming, whatever the piano plays.
    if band.piano.is_empty() && bass + guitar + strings == 0 && drums >= MIN_DRUMS {
        return Ok(counts);
    }
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
    Ok(counts)
}

/// A stretch of a file in one metre.
struct Stretch {
    start: Pulse,
    /// `None` for the rest of the file.
    end: Option<Pulse>,
    meter: Meter,
}

/// The longest stretch up to the last onset in one of [`METERS`].
fn longest_stretch(score: &Score, last_onset: Pulse) -> Result<Stretch, LeftOut> {
    let changes: Vec<(Pulse, Meter)> =
        score.meters.changes().take_while(|&(at, _)| at == 0 || at <= last_onset).collect();
    let length = |s: &Stretch| s.end.unwrap_or(last_onset + 1) - s.start;
    let stretches = changes.iter().enumerate().map(|(i, &(start, meter))| Stretch {
        start,
        end: changes.get(i + 1).map(|next| next.0),
        meter,
    });
    let best = stretches.filter(|s| METERS.contains(&s.meter)).max_by_key(length);
    let whole = changes.len() == 1;
    match best {
        Some(s) if whole || (length(&s) / s.meter.bar_pulses()) as usize >= MIN_BARS => Ok(s),
        Some(s) => Err(LeftOut::MeterChanges((length(&s) / s.meter.bar_pulses()) as usize)),
        None if whole => Err(LeftOut::Meter(changes[0].1.to_string())),
        None => Err(LeftOut::MeterChanges(0)),
    }
}

/// Cuts a band to a stretch and counts its time from there. Returns whether notes were cut off.
fn cut(band: &mut BandScore, stretch: &Stretch) -> bool {
    let bar = stretch.meter.bar_pulses();
    // The change of metre may cut the last bar short; what is in it belongs to no whole bar.
    let end = stretch.end.map_or(Pulse::MAX, |end| stretch.start + (end - stretch.start) / bar * bar);
    // A note played a little ahead of its beat belongs to it.
    let ahead = STEP_PULSES / 2;
    let notes = |band: &BandScore| lists(band).map(<[_]>::len).sum::<usize>();
    let before = notes(band);
    for list in lists_mut(band) {
        list.retain_mut(|n| {
            let inside = n.onset >= stretch.start - ahead && n.onset < end.saturating_sub(ahead);
            n.length = n.length.min(end - n.onset.min(end));
            n.onset = (n.onset - stretch.start).max(0);
            inside
        });
        list.sort_unstable();
    }
    notes(band) != before
}

/// Share of onsets near a 16th or a triplet eighth, see [`Song::on_grid`].
fn on_grid(band: &BandScore) -> f32 {
    let near = |onset: Pulse, grid: Pulse| {
        let r = onset.rem_euclid(grid);
        r.min(grid - r) <= 12
    };
    let (mut hits, mut all) = (0usize, 0usize);
    for n in lists(band).flatten() {
        hits += usize::from(near(n.onset, STEP_PULSES) || near(n.onset, PULSES_PER_BEAT / 3));
        all += 1;
    }
    hits as f32 / all.max(1) as f32
}

/// Makes a song of a score, or says why not.
///
/// A file whose metre changes gives its longest stretch in one metre. `min_agreement` applies to training
/// songs only, so that it cannot make the figures look better.
///
/// # Errors
/// The first rule that the file does not meet.
pub fn qualify(score: &Score, meta: Meta, min_agreement: Option<f32>) -> Result<Song, LeftOut> {
    let (mut band, programs) = collect(score, meta.collect);
    enough(&band)?;
    let last_onset = lists(&band).filter_map(<[_]>::last).map(|n| n.onset).max().unwrap_or(0);
    let stretch = longest_stretch(score, last_onset)?;
    let excerpt = cut(&mut band, &stretch);
    let counts = enough(&band)?;
    let bar = stretch.meter.bar_pulses();
    // A pad held for minutes behind the last onset does not make the song longer.
    let end = lists(&band).flatten().map(|n| n.onset.saturating_add(n.length.min(bar))).max().unwrap_or(0);
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
    Ok(Song {
        id: meta.id,
        set: meta.set,
        tier: meta.tier,
        split: meta.split,
        genre: meta.genre,
        style: meta.style,
        group: meta.group,
        bpm: score.tempos.median_bpm(stretch.start, stretch.start + end),
        steps: bars * stretch.meter.bar_steps() as usize,
        meter: stretch.meter,
        excerpt,
        lead_in_bars: meta.lead_in_bars,
        parts_present: counts.map(|n| n >= MIN_PART),
        programs,
        agreement: meta.agreement,
        on_grid: on_grid(&band),
        band,
    })
}

/// What is odd about a song that is kept all the same, for the report.
pub fn remarks(song: &Song) -> Vec<&'static str> {
    let mut out = Vec::new();
    if song.excerpt {
        out.push("longest stretch in one metre of a file in several");
    }
    if song.agreement.is_some_and(|a| a < 0.5) {
        out.push("bass agrees with the piano on fewer than half of the downbeats");
    }
    if song.on_grid < 0.6 {
        out.push("played freely, or the beat is not where the file has it");
    }
    if song.meter == Meter::COMMON {
        let bass = &song.band.parts[1];
        let near = |offset: Pulse| {
            let half = 2 * PULSES_PER_BEAT;
            bass.iter()
                .filter(|n| (n.onset + STEP_PULSES / 2 - offset).rem_euclid(half) < STEP_PULSES)
                .count()
        };
        // A walking bass has as many on each; reggae and some soul are so on purpose.
        if 2 * near(PULSES_PER_BEAT) > 3 * near(0) {
            out.push("bass rather on beats two and four than on one and three");
        }
    }
    out
}
