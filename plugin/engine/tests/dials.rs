//! What turning the dials does, measured over bars and seeds: each moves what it names, and little else.

use sideman_engine::loaded_band::{self, Music};
use sideman_engine::{Controls, Performance, Rendered, Style, StyleChoice};
use sideman_inference::weights;
use sideman_music::{MeterMap, Note, Part, TempoMap};

const BARS: i64 = 12;
const SEEDS: u64 = 4;
const MUSIC: Music = Music { bpm: 110.0, bar_steps: 16 };

/// Broken chords below a tune.
fn piano() -> Vec<Note> {
    let note = |onset, pitch, length, velocity| Note { onset, pitch, length, velocity };
    let mut notes = Vec::new();
    for bar in 0..BARS {
        let (root, at) = ([48u8, 45, 41, 43][(bar % 4) as usize], bar * 1920);
        for (i, interval) in [0, 7, 12, 16].into_iter().enumerate() {
            notes.push(note(at + i as i64 * 480, root + interval, 460, 72));
        }
        for eighth in 0..8 {
            notes.push(note(
                at + eighth * 240,
                root + [24, 28, 31, 28, 24, 26, 28, 31][eighth as usize],
                200,
                80,
            ));
        }
    }
    notes.sort_unstable();
    notes
}

/// Onsets a bar on and off the beat, by part: several drums or notes of a chord at once are one onset in
/// `onsets`, and count each in `notes`.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    on: [f64; 4],
    off: [f64; 4],
    notes: [f64; 4],
}

/// What a band plays at a seed, everybody all the time.
fn render(rules: bool, style: StyleChoice, seed: u64, change: impl Fn(&mut Controls)) -> Rendered {
    let (piano, meters, tempos) = (piano(), MeterMap::default(), TempoMap::new(&[(0, 545_455)]));
    let mut controls = Controls { seed, style, sections: 0.0, dynamics: 0.0, ..Controls::default() };
    change(&mut controls);
    let mut loaded = if rules {
        loaded_band::rules(&controls, MUSIC)
    } else {
        loaded_band::neural(weights::embedded().unwrap(), &controls, MUSIC).unwrap()
    };
    let performance = Performance::new(&piano, &meters, &tempos, loaded.settings(controls)).unwrap();
    performance.render(&mut *loaded.band, &mut |_| {})
}

/// What the dials move, over all parts.
#[derive(Debug, Default, Clone, Copy)]
struct Facts {
    /// Notes a bar.
    notes: f64,
    /// Mean velocity.
    loud: f64,
    /// Share of onsets off the beat.
    off: f64,
    /// How late the second eighths are, in pulses.
    late: f64,
    /// How far onsets are off the grid of sixteenths and eighth triplets, in pulses.
    astray: f64,
    /// Different bars of a part, of all its bars.
    variety: f64,
}

fn facts(rules: bool, style: StyleChoice, change: impl Fn(&mut Controls)) -> Facts {
    let mut f = Facts::default();
    let (mut count, mut seconds, mut different, mut bars) = (0.0, 0.0, 0usize, 0usize);
    for seed in 0..SEEDS {
        let rendered = render(rules, style, seed, &change);
        for part in Part::ALL {
            let notes: Vec<&Note> = rendered.part(part).iter().filter(|n| n.onset < BARS * 1920).collect();
            for n in &notes {
                let at = n.onset.rem_euclid(480);
                count += 1.0;
                f.loud += f64::from(n.velocity);
                f.off += f64::from(u8::from((40..440).contains(&at)));
                let grid = [0, 120, 160, 240, 320, 360, 480].into_iter().map(|g| (at - g).abs()).min();
                f.astray += grid.unwrap_or(0) as f64;
                if (200..340).contains(&at) {
                    f.late += (at - 240) as f64;
                    seconds += 1.0;
                }
            }
            let bar = |b: i64| -> Vec<(i64, u8)> {
                let inside = notes.iter().filter(|n| (n.onset + 60).div_euclid(1920) == b);
                inside.map(|n| ((n.onset + 60).rem_euclid(1920) / 120, n.pitch % 12)).collect()
            };
            // The piano's chords come round every four bars; the first time is still finding its groove.
            let all: std::collections::BTreeSet<_> = (4..BARS).map(bar).collect();
            different += all.len();
            bars += (BARS - 4) as usize;
        }
    }
    f.notes = count / (SEEDS * BARS as u64) as f64;
    (f.loud, f.off, f.astray) = (f.loud / count, f.off / count, f.astray / count);
    f.late /= f64::max(seconds, 1.0);
    f.variety = different as f64 / bars as f64;
    f
}

