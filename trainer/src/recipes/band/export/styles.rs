//! Which songs' style codes become the styles of a weights file.

use sideman_engine::Style;
use sideman_inference::weights::StoredStyle;
use sideman_music::Part;
use sideman_nets::band::GridSong;

use super::audition::Audition;
use crate::data::{Song, Tier};
use crate::recipes::band::Library;

const STYLES: usize = Style::ALL.len();
/// Codes kept under each name in 4/4.
const PER_STYLE: usize = 8;
/// Songs whose codes are heard before those are chosen.
const CANDIDATES: usize = 24;
/// Songs by people from which on a style's codes are not heard.
const MANY: usize = 40;
/// What a song that fits counts for though the band of its code plays something else.
const FROM_SONG: f32 = 0.5;
/// Codes kept under each name in any other metre.
const PER_METRE: usize = 3;
/// Codes kept for "auto".
const FOR_AUTO: usize = 160;
/// The set of drummers alone.
const DRUMMERS: &str = "groove";
/// Codes kept for "auto" in any other metre than 4/4.
const AUTO_METRE: usize = 12;
/// Name of the codes that "auto" draws from.
const AUTO: &str = "auto";

/// Facts about a band by which styles are told apart.
struct Facts {
    bpm: f32,
    /// Share of off-beat eighths that are played as the last triplet.
    swing: f32,
    /// Share of drum steps with a hit on the ride.
    ride: f32,
    /// Share of the four beats that have a kick, in all bars.
    kick_on_beats: f32,
    /// Share of kicks on the odd 16ths.
    kick_odd: f32,
    /// Share of snares and claps that fall on beats two and four.
    backbeat: f32,
    /// Share of bars with a snare or clap on beat three alone.
    one_drop: f32,
    /// Share of drum steps with a cross-stick.
    rim: f32,
    /// Drum hits a step.
    density: f32,
    /// Share of the guitar's onsets that lie between the beats, on eighths.
    skank: f32,
    /// Share of bass onsets on the four beats.
    walk: f32,
    /// Bass program.
    bass: u8,
}

fn facts(song: &GridSong, origin: &Song) -> Facts {
    let (mut late, mut straight) = (0f32, 0f32);
    let mut drum_steps = 0f32;
    let (mut ride, mut rim, mut hits) = (0f32, 0f32, 0f32);
    let (mut kicks, mut kicks_on, mut kicks_odd) = (0f32, 0f32, 0f32);
    let (mut snares, mut back, mut third) = (0f32, 0f32, 0f32);
    let (mut guitar, mut off) = (0f32, 0f32);
    let (mut bass, mut on_beat) = (0f32, 0f32);
    for (i, step) in song.band.iter().enumerate() {
        let at = i % 16;
        for part in Part::ALL.into_iter().filter(|&p| step.plays(p)) {
            match (at % 4, step.offsets[part.index()]) {
                (3, -2) => late += 1.0,
                (2, 0) => straight += 1.0,
                _ => {}
            }
        }
        if step.plays(Part::Drums) {
            drum_steps += 1.0;
            hits += step.drums.iter().filter(|&&d| d > 0).count() as f32;
            ride += f32::from(u8::from(step.drums[8] > 0));
            rim += f32::from(u8::from(step.drums[3] > 0));
        }
        if step.drums[0] > 0 {
            kicks += 1.0;
            kicks_on += f32::from(u8::from(at % 4 == 0));
            kicks_odd += f32::from(u8::from(at % 2 == 1));
        }
        if step.drums[1] > 0 || step.drums[2] > 0 || step.drums[4] > 0 || step.drums[3] > 0 {
            snares += 1.0;
            back += f32::from(u8::from(at == 4 || at == 12));
            third += f32::from(u8::from(at == 8));
        }
        if step.plays(Part::Guitar) {
            guitar += 1.0;
            off += f32::from(u8::from(at % 4 == 2));
        }
        if step.bass.is_some() {
            bass += 1.0;
            on_beat += f32::from(u8::from(at % 4 == 0));
        }
    }
    let steps = song.band.len().max(1) as f32;
    Facts {
        bpm: song.bpm,
        swing: if late + straight > 0.0 { late / (late + straight) } else { 0.0 },
        ride: ride / drum_steps.max(1.0),
        kick_on_beats: kicks_on / (steps / 4.0).max(1.0),
        kick_odd: kicks_odd / kicks.max(1.0),
        backbeat: back / snares.max(1.0),
        one_drop: third / snares.max(1.0),
        rim: rim / drum_steps.max(1.0),
        density: hits / steps,
        skank: off / guitar.max(1.0),
        walk: on_beat / bass.max(1.0) * f32::from(u8::from(bass > steps / 5.0)),
        bass: origin.programs[1].unwrap_or(33),
    }
}

/// The style of a band in another metre than 4/4, by its label alone; none when that says nothing.
fn metre_style(origin: &Song) -> Option<&'static str> {
    let (genre, style) = (origin.genre.as_deref()?, origin.style.as_deref().unwrap_or(""));
    let label = match genre {
        "Rock" | "Pop" => Some("pop-rock"),
        "Jazz" => Some("jazz-swing"),
        "Country" => Some("country"),
        "Folk" => Some("folk"),
        "Blues" => Some("blues"),
        _ => None,
    };
    made_as(genre, style).or(label)
}

