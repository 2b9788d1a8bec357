//! What a player turns while the band plays: locks, freeze, hold, fills, parts, another band.

use sideman_engine::listen::Hearing;
use sideman_engine::loaded_band::{self, LoadedBand, Music};
use sideman_engine::messages::Order;
use sideman_engine::play::Player;
use sideman_engine::position::place_of;
use sideman_engine::{Controls, RuleBand, Settings, Style, StyleChoice};
use sideman_inference::band::Band;
use sideman_inference::weights;
use sideman_music::encoding::grid::{DRUM_NAMES, drum_class};
use sideman_music::{Meter, MeterMap, Note, Part, Pulse};

const BAR: Pulse = 1920;
const STEPS: i64 = 16;

/// A player and what it played.
struct Stage {
    player: Player,
    controls: Controls,
    hearing: Hearing,
    meters: MeterMap,
    next: i64,
    notes: [Vec<Note>; 4],
    closes: usize,
}

impl Stage {
    fn new(piano: &[Note], controls: Controls, band: &mut dyn Band) -> Self {
        let mut player = Player::new(Settings::from(controls));
        player.reset(band);
        Self {
            player,
            controls,
            hearing: Hearing::new(piano),
            meters: MeterMap::default(),
            next: 0,
            notes: Default::default(),
            closes: 0,
        }
    }

    fn turn(&mut self, change: impl FnOnce(&mut Controls)) {
        change(&mut self.controls);
        self.player.control(&self.controls);
    }

    /// Plays up to a step.
    fn play(&mut self, band: &mut dyn Band, until: i64) {
        for step in self.next..until {
            let place = place_of(step, &self.meters);
            let heard = self.hearing.at(&place);
            self.player.step(band, &place, heard, 110.0, &mut |order| match order {
                Order::Play(part, note) => self.notes[part.index()].push(note),
                _ => self.closes += 1,
            });
        }
        self.next = until;
    }

    /// What a part played in a bar, from the bar line on. What comes ahead of a bar line belongs to the bar
    /// that it leads to.
    fn bar(&self, part: Part, bar: i64) -> Vec<Note> {
        self.between(part, bar * BAR, (bar + 1) * BAR)
    }

    fn between(&self, part: Part, from: Pulse, to: Pulse) -> Vec<Note> {
        let notes = self.notes[part.index()].iter().filter(|n| (from - 70..to - 70).contains(&n.onset));
        let mut notes: Vec<Note> = notes.map(|n| Note { onset: n.onset - from, ..*n }).collect();
        notes.sort_unstable();
        notes
    }
}

/// Broken chords and a tune, with other chords in every bar.
fn piano(bars: i64) -> Vec<Note> {
    let note = |onset, pitch, length, velocity| Note { onset, pitch, length, velocity };
    let mut notes = Vec::new();
    for bar in 0..bars {
        let (root, at) = (40 + (bar * 5 % 12) as u8, bar * BAR);
        for (i, interval) in [0, 7, 12, 16].into_iter().enumerate() {
            notes.push(note(at + i as i64 * 480, root + interval, 460, 72));
        }
        for (i, above) in [24, 28, 31, 28, 24, 26, 28, 31].into_iter().enumerate() {
            notes.push(note(at + i as i64 * 240, root + above, 200, 80));
        }
    }
    notes.sort_unstable();
    notes
}

const MUSIC: Music = Music { bpm: 110.0, bar_steps: 16 };

fn neural(controls: &Controls) -> LoadedBand {
    loaded_band::neural(weights::embedded().unwrap(), controls, MUSIC).unwrap()
}

/// Everybody plays all the time, however the piano is played.
fn everybody() -> Controls {
    Controls { sections: 0.0, dynamics: 0.0, ..Controls::default() }
}

