//! What holds of every style in every metre, whatever the piano does.

use proptest::prelude::*;
use sideman_inference::band::{Dials, Rests};
use sideman_music::encoding::grid::{BASS_HIGH, BASS_LOW, LENGTH_BINS, VELOCITY_BINS};
use sideman_music::listen::frames;
use sideman_music::{Meter, MeterMap, Note};

use super::tests::notes;
use super::*;
use crate::kit::{BELL, CRASH, HAT, HIGH_TOM, LOW_TOM, MID_TOM, OPEN, PEDAL, RIDE, RIM, SHAKER, SNARE};
use crate::position::place_of;

/// Metres with patterns of their own, and some without.
const METRES: [(u8, u8); 4] = [(4, 4), (3, 4), (6, 8), (12, 8)];
const ODD: [(u8, u8); 5] = [(5, 4), (7, 8), (2, 4), (9, 8), (3, 8)];
/// What is played with two hands.
const HANDS: [usize; 10] = [SNARE, 2, RIM, HAT, OPEN, RIDE, CRASH, LOW_TOM, MID_TOM, HIGH_TOM];

/// How a band is to be played.
#[derive(Clone, Copy)]
struct Setting {
    metre: (u8, u8),
    bars: i64,
    bpm: f32,
    dials: Dials,
    /// Which parts rest in a bar.
    rests: fn(i64) -> [bool; 4],
}

impl Default for Setting {
    fn default() -> Self {
        let dials = Dials::default();
        Self { metre: (4, 4), bars: 16, bpm: 104.0, dials, rests: |_| [false; 4] }
    }
}

impl Setting {
    fn meters(&self) -> MeterMap {
        MeterMap::new(&[(0, Meter { numerator: self.metre.0, denominator: self.metre.1 })])
    }

    fn bar(&self) -> usize {
        usize::from(place_of(0, &self.meters()).bar_steps)
    }

    /// Four chords, one a bar, struck on every beat.
    fn piano(&self) -> Vec<Note> {
        const CHORDS: [[u8; 4]; 4] = [[36, 60, 64, 67], [45, 60, 64, 69], [41, 60, 65, 69], [43, 59, 62, 67]];
        let steps = self.bar() as i64 * self.bars;
        let strike = |step: i64| {
            let place = place_of(step, &self.meters());
            let chord = CHORDS[place.bar as usize % 4];
            chord.map(|pitch| Note { onset: step * 120, pitch, length: 440, velocity: 80 })
        };
        (0..steps).step_by(4).flat_map(strike).collect()
    }

    fn play(&self, band: &mut RuleBand, seed: u64) -> Vec<Decision> {
        band.reset(seed);
        self.play_on(band, &self.piano(), 0)
    }

    /// Plays from a step on, without a reset.
    fn play_on(&self, band: &mut RuleBand, piano: &[Note], from: usize) -> Vec<Decision> {
        let meters = self.meters();
        let steps = self.bar() * self.bars as usize;
        let heard = frames(piano, steps);
        let decide = |(step, heard)| {
            let place = place_of(step as i64, &meters);
            let rests = Rests { now: (self.rests)(place.bar), next: (self.rests)(place.bar + 1) };
            let Self { bpm, dials, .. } = *self;
            band.decide(&StepContext { place, heard, parts: [true; 4], bpm, dials, rests, forced: None })
        };
        heard.into_iter().enumerate().skip(from).map(decide).collect()
    }
}

/// What a part starts, step by step, without how loudly.
fn rhythm(decisions: &[Decision], part: Part) -> Vec<(Vec<usize>, Vec<usize>)> {
    let what = |s: &BandStep| match part {
        Part::Drums => (0..16).filter(|&c| s.drums[c] > 0).collect(),
        Part::Bass => s.bass.iter().map(|b| usize::from(b.pitch)).collect(),
        _ => s.chord(part).pitches().iter().map(|&p| usize::from(p)).collect(),
    };
    decisions.iter().map(|d| (what(&d.now), what(&d.early))).collect()
}

