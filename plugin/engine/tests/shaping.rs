//! What shapes a whole piece: sections, parts drawn anew, two styles, the pianist's loudness, endings.

use sideman_engine::listen::Hearing;
use sideman_engine::loaded_band::{self, LoadedBand, Music};
use sideman_engine::messages::Order;
use sideman_engine::play::Player;
use sideman_engine::position::place_of;
use sideman_engine::{Controls, Performance, Rendered, Settings, Style, StyleChoice};
use sideman_inference::band::{Band, Decision, Rests, StepContext};
use sideman_inference::weights;
use sideman_music::encoding::grid::{DRUM_CLASSES, drum_class};
use sideman_music::{MeterMap, Note, Part, Pulse, TempoMap};

const BAR: Pulse = 1920;
const MUSIC: Music = Music { bpm: 110.0, bar_steps: 16 };

fn note(onset: Pulse, pitch: u8, length: Pulse, velocity: u8) -> Note {
    Note { onset, pitch, length, velocity }
}

/// A bar of broken chords below a tune, as loud as `velocity`.
fn bar(bar: i64, velocity: u8) -> Vec<Note> {
    let (root, at) = ([48u8, 45, 41, 43][(bar % 4) as usize], bar * BAR);
    let mut notes = Vec::new();
    for (i, interval) in [0, 7, 12, 16].into_iter().enumerate() {
        notes.push(note(at + i as i64 * 480, root + interval, 460, velocity));
    }
    for (i, above) in [24, 28, 31, 28, 24, 26, 28, 31].into_iter().enumerate() {
        notes.push(note(at + i as i64 * 240, root + above, 200, velocity));
    }
    notes
}

fn bars(count: i64, velocity: impl Fn(i64) -> u8) -> Vec<Note> {
    let mut notes: Vec<Note> = (0..count).flat_map(|b| bar(b, velocity(b))).collect();
    notes.sort_unstable();
    notes
}

fn neural(controls: &Controls) -> LoadedBand {
    loaded_band::neural(weights::embedded().unwrap(), controls, MUSIC).unwrap()
}

fn render(piano: &[Note], loaded: &mut LoadedBand, controls: Controls) -> Rendered {
    let (meters, tempos) = (MeterMap::default(), TempoMap::new(&[(0, 545_455)]));
    let performance = Performance::new(piano, &meters, &tempos, loaded.settings(controls)).unwrap();
    performance.render(&mut *loaded.band, &mut |_| {})
}

fn everybody(seed: u64) -> Controls {
    Controls { seed, sections: 0.0, dynamics: 0.0, ..Controls::default() }
}

/// Plays on every step in every part, and keeps what it was told of rests.
#[derive(Default)]
struct Busy(Vec<(i64, Rests)>);

impl Band for Busy {
    fn reset(&mut self, _seed: u64) {}

    fn decide(&mut self, context: &StepContext) -> Decision {
        self.0.push((context.place.bar, context.rests));
        let mut d = Decision::default();
        d.now.drums[0] = 20;
        d.now.bass =
            Some(sideman_music::encoding::grid::BassNote { pitch: 36, length: 20, velocity: 20, above: 0 });
        d.now.guitar.push(60, 20);
        d.now.strings.push(72, 20);
        d
    }
}

/// Notes of a part that begin in a bar.
fn starts(notes: &[Note], bar: i64) -> usize {
    notes.iter().filter(|n| n.onset.div_euclid(BAR) == bar).count()
}

fn play(piano: &[Note], controls: Controls, band: &mut dyn Band, steps: i64) -> [Vec<Note>; 4] {
    let (mut player, meters) = (Player::new(Settings::from(controls)), MeterMap::default());
    let (mut hearing, mut notes) = (Hearing::new(piano), <[Vec<Note>; 4]>::default());
    player.reset(band);
    for step in 0..steps {
        let place = place_of(step, &meters);
        let heard = hearing.at(&place);
        player.step(band, &place, heard, 110.0, &mut |order| {
            if let Order::Play(part, note) = order {
                notes[part.index()].push(note);
            }
        });
    }
    notes
}

#[test]
fn who_rests_starts_nothing_is_told_a_bar_ahead_and_who_is_locked_does_not_rest() {
    let piano = bars(48, |_| 80);
    let mut rested = [0; 4];
    for seed in 0..6 {
        let mut band = Busy::default();
        let controls = Controls { seed, ..Controls::default() };
        let notes = play(&piano, controls, &mut band, 47 * 16);
        for at in band.0.chunks(16) {
            let (bar, rests) = at[0];
            for part in Part::ALL.map(Part::index) {
                let played = starts(&notes[part], bar);
                assert_eq!(played == 0, rests.now[part], "seed {seed} part {part} bar {bar}: {played}");
                rested[part] += usize::from(rests.now[part]);
                if rests.now[part] {
                    let ring = notes[part].iter().filter(|n| n.onset < bar * BAR).map(Note::end).max();
                    assert!(ring.is_none_or(|end| end <= bar * BAR + 480), "it rings on");
                }
            }
            if let Some((_, next)) = band.0.get((bar as usize + 1) * 16) {
                assert_eq!(next.now, rests.next);
            }
        }
        let mut locked = controls;
        locked.parts.iter_mut().for_each(|p| p.lock = true);
        let mut band = Busy::default();
        play(&piano, locked, &mut band, 47 * 16);
        assert!(band.0.iter().skip(32).all(|(_, r)| r.now == [false; 4] || r.now[..3] == [false; 3]));
    }
    assert!(rested[3] > 60 && rested[0] < rested[3], "{rested:?}");
}