/// The bands to try everything with.
fn bands(seed: u64) -> Vec<(Controls, Box<dyn Band>)> {
    let styles = [StyleChoice::Auto, StyleChoice::Fixed(Style::Funk), StyleChoice::Fixed(Style::JazzSwing)];
    let mut bands = Vec::new();
    for style in styles {
        let controls = Controls { style, seed, ..everybody() };
        bands.push((controls, neural(&controls).band));
        bands.push((controls, loaded_band::rules(&controls, MUSIC).band));
    }
    bands
}

#[test]
fn a_locked_part_repeats_two_bars_exactly_whatever_the_piano_does() {
    for (controls, mut band) in bands(2) {
        let band = &mut *band;
        let mut free = Stage::new(&piano(24), controls, band);
        free.play(band, 24 * STEPS);
        for part in Part::ALL {
            let mut stage = Stage::new(&piano(24), controls, band);
            // In the middle of a bar.
            stage.play(band, 6 * STEPS + 5);
            stage.turn(|c| c.parts[part.index()].lock = true);
            stage.play(band, 16 * STEPS);
            for bar in 7..15 {
                let expected = stage.bar(part, if bar % 2 == 0 { 4 } else { 5 });
                assert_eq!(stage.bar(part, bar), expected, "{} {part} bar {bar}", controls.style);
            }
            stage.turn(|c| c.parts[part.index()].lock = false);
            stage.play(band, 24 * STEPS);
            let after: Vec<_> = (16..24).map(|bar| stage.bar(part, bar)).collect();
            assert!(
                free.notes[part.index()].len() < 50 || after.iter().any(|b| *b != after[0]),
                "{} {part} goes on after the lock",
                controls.style
            );
            for other in Part::ALL.into_iter().filter(|&p| p != part) {
                let (locked, free) = (stage.notes[other.index()].len(), free.notes[other.index()].len());
                assert!(free < 50 || locked * 3 > free, "{other} plays on: {locked} notes, else {free}");
            }
        }
    }
}

#[test]
fn a_lock_waits_for_a_whole_bar_and_outlives_a_jump() {
    let controls = Controls { style: StyleChoice::Fixed(Style::PopRock), ..everybody() };
    let mut band = RuleBand::new(Style::PopRock);
    let mut stage = Stage::new(&piano(24), controls, &mut band);
    stage.turn(|c| c.parts[0].lock = true);
    stage.play(&mut band, 6 * STEPS);
    assert!(stage.bar(Part::Drums, 0).len() > 4);
    for bar in 1..6 {
        assert_eq!(stage.bar(Part::Drums, bar), stage.bar(Part::Drums, 0), "bar {bar}");
    }
    stage.player.reset(&mut band);
    stage.play(&mut band, 8 * STEPS);
    assert_eq!(stage.bar(Part::Drums, 7), stage.bar(Part::Drums, 0));
}

#[test]
fn a_locked_pattern_follows_the_metre() {
    let mut band = RuleBand::new(Style::PopRock);
    let mut stage = Stage::new(&piano(24), everybody(), &mut band);
    stage.meters = MeterMap::new(&[(4 * BAR, Meter { numerator: 3, denominator: 4 })]);
    stage.play(&mut band, 4 * STEPS - 3);
    stage.turn(|c| c.parts[0].lock = true);
    stage.play(&mut band, 4 * STEPS + 24);
    let onsets = |from: Pulse, length: Pulse| -> Vec<(Pulse, u8)> {
        stage.between(Part::Drums, from, from + length).iter().map(|n| (n.onset, n.pitch)).collect()
    };
    // Bars 2 and 3 of 4/4 were whole; the first of them is cut to three beats, then the second.
    assert_eq!(onsets(4 * BAR, 1440), onsets(2 * BAR, 1440));
    assert_eq!(onsets(4 * BAR + 1440, 1440), onsets(BAR, 1440));
}

