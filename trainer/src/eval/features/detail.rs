//! What only a look into the file shows: single velocities and pulses, and the inside of a chord.

use std::collections::BTreeSet;

use sideman_music::family::Part;

use super::touch::{share, variety};
use super::{Features, GridNote, chords, deviation, mean, quantile};

pub(super) fn describe(part: Part, notes: &[GridNote], f: &mut Features) {
    f.put_all("different exact velocities", variety(notes.iter().map(|n| i64::from(n.velocity))));
    f.put_shares::<4>("last two bits of velocity", notes.iter().map(|n| usize::from(n.velocity & 3)));
    let moves: Vec<f64> =
        notes.windows(2).map(|w| (f64::from(w[1].velocity) - f64::from(w[0].velocity)).abs()).collect();
    f.put_all("exact velocity from note to note", [mean(&moves), share(&moves, |m| m == 0.0)]);

    let late: Vec<f64> = notes.iter().map(|n| n.late_pulses as f64).collect();
    f.put_all("pulses late", [mean(&late), deviation(&late)]);
    f.put("exactly on a 16th", share(&late, |l| l == 0.0));
    f.put("within 5 pulses of a 16th", share(&late, |l| l.abs() <= 5.0));
    f.put("exactly on a tick", share(&late, |l| l % 20.0 == 0.0));
    let different: BTreeSet<i64> = notes.iter().map(|n| n.late_pulses).collect();
    f.put("different lateness", different.len() as f64 / notes.len().max(1) as f64);

    let chords: Vec<&[GridNote]> = chords(notes).into_iter().filter(|c| c.len() > 1).collect();
    let inside = |of: fn(&GridNote) -> f64| -> Vec<f64> {
        chords.iter().map(|c| deviation(&c.iter().map(of).collect::<Vec<_>>())).collect()
    };
    for (name, spread) in [
        ("velocity inside chords", inside(|n| f64::from(n.velocity))),
        ("lateness inside chords", inside(|n| n.late_pulses as f64)),
    ] {
        f.put_all(name, [mean(&spread), share(&spread, |s| s == 0.0)]);
    }
    // How long a drum note is written means nothing.
    if part != Part::Drums {
        f.put_all("different exact lengths", variety(notes.iter().map(|n| n.length)));
        let mut lengths: Vec<f64> = notes.iter().map(|n| n.length as f64).collect();
        lengths.sort_by(f64::total_cmp);
        f.put_all("exact length, quantile", [0.1, 0.25, 0.5, 0.75, 0.9].map(|q| quantile(&lengths, q)));
        let spread = inside(|n| n.length as f64);
        f.put_all("length inside chords", [mean(&spread), share(&spread, |s| s == 0.0)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sideman_music::score::Note;

    #[test]
    fn single_pulses_and_bits_are_seen() {
        let at = |onset, pitch, velocity| {
            GridNote::new(Part::Guitar, &Note { onset, pitch, length: 60, velocity }, 0)
        };
        let notes = [at(0, 40, 100), at(4, 45, 103), at(240, 40, 101), at(500, 40, 101)];
        let mut f = Features::default();
        describe(Part::Guitar, &notes, &mut f);
        let value = |name: &str| {
            let i = (0..f.values.len()).find(|&i| f.name(i) == name).unwrap_or_else(|| panic!("no '{name}'"));
            f.values[i]
        };
        assert_eq!(
            (value("last two bits of velocity[0]"), value("last two bits of velocity[1]")),
            (0.25, 0.5)
        );
        assert_eq!((value("exactly on a 16th"), value("exactly on a tick")), (0.5, 0.75));
        assert_eq!((value("velocity inside chords[0]"), value("lateness inside chords[0]")), (1.5, 2.0));
        assert_eq!(value("different exact velocities[0]"), 3.0);
    }
}