fn loud() -> Dials {
    Dials { intensity: 0.75, ..Dials::default() }
}

#[test]
fn every_part_plays_in_every_metre_and_variation() {
    for style in Style::ALL {
        for metre in METRES.into_iter().chain(ODD) {
            for variation in 0..4 {
                let dials = Dials { intensity: 1.0, ..Dials::default() };
                let setting = Setting { metre, dials, ..Setting::default() };
                let played = setting.play(&mut RuleBand::new(style).with_patterns(variation * 5), 3);
                for part in Part::ALL {
                    let bars = played.chunks(setting.bar()).filter(|bar| notes(bar, part) > 0).count();
                    // The strings come in later.
                    let least = if part == Part::Strings { 6 } else { 15 };
                    assert!(bars >= least, "{style} {variation} in {metre:?}: {part} in {bars} bars");
                }
            }
        }
    }
}

#[test]
fn variations_and_styles_sound_different() {
    for metre in METRES {
        let setting = Setting { metre, ..Setting::default() };
        for part in [Part::Drums, Part::Bass, Part::Guitar] {
            let mut heard = std::collections::HashMap::new();
            let mut alike = Vec::new();
            for style in Style::ALL {
                let count = if metre == (4, 4) { 4 } else { 2 };
                for variation in 0..count {
                    let played = setting.play(&mut RuleBand::new(style).with_patterns(variation), 3);
                    let other = heard.insert(rhythm(&played, part), (style, variation));
                    // A bass of plain roots and fifths serves more than one style.
                    let shared = part == Part::Bass && other.is_some_and(|o| o.0 != style);
                    if other.is_some() && !shared {
                        alike.push(((style, variation), other));
                    }
                }
            }
            assert!(alike.is_empty(), "{part} in {metre:?}: {alike:?}");
        }
    }
}

#[test]
fn neighbouring_numbers_change_every_part() {
    for style in Style::ALL {
        let play = |number| {
            let setting = Setting { dials: loud(), ..Setting::default() };
            setting.play(&mut RuleBand::new(style).with_patterns(number), 3)
        };
        for number in [0, 3, 4, 15, u64::MAX - 1] {
            let (a, b) = (play(number), play(number.wrapping_add(1)));
            for part in [Part::Drums, Part::Bass, Part::Guitar] {
                assert_ne!(rhythm(&a, part), rhythm(&b, part), "{style} {part} {number}");
            }
        }
    }
}

/// Whether the hands leave the time for a fill at the end of a bar.
fn filled(bar: &[Decision]) -> bool {
    let last = &bar[bar.len() - (bar.len() / 4).max(4)..];
    let plays = |classes: &[usize]| {
        let hit = |d: &Decision| classes.iter().any(|&c| d.now.drums[c] > 0 || d.early.drums[c] > 0);
        last.iter().any(hit)
    };
    !plays(&[HAT, OPEN, RIDE, SHAKER, BELL])
}

#[test]
fn fills_end_phrases_and_never_come_twice_in_a_row() {
    for style in Style::ALL {
        for metre in METRES {
            let setting = Setting { metre, bars: 48, ..Setting::default() };
            let played = setting.play(&mut RuleBand::new(style).with_patterns(0), 11);
            let bars: Vec<&[Decision]> = played.chunks(setting.bar()).collect();
            for (i, bar) in bars.iter().enumerate() {
                assert_eq!(filled(bar), i % 4 == 3, "{style} {metre:?}: bar {i}");
            }
            for length in [4, 8] {
                let fills: Vec<_> = bars
                    .iter()
                    .skip(length - 1)
                    .step_by(8)
                    .map(|bar| rhythm(&bar[bar.len() / 3..], Part::Drums))
                    .collect();
                assert!(fills.windows(2).all(|w| w[0] != w[1]), "{style} {metre:?}: twice the same");
            }
        }
    }
}