#[test]
fn a_freeze_holds_through_twenty_silent_bars_and_then_lets_go() {
    for (controls, mut band) in bands(5) {
        let band = &mut *band;
        let mut stage = Stage::new(&piano(8), controls, band);
        stage.play(band, 8 * STEPS);
        stage.turn(|c| c.freeze = true);
        stage.play(band, 28 * STEPS);
        for part in Part::ALL {
            for bar in 9..27 {
                let expected = stage.bar(part, if bar % 2 == 0 { 6 } else { 7 });
                assert_eq!(stage.bar(part, bar), expected, "{} {part} bar {bar}", controls.style);
            }
        }
        assert_eq!(stage.closes, 0);
        stage.turn(|c| c.freeze = false);
        stage.play(band, 36 * STEPS);
        assert!(stage.bar(Part::Drums, 29).len() > 2, "it does not break off");
        assert!(stage.bar(Part::Drums, 33).is_empty(), "but comes to an end");
    }
}

#[test]
fn a_held_band_plays_on_and_does_not_enter_by_itself() {
    for (controls, mut band) in bands(6) {
        let band = &mut *band;
        let mut stage = Stage::new(&piano(8), Controls { hold: true, ..controls }, band);
        stage.play(band, 24 * STEPS);
        let notes = |bar: i64| Part::ALL.iter().map(|&p| stage.bar(p, bar).len()).sum::<usize>();
        let playing = notes(6);
        assert!((12..24).all(|bar| notes(bar) * 4 > playing), "{} {playing}", controls.style);
        assert_eq!(stage.closes, 0);

        let mut stage = Stage::new(&[], Controls { hold: true, ..controls }, band);
        stage.play(band, 8 * STEPS);
        assert!(stage.notes.iter().all(Vec::is_empty));
    }
}

fn hits(stage: &Stage, from: i64, to: i64) -> usize {
    stage.between(Part::Drums, from * 120, to * 120).len()
}

fn lands(stage: &Stage, step: i64) -> bool {
    let on_step: Vec<u8> =
        stage.between(Part::Drums, step * 120, step * 120 + 130).iter().map(|n| n.pitch).collect();
    let named = |name: &str| on_step.iter().any(|&key| DRUM_NAMES[drum_class(key)] == name);
    named("crash") && named("kick") && !named("hat")
}

#[test]
fn a_fill_leads_to_the_next_bar_line() {
    let (mut more, mut all, mut landings) = (0, 0, 0);
    let mut fills = std::collections::HashSet::new();
    for style in Style::ALL {
        for seed in 0..4 {
            let controls = Controls { style: StyleChoice::Fixed(style), seed, ..everybody() };
            for rules in [false, true] {
                let mut loaded = if rules { loaded_band::rules(&controls, MUSIC) } else { neural(&controls) };
                let band = &mut *loaded.band;
                let mut plain = Stage::new(&piano(8), controls, band);
                plain.play(band, 7 * STEPS);
                let mut filled = Stage::new(&piano(8), controls, band);
                // Two beats and a bit before bar 6.
                filled.play(band, 6 * STEPS - 9);
                filled.turn(|c| c.fills += 1);
                filled.play(band, 7 * STEPS);
                let (without, with) = (hits(&plain, 88, 96), hits(&filled, 88, 96));
                all += 1;
                more += usize::from(with > without);
                landings += usize::from(lands(&filled, 96));
                let fill = filled.between(Part::Drums, 88 * 120, 96 * 120);
                fills.insert(fill.iter().map(|n| (n.onset / 60, n.pitch)).collect::<Vec<_>>());
                assert!(with >= 5, "{style} {seed}: {with} hits");
                // Nothing but the drums, and they only there.
                assert_eq!(plain.notes[1..], filled.notes[1..], "{style}");
                assert_eq!(plain.bar(Part::Drums, 4), filled.bar(Part::Drums, 4), "{style}");
                let later = |s: &Stage| -> Vec<(u8, u8)> {
                    let notes = s.between(Part::Drums, 97 * 120, 112 * 120);
                    notes.iter().map(|n| (n.pitch, n.velocity)).collect()
                };
                assert_eq!(later(&plain), later(&filled), "{style}");
            }
        }
    }
    assert!(more * 5 > all * 4, "{more} of {all} fills have more hits than the groove");
    assert_eq!(landings, all);
    // Styles of a kind share fills of a seed.
    assert!(fills.len() * 2 > all, "{} different fills of {all}", fills.len());
}