/// The style that a rule-made band was made in, by the corpus's name of it.
fn made_as(genre: &str, style: &str) -> Option<&'static str> {
    let named = [
        ("own/hiphop", "hip-hop"),
        ("own/reggaeton", ""),
        ("stdlib/ska", ""),
        ("stdlib/bluegrass", "country"),
        ("own/bossa", "bossa"),
        ("stdlib/jazzrhumba", "bossa"),
    ];
    if let Some((_, name)) = named.iter().find(|n| n.0 == style) {
        return (!name.is_empty()).then_some(name);
    }
    let made = style.starts_with("own/") || style.starts_with("stdlib/");
    let labelled = |style: &Style| made && style.labels().iter().any(|labels| labels.contains(&genre));
    Style::ALL.into_iter().find(labelled).map(Style::name)
}

/// How well a band fits each style, 0 or less for not at all. The genre label weighs most where there is
/// one; the rest is what the drums, the bass and the guitar do.
fn fit(f: &Facts, genre: &str, style: &str) -> [(&'static str, f32); STYLES] {
    let label = |names: &[&str]| if names.contains(&genre) { 1.0 } else { 0.0 };
    let made = |name: &str| if made_as(genre, style) == Some(name) { 1.0 } else { 0.0 };
    let near = |v: f32, low: f32, high: f32| if (low..=high).contains(&v) { 1.0 } else { 0.0 };
    let rock = label(&["Rock", "Pop"]) + made("pop-rock");
    [
        ("pop-rock", (0.5 + rock) * near(f.bpm, 90.0, 150.0) * near(f.swing, 0.0, 0.1) * f.backbeat),
        (
            "ballad",
            near(f.bpm, 50.0, 84.0)
                * near(f.density, 0.2, 1.1)
                * near(f.swing, 0.0, 0.2)
                * (0.5 + f.backbeat + made("ballad")),
        ),
        (
            "house",
            (label(&["Electronic"]) + made("house") + 0.3)
                * near(f.bpm, 112.0, 140.0)
                * near(f.kick_on_beats, 0.8, 9.0),
        ),
        (
            "jazz-swing",
            (label(&["Jazz"]) + made("jazz-swing") + 0.2)
                * near(f.swing, 0.35, 1.0)
                * (0.3 + f.ride + 0.3 * f.walk),
        ),
        (
            "bossa",
            (label(&["Latin", "International"]) * 0.5 + f.rim + made("bossa"))
                * near(f.swing, 0.0, 0.1)
                * near(f.rim, 0.12, 1.0),
        ),
        ("country", label(&["Country"]) + made("country")),
        ("blues", label(&["Blues"]) + made("blues") * near(f.swing, 0.2, 1.0)),
        (
            "funk",
            (label(&["RnB"]) + 0.3 + made("funk") + if f.bass == 36 || f.bass == 37 { 0.4 } else { 0.0 })
                * near(f.kick_odd, 0.12, 1.0)
                * near(f.bpm, 85.0, 125.0)
                * f.backbeat,
        ),
        ("hip-hop", (label(&["Rap"]) + made("hip-hop")) * near(f.bpm, 60.0, 125.0)),
        (
            "reggae",
            (label(&["Reggae"]) + made("reggae") + f.one_drop)
                * near(f.skank + f.one_drop, 0.5, 3.0)
                * near(f.one_drop, 0.4, 1.0),
        ),
        ("folk", (label(&["Folk"]) + made("folk")) * near(f.density, 0.05, 1.4)),
    ]
}

/// Share of the bars with a piano in which each part plays, 1 for a part that the song does not have.
fn shares(song: &GridSong) -> [f32; 4] {
    let piano = song.frames.chunks(usize::from(song.bar_steps.max(1)));
    let (mut plays, mut bars) = ([0f32; 4], 0f32);
    for (rests, frames) in song.rests().iter().zip(piano) {
        if frames.iter().any(|f| f.keys > 0) {
            bars += 1.0;
            (0..4).for_each(|p| plays[p] += f32::from(u8::from(!rests[p])));
        }
    }
    plays.map(|n| n / bars.max(1.0))
}

/// How well a band of four parts in 4/4 fits each style, as [`choose`] ranks songs: the style's name, and 0 or
/// less for not at all.
pub(crate) fn fits(song: &GridSong, origin: &Song) -> [(&'static str, f32); STYLES] {
    let genre = origin.genre.as_deref().unwrap_or("");
    let style = origin.style.as_deref().unwrap_or("");
    fit(&facts(song, origin), genre, style)
}

/// How well what the band of a song's code plays fits each style, the mean over some pianos.
fn plays(train: &Library, i: usize, code: &[f32], audition: &Audition<'_>) -> [f32; STYLES] {
    let heard = audition.hear(code, train.songs[i].bpm);
    let mut mean = [0.0; STYLES];
    for band in &heard {
        for (m, (_, fit)) in mean.iter_mut().zip(fits(band, &train.origins[i])) {
            *m += fit / heard.len() as f32;
        }
    }
    mean
}

/// Whether the drums are a kit: kick and snare in some bars at least, and not hand percussion or effects above
/// all.
fn has_kit(song: &GridSong) -> bool {
    let bars = (song.band.len() / 16).max(1) as f32;
    let count = |classes: std::ops::RangeInclusive<usize>| -> f32 {
        song.band.iter().map(|s| classes.clone().filter(|&c| s.drums[c] > 0).count()).sum::<usize>() as f32
    };
    count(0..=0) >= bars / 2.0 && count(1..=4) >= bars / 4.0 && count(13..=15) <= 0.7 * count(0..=15)
}

/// Chooses the codes: for each named style the songs in 4/4 that fit it best and whose codes play so, and songs in other metres that are
/// labelled so; for "auto" songs of all kinds with a kit, spread evenly over the tempos, and some in each
/// other metre. Only clean songs count.
pub(super) fn choose(train: &Library, codes: &[Vec<f32>], audition: &Audition<'_>) -> Vec<StoredStyle> {
    let mut ranked: Vec<Vec<(f32, usize)>> = vec![vec![]; STYLES];
    let names = Style::ALL.map(Style::name);
    let (mut open, mut others) = (vec![], vec![]);
    let research = train.origins.iter().any(|o| o.tier == Tier::Research);
    for (i, (song, origin)) in train.songs.iter().zip(&train.origins).enumerate() {
        let clean =
            origin.on_grid >= 0.7 && origin.agreement.is_none_or(|a| a >= 0.6) && song.band.len() >= 32 * 16;
        if !clean {
            continue;
        }
        if song.bar_steps != 16 {
            if let Some(k) = metre_style(origin) {
                others.push((song.bar_steps, names.iter().position(|s| *s == k).unwrap_or(0), i));
            }
            continue;
        }
        // A drummer set over another band is no band of its own where there are others.
        let whole = origin.set != DRUMMERS || !research;
        let made = origin.set.starts_with("pairs_mma") || origin.set == "mma_synth";
        if !made && whole && has_kit(song) {
            open.push(i);
        }
        // A named style is asked for with any parts, so its songs should have them all.
        if song.parts != [true; 4] {
            continue;
        }
        for (k, (_, fit)) in fits(song, origin).into_iter().enumerate() {
            // Bands that people played come first.
            let fit = fit * if song.tier == 1.0 { 1.0 } else { 0.5 };
            if fit > 0.0 {
                ranked[k].push((fit, i));
            }
        }
    }
    let stored = |name: &str, i: usize| StoredStyle {
        style: name.to_owned(),
        bpm: train.songs[i].bpm,
        bar_steps: train.songs[i].bar_steps,
        programs: train.origins[i].programs,
        share: Some(shares(&train.songs[i])),
        code: codes[i].clone(),
    };
    let mut out = vec![];
    for (k, (name, list)) in names.into_iter().zip(&mut ranked).enumerate() {
        list.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        // A style that people played in many songs is in their codes; of bands made by rules, which the network
        // plays as people would, one has to hear what comes of them.
        let few = list.iter().filter(|c| train.songs[c.1].tier == 1.0).count() < MANY;
        // Versions of one song count once.
        let mut groups = vec![];
        let mut candidates: Vec<(f32, usize)> = vec![];
        for &(fit, i) in list.iter() {
            if groups.len() == CANDIDATES {
                break;
            }
            if !groups.contains(&&train.origins[i].group) {
                groups.push(&train.origins[i].group);
                if !few {
                    candidates.push((fit, i));
                    continue;
                }
                let heard = plays(train, i, &codes[i], audition);
                // What could as well be another style is none.
                let other = (0..heard.len()).filter(|&j| j != k).map(|j| heard[j]).fold(0.0, f32::max);
                candidates.push((fit * (FROM_SONG + (heard[k] - other).max(0.0)), i));
            }
        }
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        out.extend(candidates.into_iter().take(PER_STYLE).map(|(_, i)| stored(name, i)));
    }
    others.sort_unstable();
    for group in others.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        // Evenly out of all that there are, versions of one song together.
        let count = PER_METRE.min(group.len());
        out.extend((0..count).map(|k| stored(names[group[0].1], group[k * group.len() / count].2)));
    }
    for bar_steps in [8, 12, 24] {
        let of: Vec<usize> = others.iter().filter(|o| o.0 == bar_steps).map(|o| o.2).collect();
        let count = AUTO_METRE.min(of.len());
        out.extend((0..count).map(|k| stored(AUTO, of[k * of.len() / count])));
    }
    open.sort_by(|&a, &b| train.songs[a].bpm.total_cmp(&train.songs[b].bpm).then(a.cmp(&b)));
    let n = open.len();
    let mut last = usize::MAX;
    for k in 0..FOR_AUTO.min(n) {
        let i = open[k * n / FOR_AUTO.min(n)];
        if i != last {
            out.push(stored(AUTO, i));
        }
        last = i;
    }
    out
}
