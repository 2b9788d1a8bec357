//! The genre bar by bar, and the style behind it.

use sideman_inference::genre::built_in;
use sideman_inference::genre::symbolic::BarListener;
use sideman_music::encoding::bar_features::bars::notes_by_bar;
use sideman_music::listen::key_events;
use sideman_music::{Meter, MeterMap, Note, TempoMap};

use super::*;
use crate::controls::WeightsChoice;
use crate::loaded_band;
use crate::offline::{Performance, Rendered};
use crate::position::{place_of, step_pulse};

fn note(onset: Pulse, pitch: u8, length: Pulse, velocity: u8) -> Note {
    Note { onset, pitch, length, velocity }
}

/// Jazz, as a textbook has it: a Charleston of seventh chords under swung lines over two, five and one.
pub(crate) fn jazz(from: i64, bars: i64) -> Vec<Note> {
    let chords: [[u8; 4]; 4] = [[50, 60, 65, 64], [43, 53, 59, 64], [48, 59, 64, 62], [45, 55, 61, 64]];
    let line = [0i8, 3, 7, 10, 9, 8, 5, 2, 4, -1, 1, 6, 11, 8, 4, 3];
    let mut notes = Vec::new();
    for bar in from..from + bars {
        let chord = chords[(bar % 4) as usize];
        let start = bar * 1920;
        for (at, length) in [(0, 500), (780, 250)] {
            let voicing = chord.iter().enumerate();
            notes.extend(voicing.map(|(i, &p)| note(start + at + i as i64, p, length, 62 + 2 * i as u8)));
        }
        for eighth in 0..8i64 {
            if (bar * 3 + eighth) % 7 == 5 {
                continue;
            }
            let at = start + eighth / 2 * 480 + if eighth % 2 == 1 { 318 } else { 4 };
            let pitch = chord[0] as i8 + 24 + line[((bar * 5 + eighth) % 16) as usize];
            notes.push(note(at, pitch as u8, 140, (60 + eighth * 17 % 29) as u8));
        }
    }
    notes.sort_unstable();
    notes
}

/// Four voices, mostly in quarter notes.
pub(crate) fn hymn(from: i64, bars: i64) -> Vec<Note> {
    let chords: [[u8; 4]; 8] = [
        [48, 55, 64, 72],
        [53, 57, 65, 72],
        [55, 59, 62, 74],
        [48, 55, 64, 72],
        [45, 57, 64, 72],
        [50, 57, 65, 69],
        [43, 59, 62, 67],
        [48, 55, 64, 67],
    ];
    let mut notes = Vec::new();
    for bar in from..from + bars {
        for beat in 0..4i64 {
            let chord = chords[((bar * 4 + beat) % 8) as usize];
            notes.extend(chord.map(|p| note(bar * 1920 + beat * 480, p, 470, 80)));
        }
    }
    notes
}

/// Plays a piano to a follower; calls after each bar with its number and what is known.
fn follow(
    follower: &mut Follower,
    piano: &[Note],
    meters: &MeterMap,
    bars: i64,
    mut each: impl FnMut(i64, &Follower),
) {
    let events = key_events(piano);
    let mut next = 0;
    for step in 0.. {
        let place = place_of(step, meters);
        if place.bar > bars {
            break;
        }
        while let Some(event) = events.get(next).filter(|e| e.at <= step_pulse(step)) {
            follower.key(*event);
            next += 1;
        }
        if follower.step(&place, step_pulse(step), 120.0, &Controls::default(), None) {
            each(place.bar, follower);
        }
    }
}

fn wish(follower: &Follower) -> StyleChoice {
    follower.followed(&Controls::default()).style
}

/// Classical, as a textbook has it: broken chords under a tune in scales.
pub(crate) fn alberti(from: i64, bars: i64) -> Vec<Note> {
    let chords: [[u8; 3]; 4] = [[48, 52, 55], [48, 53, 57], [47, 50, 55], [48, 52, 55]];
    let scale = [72u8, 74, 76, 77, 79, 81, 83, 84];
    let mut notes = Vec::new();
    for bar in from..from + bars {
        let chord = chords[(bar % 4) as usize];
        for eighth in 0..8i64 {
            let at = bar * 1920 + eighth * 240;
            notes.push(note(at, chord[[0, 2, 1, 2][(eighth % 4) as usize]], 230, 60));
            let step = ((bar * 3 + eighth * (1 + bar % 2)) % 8) as usize;
            if bar % 4 < 3 || eighth < 4 {
                notes.push(note(at, scale[step], 220, 72 + (eighth % 4) as u8));
            }
        }
    }
    notes.sort_unstable();
    notes
}