#[test]
fn the_cymbal_changes_with_the_section() {
    let setting = Setting { bars: 32, ..Setting::default() };
    let played = setting.play(&mut RuleBand::new(Style::PopRock), 1);
    let count = |class: usize, from: usize| {
        played[from * 16..(from + 8) * 16].iter().filter(|d| d.now.drums[class] > 0).count()
    };
    for cycle in [0, 16] {
        assert!(count(HAT, cycle) > 40 && count(RIDE, cycle) == 0);
        assert!(count(RIDE, cycle + 8) > 40 && count(HAT, cycle + 8) == 0);
        assert!(count(PEDAL, cycle + 8) > 8, "the foot keeps time below the ride");
    }
}

#[test]
fn who_rests_is_silent_and_who_comes_in_is_led_in() {
    // The drums alone with the piano first, then bass and guitar, from bar 6; strings rest throughout.
    let rests = |bar: i64| [false, bar < 6, bar < 6, true];
    for style in Style::ALL {
        let setting = Setting { rests, dials: loud(), ..Setting::default() };
        let played = setting.play(&mut RuleBand::new(style).with_patterns(0), 5);
        let bars: Vec<&[Decision]> = played.chunks(16).collect();
        for (i, bar) in bars.iter().enumerate() {
            for part in Part::ALL {
                let silent = rests(i as i64)[part.index()];
                assert_eq!(notes(bar, part) == 0, silent, "{style}, {part} in bar {i}");
            }
        }
        assert!(filled(bars[5]) && !filled(bars[4]), "{style}: a fill leads in");
        let crash = bars[6][0].now.drums[CRASH] > 0;
        assert_eq!(crash, style.data().crash_from <= 100, "{style}");
        // The phrases count from there: the next short fill is four bars on.
        assert!(filled(bars[9]) && !filled(bars[8]) && !filled(bars[7]), "{style}");
    }
}

#[test]
fn strings_follow_the_plan_where_there_is_one() {
    let setting = Setting {
        rests: |bar| [false, false, false, bar < 2],
        dials: Dials { intensity: 0.4, ..Dials::default() },
        bars: 8,
        ..Setting::default()
    };
    let played = setting.play(&mut RuleBand::new(Style::Blues), 5);
    assert_eq!(notes(&played[..32], Part::Strings), 0);
    assert!(played[32..].chunks(16).all(|bar| notes(bar, Part::Strings) > 0));
}

#[test]
fn morph_goes_from_one_style_to_the_other() {
    for (a, b) in
        [(Style::PopRock, Style::JazzSwing), (Style::Ballad, Style::Funk), (Style::Folk, Style::House)]
    {
        let at = |morph: f32| {
            let setting = Setting { bars: 32, dials: Dials { morph, ..loud() }, ..Setting::default() };
            setting.play(&mut RuleBand::new(a).with_other(b), 2)
        };
        let alone = |style| {
            let setting = Setting { bars: 32, dials: loud(), ..Setting::default() };
            setting.play(&mut RuleBand::new(style), 2)
        };
        assert_eq!(at(0.0), alone(a));
        assert_eq!(at(1.0), alone(b));
        // Bars in which a part plays as it does in the other style.
        let target = alone(b);
        let gone = |morph: f32| {
            let played = at(morph);
            Part::ALL.map(|part| {
                let same = |i: &usize| {
                    let bar = i * 16..(i + 1) * 16;
                    rhythm(&played[bar.clone()], part) == rhythm(&target[bar], part)
                };
                (0..32).filter(same).count()
            })
        };
        let way = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0].map(gone);
        // Of the drums, which nothing carries over from bar to bar, exactly; guitar first and drums last.
        assert!(way.map(|parts| parts[0]).is_sorted(), "{way:?}");
        assert!(way.map(|parts| parts.iter().sum::<usize>()).is_sorted(), "{way:?}");
        assert!(way[3][2] > 24 && way[3][0] < 8, "{a} to {b}: {way:?}");
    }
}