#[test]
fn a_late_fill_waits_for_the_last_half_of_the_next_bar() {
    let mut band = RuleBand::new(Style::PopRock);
    let mut plain = Stage::new(&piano(8), everybody(), &mut band);
    plain.play(&mut band, 6 * STEPS);
    let mut filled = Stage::new(&piano(8), everybody(), &mut band);
    filled.play(&mut band, 4 * STEPS - 3);
    filled.turn(|c| c.fills += 1);
    filled.play(&mut band, 6 * STEPS);
    let drums = |s: &Stage, from: i64, to: i64| s.between(Part::Drums, from * 120, to * 120);
    assert_eq!(drums(&plain, 0, 72), drums(&filled, 0, 72));
    assert!(hits(&filled, 72, 80) > hits(&plain, 72, 80));
    assert!(lands(&filled, 80) && !lands(&filled, 64));
    assert_eq!(drums(&plain, 81, 95), drums(&filled, 81, 95));
}

#[test]
fn fills_are_played_over_locked_and_frozen_drums() {
    for freeze in [false, true] {
        let mut band = RuleBand::new(Style::Funk);
        let mut stage = Stage::new(&piano(4), everybody(), &mut band);
        stage.play(&mut band, 4 * STEPS);
        stage.turn(|c| {
            c.freeze = freeze;
            (c.hold, c.parts[0].lock) = (true, true);
        });
        stage.play(&mut band, 7 * STEPS + 8);
        stage.turn(|c| c.fills = c.fills.wrapping_add(1));
        stage.play(&mut band, 12 * STEPS);
        assert!(lands(&stage, 128));
        assert_ne!(stage.bar(Part::Drums, 7), stage.bar(Part::Drums, 5));
        assert_eq!(stage.bar(Part::Drums, 9), stage.bar(Part::Drums, 5), "the pattern is what it was");
        assert_eq!(stage.bar(Part::Drums, 11), stage.bar(Part::Drums, 5));
    }
}

#[test]
fn no_fill_without_drums_or_without_a_band() {
    let mut band = RuleBand::new(Style::Funk);
    let mut stage = Stage::new(&piano(8), Controls { listen_bars: 2, ..everybody() }, &mut band);
    stage.turn(|c| c.fills = 1);
    stage.play(&mut band, 2 * STEPS);
    assert!(stage.notes[0].is_empty());
    stage.play(&mut band, 3 * STEPS);
    assert!(!lands(&stage, 32), "it is not kept for later");
    stage.turn(|c| {
        c.parts[0].on = false;
        c.fills = 2;
    });
    let before = stage.notes[0].len();
    stage.play(&mut band, 6 * STEPS);
    assert_eq!(stage.notes[0].len(), before);
}

#[test]
fn parts_come_and_go() {
    for (controls, mut band) in bands(1) {
        let band = &mut *band;
        let mut stage = Stage::new(&piano(24), controls, band);
        stage.play(band, 8 * STEPS);
        stage.turn(|c| c.parts[1].on = false);
        let played = stage.notes[1].len();
        stage.play(band, 12 * STEPS);
        assert_eq!(stage.notes[1].len(), played);
        stage.turn(|c| c.parts[1].on = true);
        stage.play(band, 20 * STEPS);
        assert!(stage.notes[1].len() > played + 4, "{}: the bass comes back", controls.style);
    }
}

