//! When a part plays, and how much of it comes again: the same for all parts.

use std::collections::BTreeSet;

use super::{EXCERPT_BARS, Features, GridNote, chords, deviation, mean};

/// Class of a distance in steps: 1, 2, 3, 4, 5-6, 7-8, 9-12, 13-16, more.
pub(super) fn distance_class(steps: i64) -> usize {
    match steps {
        i64::MIN..=1 => 0,
        2 => 1,
        3 => 2,
        4 => 3,
        5..=6 => 4,
        7..=8 => 5,
        9..=12 => 6,
        13..=16 => 7,
        _ => 8,
    }
}

/// Strength of a position in the bar: 4 on the bar, 3 on its middle, 2 on beats, 1 on 8ths, 0 on 16ths.
fn strength(position: usize) -> u32 {
    (position as u32 | 16).trailing_zeros()
}

pub(super) fn describe(notes: &[GridNote], f: &mut Features) {
    let chords = chords(notes);
    let steps: Vec<i64> = chords.iter().map(|c| c[0].step).collect();
    let mut onsets = [0u16; EXCERPT_BARS];
    let mut contents: [BTreeSet<(usize, u8)>; EXCERPT_BARS] = Default::default();
    let mut counts = [0.0; EXCERPT_BARS];
    for n in notes {
        onsets[n.bar()] |= 1 << n.position();
        contents[n.bar()].insert((n.position(), n.symbol));
        counts[n.bar()] += 1.0;
    }
    f.put_all("onset on step", (0..16).map(|p| share(&onsets, |&b| b >> p & 1 == 1)));
    let onset_counts = onsets.map(|b| f64::from(b.count_ones()));
    f.put("notes a bar", mean(&counts));
    f.put("notes a bar, spread", deviation(&counts));
    f.put("onsets a bar", mean(&onset_counts));
    f.put("onsets a bar, spread", deviation(&onset_counts));
    f.put("last bar's onsets over the others'", onset_counts[3] - mean(&onset_counts[..3]));
    f.put("empty bars", share(&onsets, |&b| b == 0));
    f.put("notes an onset", mean(&chords.iter().map(|c| c.len() as f64).collect::<Vec<_>>()));
    f.put_shares::<9>("steps between onsets", steps.windows(2).map(|w| distance_class(w[1] - w[0])));
    f.put_shares::<5>("strength of onsets", steps.iter().map(|s| strength(*s as usize % 16) as usize));

    for (lag, [alike, equal, same]) in [
        ["rhythm, 1 bar on", "equal, 1 bar on", "notes again, 1 bar on"],
        ["rhythm, 2 bars on", "equal, 2 bars on", "notes again, 2 bars on"],
        ["rhythm, 3 bars on", "equal, 3 bars on", "notes again, 3 bars on"],
    ]
    .into_iter()
    .enumerate()
    {
        let pairs: Vec<(usize, usize)> = (0..EXCERPT_BARS - lag - 1).map(|b| (b, b + lag + 1)).collect();
        f.put(alike, share(&pairs, |&(a, b)| onsets[a] == onsets[b]));
        f.put(equal, share(&pairs, |&(a, b)| contents[a] == contents[b]));
        let again = pairs.iter().map(|&(a, b)| {
            let all = contents[a].union(&contents[b]).count();
            if all == 0 { 1.0 } else { contents[a].intersection(&contents[b]).count() as f64 / all as f64 }
        });
        f.put(same, mean(&again.collect::<Vec<_>>()));
    }
    let rhythms: BTreeSet<u16> = onsets.into_iter().collect();
    let bars: BTreeSet<&BTreeSet<(usize, u8)>> = contents.iter().collect();
    f.put("different rhythms", rhythms.len() as f64);
    f.put("different bars", bars.len() as f64);

    // The rhythm against itself within the bar: one long row of 64 steps.
    let row = onsets.iter().rev().fold(0u64, |row, &b| row << 16 | u64::from(b));
    f.put_all(
        "rhythm against itself",
        [2, 3, 4, 6, 8].map(|lag| {
            let both = row & (row >> lag);
            f64::from(both.count_ones()) / f64::from(row.count_ones()).max(1.0)
        }),
    );
    // Syncopation after Longuet-Higgins and Lee (1984): an onset that no onset follows before a stronger
    // position counts by how much stronger that is.
    let syncopation: u32 = (0..63u32)
        .filter(|&s| row >> s & 1 == 1)
        .map(|s| {
            let next = (row >> (s + 1)).trailing_zeros() + s + 1;
            let stronger = (s + 1..next.min(64)).map(|p| strength(p as usize % 16)).max().unwrap_or(0);
            stronger.saturating_sub(strength(s as usize % 16))
        })
        .sum();
    f.put("syncopation", f64::from(syncopation) / EXCERPT_BARS as f64);
}