#[test]
fn what_is_heard_live_is_what_the_classifier_was_trained_on() {
    let three = Meter { numerator: 3, denominator: 4 };
    // A bar is cut short, and a long silence comes in between.
    let meters = MeterMap::new(&[(0, Meter::COMMON), (9 * 1920 + 480, three)]);
    let mut piano = jazz(1, 12);
    piano.extend(alberti(18, 14));
    // What the classifier cannot know is how long a note will last that is held over a bar line.
    piano.retain(|n| meters.position(n.onset).bar == meters.position(n.end()).bar);
    let bars = sideman_music::encoding::bar_features::bars(&meters, 40 * 1920);
    let ranges = notes_by_bar(&piano, &bars);
    let weights = built_in::piano().unwrap();
    let mut listener = BarListener::new(weights.kernel.clone(), weights.head.temperature, 8, 6);
    let mut tracker = GenreTracker::new(weights.head.classes.len(), weights.head.unsure);
    let mut figures = sideman_music::encoding::bar_features::PianoBars::default();
    let (mut wanted, mut silent) = (Vec::new(), 8);
    for (bar, range) in bars.iter().zip(ranges) {
        let (notes, mut out) = (&piano[range], [0.0; sideman_music::encoding::bar_features::PIANO_FEATURES]);
        silent = if notes.is_empty() { silent + 1 } else { 0 };
        if silent >= 8 {
            listener.reset();
            tracker.reset();
            figures.reset();
        } else {
            figures.push(notes, bar, 120.0, &mut out);
            tracker.bar(listener.push(&out, !notes.is_empty()));
        }
        wanted.push((tracker.verdict(), tracker.probabilities().to_vec()));
    }
    let mut follower = Follower::new().unwrap();
    let (mut compared, mut shown) = (0, 0);
    follow(&mut follower, &piano, &meters, 30, |bar, follower| {
        let (verdict, probabilities) = &wanted[bar as usize - 1];
        let tracker = follower.classifier().tracker();
        assert_eq!((tracker.verdict(), tracker.probabilities()), (*verdict, &probabilities[..]), "bar {bar}");
        compared += 1;
        shown += usize::from(*verdict != Verdict::Listening);
    });
    assert!(compared > 25 && shown > 12, "{compared} {shown}");
}

#[test]
fn the_style_follows_at_phrase_boundaries_and_no_oftener() {
    let mut piano = hymn(2, 8);
    piano.extend(jazz(10, 20));
    piano.extend(alberti(30, 40));
    let mut follower = Follower::new().unwrap();
    let mut styles = vec![(2, StyleChoice::Auto)];
    let mut verdicts = vec![Verdict::Listening];
    follow(&mut follower, &piano, &MeterMap::default(), 70, |bar, follower| {
        let (style, verdict) = (wish(follower), follower.classifier().tracker().verdict());
        if verdict != *verdicts.last().unwrap() {
            verdicts.push(verdict);
            assert_eq!((bar - 2) % 8, 0, "{verdict:?} within a phrase, at bar {bar}");
        }
        if style != styles.last().unwrap().1 {
            styles.push((bar, style));
        }
    });
    let classes = follower.classifier().classes();
    assert_eq!(verdicts[1], Verdict::Unsure, "four voices alone could be much");
    let named: Vec<&str> = verdicts
        .iter()
        .filter_map(|v| if let Verdict::Genre(c) = v { Some(classes[*c].as_str()) } else { None })
        .collect();
    assert_eq!(named, ["Jazz", "Classical"]);
    assert_eq!(
        styles.iter().map(|s| s.1).collect::<Vec<_>>(),
        [StyleChoice::Auto, StyleChoice::Fixed(Style::JazzSwing), StyleChoice::Auto,]
    );
    assert!(styles[1..].iter().all(|(bar, _)| (bar - 2) % 8 == 0 && *bar > 10), "{styles:?}");
}

