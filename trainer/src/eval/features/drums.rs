//! What the kit plays: which drums where in the bar.

use super::{Features, GridNote, chords};

/// Drum classes that are looked at position by position, and their groups.
const GROUPS: [(&str, &[u8]); 6] = [
    ("kick on step", &[0]),
    ("snare on step", &[1, 2, 3, 4]),
    ("hat on step", &[5, 6]),
    ("open hat or ride on step", &[7, 8]),
    ("tom on step", &[10, 11, 12]),
    ("other drum on step", &[9, 13, 14, 15]),
];

pub(super) fn describe(notes: &[GridNote], f: &mut Features) {
    let mut bars = [[0u8; 16]; GROUPS.len()];
    let mut hits = [0.0; 16];
    for n in notes {
        hits[usize::from(n.symbol)] += 0.25;
        for (g, (_, classes)) in GROUPS.iter().enumerate() {
            if classes.contains(&n.symbol) {
                bars[g][n.position()] |= 1 << n.bar();
            }
        }
    }
    for (g, (name, _)) in GROUPS.iter().enumerate() {
        f.put_all(name, bars[g].map(|b| f64::from(b.count_ones()) / 4.0));
    }
    f.put_all("hits a bar by class", hits);
    let total = hits.iter().sum::<f64>().max(0.25);
    f.put_all("share by class", hits.map(|h| h / total));
    f.put("classes in use", hits.iter().filter(|&&h| h > 0.0).count() as f64);
    let classes = |c: &[GridNote]| c.iter().fold(0u16, |set, n| set | 1 << n.symbol);
    let sets: Vec<u16> = chords(notes).into_iter().map(classes).collect();
    f.put_shares::<5>("drums at once", sets.iter().map(|s| s.count_ones() as usize - 1));
    let share =
        |so: &dyn Fn(u16) -> bool| sets.iter().filter(|&&s| so(s)).count() as f64 / sets.len().max(1) as f64;
    const CYMBALS: u16 = 1 << 5 | 1 << 7 | 1 << 8;
    const SNARES: u16 = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4;
    f.put("kick with snare", share(&|s| s & 1 != 0 && s & SNARES != 0));
    f.put("kick with hat or ride", share(&|s| s & 1 != 0 && s & CYMBALS != 0));
    f.put("kick alone", share(&|s| s == 1));
    f.put("snare with hat or ride", share(&|s| s & SNARES != 0 && s & CYMBALS != 0));
    f.put("snare alone", share(&|s| s & SNARES != 0 && s & !SNARES == 0));
    f.put("crash with kick", share(&|s| s & 1 != 0 && s & 1 << 9 != 0));
    let last =
        |classes: &[u8]| notes.iter().filter(|n| n.step >= 56 && classes.contains(&n.symbol)).count() as f64;
    f.put("toms in the last half-bar", last(&[10, 11, 12]));
    f.put("snares in the last half-bar", last(&[1, 2, 3, 4]));
    let crashes = notes.iter().filter(|n| n.symbol == 9);
    f.put_shares::<4>("crash by bar", crashes.map(GridNote::bar));
}