fn count(rules: bool, style: StyleChoice, change: impl Fn(&mut Controls)) -> Counts {
    let bars = (SEEDS * BARS as u64) as f64;
    let mut counts = Counts::default();
    for seed in 0..SEEDS {
        let rendered = render(rules, style, seed, &change);
        for part in Part::ALL {
            let i = part.index();
            let within: Vec<&Note> = rendered.part(part).iter().filter(|n| n.onset < BARS * 1920).collect();
            counts.notes[i] += within.len() as f64 / bars;
            let mut steps: Vec<i64> = within.iter().map(|n| (n.onset + 60) / 120).collect();
            steps.dedup();
            let on = steps.iter().filter(|&s| s % 4 == 0).count();
            counts.on[i] += on as f64 / bars;
            counts.off[i] += (steps.len() - on) as f64 / bars;
        }
    }
    counts
}

const STYLES: [StyleChoice; 3] =
    [StyleChoice::Auto, StyleChoice::Fixed(Style::Funk), StyleChoice::Fixed(Style::Ballad)];
const VALUES: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// Whether each value is at least the one before, but for a share of chance.
fn rises(values: &[f64], chance: f64) -> bool {
    values.windows(2).all(|w| w[1] >= w[0] * (1.0 - chance))
}

#[test]
fn density_is_how_much_a_part_plays() {
    for rules in [true, false] {
        for style in STYLES {
            for part in Part::ALL.map(Part::index) {
                let turned = VALUES.map(|d| count(rules, style, |c| c.parts[part].density = d));
                let (neutral, notes) = (turned[2], turned.map(|n| n.notes[part]));
                let chance = if rules { 0.0 } else { 0.15 };
                assert!(rises(&notes, chance), "{style} {}: {notes:?}", Part::ALL[part]);
                // What a part does not play at all it plays when asked for much of it.
                assert!(notes[4] > notes[0] + 1.5, "{style} {}: {notes:?}", Part::ALL[part]);
                assert!(notes[0] < 0.5 * neutral.notes[part] + 1.5, "{style}: {notes:?}");
                let (on, off) = (turned[0].on[part], turned[0].off[part]);
                assert!(off <= 0.25 * on + 0.2, "{style}: the main beats are left, {on} and {off}");
                for other in (0..4).filter(|&p| p != part) {
                    let moved = turned.map(|n| (n.notes[other] - neutral.notes[other]).abs());
                    let most = moved.into_iter().fold(0.0, f64::max);
                    let allowed = if rules { 0.0 } else { 3.0 + 0.45 * neutral.notes[other] };
                    assert!(most <= allowed, "{style}: {} moves {other} by {most}", Part::ALL[part]);
                }
            }
        }
    }
}

#[test]
fn complexity_is_how_much_is_played_off_the_beat() {
    for rules in [true, false] {
        for style in STYLES {
            let turned = VALUES.map(|complexity| count(rules, style, |c| c.complexity = complexity));
            let off = turned.map(|n| n.off.iter().sum::<f64>());
            let on = turned.map(|n| n.on.iter().sum::<f64>());
            let share: Vec<f64> = (0..5).map(|i| off[i] / (on[i] + off[i])).collect();
            assert!(rises(&off, 0.03) && rises(&share, 0.04), "{style}: {off:?} {share:?}");
            assert!(off[0] < 0.7 * off[2] && off[2] < 0.95 * off[4], "{style}: {off:?}");
            let moved = on.map(|n| (n / on[2] - 1.0).abs()).into_iter().fold(0.0, f64::max);
            assert!(moved <= if rules { 0.0 } else { 0.3 }, "{style}: on the beat {on:?}");
        }
    }
}

