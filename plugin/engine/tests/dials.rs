//! What turning complexity and density does, measured over bars and seeds.

// The lists in clippy.toml are for src/rt.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::disallowed_macros)]

use sideman_engine::seat::{self, Music};
use sideman_engine::{Controls, Performance, Style, StyleChoice};
use sideman_models::weights;
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

fn count(rules: bool, style: StyleChoice, change: impl Fn(&mut Controls)) -> Counts {
    let (piano, meters, tempos) = (piano(), MeterMap::default(), TempoMap::new(&[(0, 545_455)]));
    let bars = (SEEDS * BARS as u64) as f64;
    let mut counts = Counts::default();
    for seed in 0..SEEDS {
        let mut controls = Controls { seed, style, ..Controls::default() };
        change(&mut controls);
        let mut seat = if rules {
            seat::rules(&controls, MUSIC)
        } else {
            seat::neural(weights::embedded().unwrap(), &controls, MUSIC).unwrap()
        };
        let settings = seat.settings(controls);
        let performance = Performance::new(&piano, &meters, &tempos, settings).unwrap();
        let rendered = performance.render(&mut *seat.band, &mut |_| {});
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
            assert!(rises(&off, 0.03) && rises(&share, 0.03), "{style}: {off:?} {share:?}");
            assert!(off[0] < 0.7 * off[2] && off[2] < 0.95 * off[4], "{style}: {off:?}");
            let moved = on.map(|n| (n / on[2] - 1.0).abs()).into_iter().fold(0.0, f64::max);
            assert!(moved <= if rules { 0.0 } else { 0.3 }, "{style}: on the beat {on:?}");
        }
    }
}