#[test]
fn swing_humanize_and_intensity_are_turned_live() {
    let mut band = RuleBand::new(Style::PopRock);
    let mut stage = Stage::new(&piano(16), everybody(), &mut band);
    stage.play(&mut band, 2 * STEPS);
    let astray = |s: &Stage, bar: i64| s.bar(Part::Drums, bar).iter().filter(|n| n.onset % 120 != 0).count();
    stage.turn(|c| c.humanize = 0.0);
    stage.play(&mut band, 4 * STEPS);
    assert!(astray(&stage, 1) >= 4 && astray(&stage, 3) == 0);
    let late = |s: &Stage, bar: i64| s.bar(Part::Drums, bar).iter().filter(|n| n.onset % 480 == 320).count();
    stage.turn(|c| c.swing = 1.0);
    stage.play(&mut band, 6 * STEPS);
    assert!(late(&stage, 3) == 0 && late(&stage, 5) >= 4);
    let loud = |s: &Stage, bar: i64| s.bar(Part::Bass, bar).iter().map(|n| n.velocity).max().unwrap();
    stage.turn(|c| c.intensity = 1.0);
    stage.play(&mut band, 8 * STEPS);
    assert!(loud(&stage, 7) > loud(&stage, 5) + 10);
}

#[test]
fn another_band_goes_on_at_a_bar_line() {
    let from = Controls { style: StyleChoice::Fixed(Style::Ballad), listen_bars: 2, ..everybody() };
    let to = Controls { style: StyleChoice::Fixed(Style::Funk), variation: 2, ..from };
    for rules in [false, true] {
        let make = |c: &Controls| if rules { loaded_band::rules(c, MUSIC) } else { neural(c) };
        let (mut first, mut second, mut unheard) = (make(&from), make(&to), make(&to));
        let mut stage = Stage::new(&piano(16), from, &mut *first.band);
        stage.play(&mut *first.band, 8 * STEPS);
        stage.turn(|c| *c = to);
        stage.player.change_velocities(&second.velocities);
        stage.player.change_band(&mut *second.band);
        stage.play(&mut *second.band, 12 * STEPS);
        let drums =
            |s: &Stage, bars: std::ops::Range<i64>| bars.map(|b| s.bar(Part::Drums, b).len()).sum::<usize>();
        assert!(drums(&stage, 8..9) > 4, "it plays at once");
        let mut other = make(&from);
        let mut goes_on = Stage::new(&piano(16), from, &mut *other.band);
        goes_on.play(&mut *other.band, 12 * STEPS);
        for part in [Part::Drums, Part::Bass] {
            assert_eq!(stage.bar(part, 6), goes_on.bar(part, 6));
            assert_ne!(stage.bar(part, 10), goes_on.bar(part, 10), "{part}: another band plays");
        }
        // The harmony is known, though the piano has only played on the bar line.
        let bass = stage.bar(Part::Bass, 8);
        assert_eq!(bass.first().map(|n| n.pitch % 12), Some((40 + 8 * 5 % 12) % 12), "rules {rules}");
        // Equal bands go on equally.
        let mut again = Stage::new(&piano(16), from, &mut *first.band);
        again.play(&mut *first.band, 8 * STEPS);
        again.turn(|c| *c = to);
        again.player.change_velocities(&unheard.velocities);
        again.player.change_band(&mut *unheard.band);
        again.play(&mut *unheard.band, 12 * STEPS);
        assert_eq!(stage.notes, again.notes);
    }
}

#[test]
fn variations_of_a_style_differ() {
    let play = |variation| {
        let style = StyleChoice::Fixed(Style::PopRock);
        let controls = Controls { style, variation, ..everybody() };
        let mut loaded = neural(&controls);
        let mut stage = Stage::new(&piano(4), controls, &mut *loaded.band);
        stage.play(&mut *loaded.band, 4 * STEPS);
        stage.notes
    };
    let played = [0, 1, 2, 3].map(play);
    for i in 0..4 {
        for j in 0..i {
            assert_ne!(played[i], played[j], "{i} and {j}");
        }
    }
}