/// Share of items that something is true of; 0 of nothing.
fn share<T>(items: &[T], mut so: impl FnMut(&T) -> bool) -> f64 {
    items.iter().filter(|i| so(i)).count() as f64 / items.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use sideman_music::family::Part;
    use sideman_music::score::Note;
    use sideman_music::time::STEP_PULSES;

    fn at(step: i64, pitch: u8) -> GridNote {
        let note = Note { onset: step * STEP_PULSES, pitch, length: 60, velocity: 80 };
        GridNote::new(Part::Bass, &note, 0)
    }

    fn value(f: &Features, name: &str) -> f32 {
        let i = (0..f.values.len()).find(|&i| f.name(i) == name).unwrap_or_else(|| panic!("no '{name}'"));
        f.values[i]
    }

    fn described(notes: &[GridNote]) -> Features {
        let mut f = Features::default();
        describe(notes, &mut f);
        f
    }

    #[test]
    fn strengths_follow_the_metre() {
        assert_eq!([0, 8, 4, 12, 2, 1, 15].map(strength), [4, 3, 2, 2, 1, 0, 0]);
    }

    #[test]
    fn repetition_is_counted_by_bars() {
        // Bars A A B A: B has the rhythm of A with another note.
        let notes: Vec<_> = [0, 16, 48].iter().flat_map(|&b| [at(b, 1), at(b + 4, 1)]).collect();
        let mut notes = notes;
        notes.extend([at(32, 2), at(36, 1)]);
        notes.sort_by_key(|n| n.step);
        let f = described(&notes);
        assert_eq!(value(&f, "rhythm, 1 bar on"), 1.0);
        assert_eq!(value(&f, "equal, 1 bar on"), 1.0 / 3.0);
        assert_eq!(value(&f, "notes again, 1 bar on"), ((1.0 + 2.0 / 3.0) / 3.0) as f32);
        assert_eq!(value(&f, "equal, 2 bars on"), 0.5);
        assert_eq!(value(&f, "equal, 3 bars on"), 1.0);
        assert_eq!((value(&f, "different rhythms"), value(&f, "different bars")), (1.0, 2.0));
        assert_eq!(value(&f, "onset on step[4]"), 1.0);
        assert_eq!((value(&f, "notes a bar"), value(&f, "notes a bar, spread")), (2.0, 0.0));
        assert_eq!(value(&f, "steps between onsets[3]"), 4.0 / 7.0);
        assert_eq!(value(&f, "rhythm against itself[2]"), 0.5);
    }

    #[test]
    fn held_offbeats_are_syncopated() {
        // Onsets on 0 and 3 of the first bar: 0 sounds over 1 and 2, which are weaker; 3 over everything up
        // to the end, in which the bar line (4) is 4 stronger.
        assert_eq!(value(&described(&[at(0, 1), at(3, 1)]), "syncopation"), 1.0);
        assert_eq!(value(&described(&[at(0, 1), at(16, 1), at(32, 1), at(48, 1)]), "syncopation"), 0.0);
    }
}