#[test]
fn sound_that_comes_in_goes_before_the_piano() {
    let (piano, meters) = (jazz(0, 9), MeterMap::default());
    for (audio, style) in [("reggae", Some(Style::Reggae)), ("metal", None), ("polka", None)] {
        let mut follower = Follower::new().unwrap();
        let mut events = key_events(&piano).into_iter().peekable();
        for step in 0..=128 {
            while let Some(event) = events.next_if(|e| e.at <= step_pulse(step)) {
                follower.key(event);
            }
            let place = place_of(step, &meters);
            follower.step(&place, step_pulse(step), 120.0, &Controls::default(), Some(audio));
            let wanted = if step < 128 { None } else { style };
            assert_eq!(
                wish(&follower),
                wanted.map_or(StyleChoice::Auto, StyleChoice::Fixed),
                "{audio} {step}"
            );
        }
    }
}

#[test]
fn a_reset_forgets_and_a_fixed_style_stays() {
    let piano = jazz(0, 17);
    let mut follower = Follower::new().unwrap();
    let heard = |follower: &mut Follower| {
        let mut all = Vec::new();
        follow(follower, &piano, &MeterMap::default(), 17, |_, f| {
            all.push((
                f.classifier().tracker().verdict(),
                f.classifier().tracker().probabilities().to_vec(),
                wish(f),
            ));
        });
        all
    };
    let first = heard(&mut follower);
    assert_eq!(wish(&follower), StyleChoice::Fixed(Style::JazzSwing));
    follower.reset();
    assert_eq!(
        (wish(&follower), follower.classifier().tracker().verdict()),
        (StyleChoice::Auto, Verdict::Listening)
    );
    assert_eq!(heard(&mut follower), first);

    let bossa = Controls { style: StyleChoice::Fixed(Style::Bossa), ..Controls::default() };
    assert_eq!(follower.followed(&bossa).style, bossa.style);
    let off = Controls { follow_genre: false, ..Controls::default() };
    assert_eq!(follower.followed(&off).style, StyleChoice::Auto);
}

fn rendered(piano: &[Note], controls: Controls) -> Rendered {
    let music = Music { bpm: 120.0, bar_steps: 16 };
    let (meters, tempos) = (MeterMap::default(), TempoMap::default());
    let loaded = loaded_band::load(&controls, music).unwrap();
    let performance = Performance::new(piano, &meters, &tempos, loaded.settings(controls)).unwrap();
    performance.render_following(loaded, &mut |c, m| loaded_band::load(c, m).ok(), &mut |_| {}).unwrap()
}

#[test]
fn a_render_changes_bands_where_a_phrase_ends_and_nothing_before() {
    for weights in [WeightsChoice::Rules, WeightsChoice::Full] {
        let follows = Controls { weights, ..Controls::default() };
        let stays = Controls { follow_genre: false, ..follows };
        let piano = jazz(0, 14);
        let (a, b) = (rendered(&piano, follows), rendered(&piano, stays));
        let styles: Vec<(i64, &str)> = a.changes.iter().map(|c| (c.bar, c.style.as_str())).collect();
        assert_eq!((styles, b.changes.len()), (vec![(8, "jazz-swing")], 0));
        assert_eq!(a.changes[0].at, 8 * 1920);
        let mut later = 0;
        for (a, b) in a.parts.iter().zip(&b.parts) {
            let before = |notes: &[Note]| -> Vec<Note> {
                notes.iter().filter(|n| n.onset < 8 * 1920 - 60).copied().collect()
            };
            assert_eq!(before(a), before(b));
            later += a.iter().filter(|n| n.onset >= 8 * 1920 && !b.contains(n)).count();
            // Whatever the first band began has ended.
            assert!(a.iter().all(|n| n.onset >= 8 * 1920 || n.end() <= 10 * 1920));
        }
        assert!(later > 50, "{later}");
        assert_eq!(a, rendered(&piano, follows));

        // Nobody is sure of this, and nothing changes.
        let piano = hymn(0, 12);
        assert_eq!(rendered(&piano, follows), rendered(&piano, stays));
    }
}