#[test]
fn one_part_drawn_anew_plays_another_variation_and_the_others_go_on() {
    for style in Style::ALL {
        for part in [Part::Drums, Part::Bass, Part::Guitar] {
            let setting = Setting { dials: loud(), ..Setting::default() };
            let piano = setting.piano();
            let mut band = RuleBand::new(style);
            let before = setting.play(&mut band, 4);
            for seed in 0..4 {
                let mut band = RuleBand::new(style);
                band.reset(4);
                band.redraw(part, seed);
                let after = setting.play_on(&mut band, &piano, 0);
                for other in Part::ALL.into_iter().filter(|&p| p != part) {
                    assert!(
                        before.iter().zip(&after).all(|(x, y)| {
                            let mut z = x.now;
                            z.copy(other, &y.now);
                            z == x.now
                        }),
                        "{style}: {part} drawn anew moved {other}"
                    );
                }
                assert_ne!(rhythm(&before, part), rhythm(&after, part), "{style} {part}");
            }
            // In mid-music too.
            let mut band = RuleBand::new(style);
            band.reset(4);
            let half = Setting { bars: 8, ..setting };
            half.play_on(&mut band, &piano, 0);
            band.redraw(part, 9);
            let rest = setting.play_on(&mut band, &piano, 128);
            assert_ne!(rhythm(&before[128..], part), rhythm(&rest, part), "{style} {part}");
        }
    }
}

#[test]
fn fast_music_is_played_by_two_hands() {
    for style in Style::ALL {
        for (metre, bpm) in [((4, 4), 160.0), ((4, 4), 200.0), ((3, 4), 190.0), ((6, 8), 180.0)] {
            let setting = Setting {
                metre,
                bpm,
                bars: 32,
                dials: Dials { intensity: 1.0, ..Dials::default() },
                ..Setting::default()
            };
            for variation in 0..4 {
                let played = setting.play(&mut RuleBand::new(style).with_patterns(variation), 3);
                let busy = |classes: &[usize]| {
                    let hit = |d: &Decision| classes.iter().any(|&c| d.now.drums[c] > 0);
                    played.windows(3).filter(|w| w.iter().all(hit)).count()
                };
                let cymbals = if style.data().machine { 0 } else { busy(&[HAT, RIDE]) };
                assert_eq!(cymbals, 0, "{style} at {bpm} in {metre:?}: sixteenths with one hand");
                let drums = busy(&[LOW_TOM, MID_TOM, HIGH_TOM, RIM]);
                assert_eq!(drums, 0, "{style} at {bpm} in {metre:?}: a fill that is too fast");
            }
        }
    }
}

#[test]
fn fast_funk_goes_at_half_the_tempo() {
    let snares = |bpm| {
        let setting = Setting { bpm, ..Setting::default() };
        let played = setting.play(&mut RuleBand::new(Style::Funk), 3);
        (0..256).filter(|s| s % 16 == 4 || s % 16 == 12).filter(|&s| played[s].now.drums[SNARE] > 20).count()
    };
    let on_three = |bpm| {
        let setting = Setting { bpm, ..Setting::default() };
        let played = setting.play(&mut RuleBand::new(Style::Funk), 3);
        (0..256).filter(|s| s % 16 == 8).filter(|&s| played[s].now.drums[SNARE] > 20).count()
    };
    assert!(snares(100.0) > 20 && on_three(100.0) < 4);
    assert!(snares(180.0) < 8 && on_three(180.0) > 10);
}