#[test]
fn the_pianist_calls_parts_in_and_sends_them_out() {
    let plays = |velocity: fn(i64) -> u8| -> usize {
        let count = |seed| {
            let mut band = Busy::default();
            play(&bars(24, velocity), Controls { seed, ..Controls::default() }, &mut band, 24 * 16);
            let late = band.0.iter().filter(|(bar, _)| *bar >= 16);
            late.flat_map(|(_, r)| r.now).filter(|rests| !rests).count()
        };
        (0..40).map(count).sum()
    };
    let (softer, even, louder) =
        (plays(|b| if b < 12 { 90 } else { 60 }), plays(|_| 75), plays(|b| if b < 12 { 60 } else { 90 }));
    assert!(softer < even && even < louder, "{softer} {even} {louder}");
}

#[test]
fn a_part_that_is_drawn_anew_plays_something_else_and_the_others_go_on() {
    let piano = bars(24, |_| 80);
    let (mut kept, mut whole, mut changed) = (0usize, 0usize, 0usize);
    // Notes in common and in all: of the part itself, and of a part while another one is drawn anew.
    let mut same = [[(0usize, 0usize); 2]; 4];
    for seed in 0..4 {
        for part in Part::ALL {
            let play = |redraws: u32| {
                let controls = everybody(seed);
                let mut loaded = neural(&controls);
                let (mut player, meters) = (Player::new(loaded.settings(controls)), MeterMap::default());
                let (mut hearing, mut notes) = (Hearing::new(&piano), Vec::new());
                player.reset(&mut *loaded.band);
                for step in 0..16 * 16 {
                    if step == 8 * 16 {
                        let mut turned = controls;
                        turned.parts[part.index()].redraws = redraws;
                        player.control(&turned);
                    }
                    let place = place_of(step, &meters);
                    let heard = hearing.at(&place);
                    player.step(&mut *loaded.band, &place, heard, 110.0, &mut |order| {
                        if let Order::Play(part, note) = order {
                            notes.push((step, part, note));
                        }
                    });
                }
                notes
            };
            let (plain, first, again, other) = (play(0), play(1), play(1), play(2));
            assert_eq!(first, again, "the same count, the same music");
            let before = |notes: &[(i64, Part, Note)]| notes.iter().take_while(|n| n.0 < 8 * 16).count();
            assert_eq!(plain[..before(&plain)], first[..before(&first)], "not before it is asked for");
            for (i, kept) in same.iter_mut().enumerate() {
                let of = |notes: &[(i64, Part, Note)]| -> std::collections::BTreeSet<(Pulse, u8)> {
                    let of_part = notes.iter().filter(|n| n.0 >= 8 * 16 && n.1.index() == i);
                    of_part.map(|n| (n.2.onset, n.2.pitch)).collect()
                };
                let (a, b) = (of(&plain), of(&first));
                let place = usize::from(i != part.index());
                kept[place].0 += a.intersection(&b).count();
                kept[place].1 += a.union(&b).count();
            }
            let of = |notes: &[(i64, Part, Note)]| -> Vec<Note> {
                notes.iter().filter(|n| n.0 >= 8 * 16 && n.1 == part).map(|n| n.2).collect()
            };
            changed += usize::from(of(&first) != of(&other));
            kept += of(&first).len();
            whole += of(&plain).len();
        }
    }
    assert!(changed >= 14, "{changed} of 16 differ from one new figure to the next");
    let share = same.map(|s| s.map(|(common, all)| common as f64 / all.max(1) as f64));
    println!("notes in common, own and others': {share:.2?}");
    for [own, others] in share {
        assert!(own < others, "{share:.2?}");
    }
    println!("notes of a part after it is drawn anew: {kept}, else {whole}");
    assert!(kept * 2 > whole && kept < whole * 2, "a part plays on: {kept} notes, else {whole}");
}

/// Onsets of each drum on each step of the bar, a bar.
fn groove(drums: &[Note], bars: i64) -> Vec<f64> {
    let mut groove = vec![0.0; 16 * DRUM_CLASSES];
    for n in drums {
        let step = ((n.onset + 60).rem_euclid(BAR) / 120) as usize;
        groove[step * DRUM_CLASSES + drum_class(n.pitch)] += 1.0 / bars as f64;
    }
    groove
}