/// Facts at each value of a dial, printed.
fn turned(what: &str, rules: bool, style: StyleChoice, set: impl Fn(&mut Controls, f32)) -> [Facts; 5] {
    let facts = VALUES.map(|v| facts(rules, style, |c| set(c, v)));
    println!("{what}, {style}, {}", if rules { "rules" } else { "network" });
    for (v, f) in VALUES.iter().zip(&facts) {
        println!("  {v:.2}: {f:.2?}");
    }
    facts
}

#[test]
fn intensity_is_how_much_and_how_loudly() {
    for rules in [true, false] {
        for style in STYLES {
            let f = turned("intensity", rules, style, |c, v| c.intensity = v);
            assert!(rises(&f.map(|f| f.loud), 0.02), "{style}: {f:.2?}");
            assert!(rises(&f.map(|f| f.notes), 0.05), "{style}: {f:.2?}");
            assert!(f[0].loud < 0.8 * f[2].loud && f[4].loud > 1.15 * f[2].loud, "{style}: {f:.2?}");
            assert!(f[0].notes < 0.95 * f[2].notes && f[4].notes > 1.05 * f[2].notes, "{style}: {f:.2?}");
            assert!(f.iter().all(|x| (x.late - f[2].late).abs() < 12.0), "{style}: the timing {f:.2?}");
        }
    }
}

#[test]
fn swing_is_how_late_the_off_beats_are_and_nothing_else() {
    for rules in [true, false] {
        for style in STYLES {
            let f = turned("swing", rules, style, |c, v| c.swing = v);
            assert!(f.windows(2).all(|w| w[1].late > w[0].late + 2.0), "{style}: {f:.2?}");
            assert!(f[4].late > 60.0, "{style}: {f:.2?}");
            let same = |x: &Facts| (x.notes - f[0].notes).abs() < 0.2 && (x.loud - f[0].loud).abs() < 0.5;
            assert!(f.iter().all(same), "{style}: {f:.2?}");
        }
    }
}

#[test]
fn humanize_is_how_far_off_the_grid_and_nothing_else() {
    for rules in [true, false] {
        for style in STYLES {
            let f = turned("humanize", rules, style, |c, v| c.humanize = v);
            assert!(f[0].astray < 0.01, "{style}: {f:.2?}");
            assert!(rises(&f.map(|f| f.astray), 0.0), "{style}: {f:.2?}");
            let same = |x: &Facts| (x.notes - f[0].notes).abs() < 0.2 && (x.loud - f[0].loud).abs() < 0.5;
            assert!(f.iter().all(same), "{style}: {f:.2?}");
        }
    }
}

#[test]
fn temperature_is_variety() {
    let values = [0.1, 0.5, 1.0, 1.5, 2.0];
    for style in STYLES {
        let rules = values.map(|v| facts(true, style, |c| c.temperature = v));
        println!("temperature, {style}: {rules:.2?}");
        assert!(rises(&rules.map(|f| f.variety), 0.02), "{style}: {rules:.2?}");
        assert!(rules[4].variety > rules[0].variety + 0.05, "{style}: {rules:.2?}");
        assert!(rules.iter().all(|x| (x.notes / rules[2].notes - 1.0).abs() < 0.15), "{style}: {rules:.2?}");
        let f = values.map(|v| facts(false, style, |c| c.temperature = v));
        println!("temperature, {style}");
        f.iter().zip(values).for_each(|(f, v)| println!("  {v:.2}: {f:.2?}"));
        assert!(rises(&f.map(|f| f.variety), 0.04), "{style}: {f:.2?}");
        assert!(f[4].variety > f[0].variety + 0.08, "{style}: {f:.2?}");
        for x in f {
            assert!((0.5..1.6).contains(&(x.notes / f[2].notes)), "{style}: the amount {f:.2?}");
            assert!((x.loud / f[2].loud - 1.0).abs() < 0.2, "{style}: the loudness {f:.2?}");
        }
    }
}