#[test]
fn intensity_moves_every_metre_one_way() {
    for style in Style::ALL {
        for metre in METRES.into_iter().chain([(5, 4), (7, 8)]) {
            for part in Part::ALL {
                let counts = [0.0, 0.25, 0.5, 0.75, 1.0].map(|intensity| {
                    let dials = Dials { intensity, ..Dials::default() };
                    let setting = Setting { metre, dials, ..Setting::default() };
                    notes(&setting.play(&mut RuleBand::new(style).with_patterns(1), 3), part)
                });
                assert!(counts.is_sorted(), "{style} {part} in {metre:?}: {counts:?}");
                assert!(counts[0] < counts[4], "{style} {part} in {metre:?}: {counts:?}");
            }
        }
    }
}

#[test]
fn the_bass_walks_and_leads_to_what_it_has_learnt() {
    let setting = Setting { bars: 32, bpm: 160.0, ..Setting::default() };
    let played = setting.play(&mut RuleBand::new(Style::JazzSwing).with_patterns(0), 3);
    let pitch = |step: usize| played[step].now.bass.map(|b| i32::from(b.pitch));
    let mut near = 0;
    // From the ninth bar on the four chords are known.
    for bar in 9..31 {
        for beat in 0..4 {
            assert!(pitch(bar * 16 + beat * 4).is_some(), "bar {bar} beat {beat}: it walks");
        }
        let (last, next) = (pitch(bar * 16 + 12).unwrap(), pitch(bar * 16 + 16).unwrap());
        near += usize::from((1..=2).contains(&(last - next).abs()));
    }
    assert!(near >= 18, "{near} of 22 bars are led into by step");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_decided_can_be_played_and_follows_from_what_was_heard(
        style in 0usize..11, other in 0usize..11, metre in 0usize..9, seed: u64, bpm in 50f32..260.0,
        piano in prop::collection::vec((0i64..15_000, 1i64..3000, 30u8..90, 1u8..=127), 0..80),
        cut in 0usize..128, turns in (0f32..=1.0, 0f32..=1.0, 0f32..=1.0, 0f32..=1.0),
    ) {
        let all: Vec<_> = METRES.into_iter().chain(ODD).collect();
        let (intensity, complexity, morph, density) = turns;
        let dials = Dials { intensity, complexity, morph, density: [density; 4], ..Dials::default() };
        let setting = Setting { metre: all[metre], bars: 12, bpm, dials, ..Setting::default() };
        let note = |(onset, length, pitch, velocity)| Note { onset, length, pitch, velocity };
        let piano: Vec<Note> = piano.into_iter().map(note).collect();
        let play = |piano: &[Note]| {
            let mut band = RuleBand::new(Style::ALL[style]).with_other(Style::ALL[other]);
            band.reset(seed);
            setting.play_on(&mut band, piano, 0)
        };
        let played = play(&piano);
        for d in &played {
            for (s, offsets) in [(&d.now, 0..=2), (&d.early, -3..=-1)] {
                let hands = HANDS.iter().filter(|&&c| s.drums[c] > 0).count();
                prop_assert!(hands <= 2, "{hands} hands: {:?}", s.drums);
                prop_assert!(s.drums[HAT] == 0 || s.drums[OPEN] == 0);
                prop_assert!(s.drums.iter().all(|&v| usize::from(v) <= VELOCITY_BINS));
                for part in Part::ALL.into_iter().filter(|&p| s.plays(p)) {
                    prop_assert!(offsets.contains(&s.offsets[part.index()]), "{part} {:?}", s.offsets);
                }
                if let Some(b) = s.bass {
                    prop_assert!((BASS_LOW..=BASS_HIGH).contains(&b.pitch));
                    prop_assert!(usize::from(b.length) < LENGTH_BINS && usize::from(b.velocity) < VELOCITY_BINS);
                }
            }
        }
        // Deterministic, and of what is heard up to a step nothing later can be told.
        prop_assert_eq!(&played, &play(&piano));
        let cut = cut.min(played.len());
        let before: Vec<Note> = piano
            .iter()
            .filter(|n| n.onset <= cut as i64 * 120)
            .copied()
            .collect();
        let again = play(&before);
        prop_assert_eq!(&played[..cut], &again[..cut]);
    }
}