#[test]
fn a_morphed_band_lies_between_its_styles() {
    let (piano, seeds) = (bars(16, |_| 80), 6);
    // At no distance it is the style alone, note by note.
    let style = StyleChoice::Fixed(Style::JazzSwing);
    let one = Controls { style, ..everybody(1) };
    let two = Controls { to: Some(Style::Bossa), ..one };
    assert_eq!(render(&piano, &mut neural(&one), one), render(&piano, &mut neural(&two), two));

    for (from, to) in
        [(Style::JazzSwing, Style::House), (Style::Ballad, Style::Funk), (Style::PopRock, Style::Reggae)]
    {
        let at = [0.0, 0.25, 0.5, 0.75, 1.0].map(|morph| {
            let mut mean = vec![0.0; 16 * DRUM_CLASSES];
            for seed in 0..seeds {
                let style = StyleChoice::Fixed(from);
                let controls = Controls { style, to: Some(to), morph, ..everybody(seed) };
                let rendered = render(&piano, &mut neural(&controls), controls);
                let groove = groove(&rendered.parts[0], 16);
                mean.iter_mut().zip(groove).for_each(|(a, b)| *a += b / seeds as f64);
            }
            mean
        });
        // How far the drums' groove is on its way from the one to the other.
        let dot =
            |a: &[f64]| -> f64 { (0..a.len()).map(|i| (a[i] - at[0][i]) * (at[4][i] - at[0][i])).sum() };
        let way = at.each_ref().map(|a| dot(a) / dot(&at[4]));
        println!("{from} to {to}, drums on their way: {way:.2?}");
        assert!(way.windows(2).all(|w| w[1] >= w[0] - 0.08), "{from} to {to}: {way:?}");
        assert!((0.15..0.85).contains(&way[2]), "{from} to {to}: {way:?}");
    }
}

#[test]
fn loudness_follows_the_pianist_as_far_as_it_is_told() {
    let mean = |parts: &[Vec<Note>; 4], from: i64, to: i64| -> f64 {
        let within = parts.iter().flatten().filter(|n| (from * BAR..to * BAR).contains(&n.onset));
        let (sum, count) = within.fold((0.0, 0.0), |(s, c), n| (s + f64::from(n.velocity), c + 1.0));
        sum / count
    };
    let piano = bars(24, |b| if b < 16 { 64 } else { 96 });
    for rules in [true, false] {
        let rise = [0.0, 0.5, 1.0].map(|dynamics| {
            let controls = Controls { dynamics, sections: 0.0, ..Controls::default() };
            let mut loaded = if rules { loaded_band::rules(&controls, MUSIC) } else { neural(&controls) };
            let rendered = render(&piano, &mut loaded, controls);
            mean(&rendered.parts, 20, 24) / mean(&rendered.parts, 8, 16)
        });
        println!("rules {rules}: louder by, at dynamics of 0, a half and 1: {rise:.2?}");
        // Both bands hear how loud the piano is and answer by themselves; this comes on top.
        let more = [rise[1] / rise[0], rise[2] / rise[0]];
        assert!(more[0] > 1.06 && more[1] > more[0] + 0.05 && more[1] < 1.3, "{rise:?}");
        assert!(rise[1] < 1.5, "less than the piano itself: {rise:?}");
    }
}

/// Pulse at which the last thing of the band begins, and at which it has ended.
fn end(piano: &[Note], controls: Controls) -> (Pulse, Pulse) {
    let rendered = render(piano, &mut loaded_band::rules(&controls, MUSIC), controls);
    let last = rendered.parts.iter().flatten().map(|n| n.onset).max().unwrap();
    (last, rendered.stats.end)
}

#[test]
fn the_band_ends_with_the_pianist() {
    let controls = everybody(0);
    // Fifteen bars, a slowing, and a chord that is held for four bars, or let go after a beat.
    for held in [4 * BAR, 460] {
        let mut piano = bars(15, |_| 80);
        for (at, pitch) in [(0, 67), (480, 65), (960, 62)] {
            piano.push(note(15 * BAR + at, pitch, 460, 78));
        }
        for pitch in [48, 60, 64, 67] {
            piano.push(note(16 * BAR, pitch, held, 80));
        }
        piano.sort_unstable();
        let (last, end) = end(&piano, controls);
        assert!((17 * BAR..17 * BAR + 240).contains(&last), "held {held}: the last notes at {last}");
        assert!(end <= 18 * BAR + 240, "held {held}: {end}");
    }
}

#[test]
fn the_band_plays_through_a_rest() {
    let controls = everybody(0);
    // Rests of a bar in mid-phrase, at its end and at its beginning, and a chord that is held for a bar.
    for rest in [5, 11, 12, 13, 15] {
        for holds in [false, true] {
            let mut piano: Vec<Note> =
                bars(20, |_| 80).into_iter().filter(|n| n.onset / BAR != rest).collect();
            if holds {
                piano.extend([48, 60, 64, 67].map(|p| note(rest * BAR, p, BAR - 60, 80)));
                piano.sort_unstable();
            }
            let rendered = render(&piano, &mut loaded_band::rules(&controls, MUSIC), controls);
            for bar in rest..rest + 3 {
                let crashes =
                    rendered.parts[0].iter().filter(|n| n.onset / BAR == bar && n.pitch == 49).count();
                let drums = starts(&rendered.parts[0], bar);
                assert!(
                    drums > 4,
                    "rest {rest} holds {holds}: bar {bar} has {drums} hits, {crashes} crashes"
                );
            }
        }
    }
}
