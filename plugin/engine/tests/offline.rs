//! The offline engine as a whole: what it promises of any band, piano and metre.

use proptest::prelude::*;
use sideman_engine::play::feel::draw;
use sideman_engine::position::place_of;
use sideman_engine::{Controls, Performance, Rendered, RuleBand, Settings, Style};
use sideman_inference::band::{Band, Decision, StepContext};
use sideman_music::encoding::grid::BassNote;
use sideman_music::{Meter, MeterMap, Note, Part, Pulse, STEP_PULSES, TempoMap};

const BAR: Pulse = 16 * STEP_PULSES;

/// Plays in every step and in every part, whatever follows from a hash of all that it was ever told, at
/// every offset there is and at some that there are not. If anything of the future reached it, or
/// anything but its input, its notes would change.
#[derive(Default)]
struct Hasher {
    state: u64,
}

impl Band for Hasher {
    fn reset(&mut self, seed: u64) {
        self.state = seed;
    }

    fn decide(&mut self, m: &StepContext) -> Decision {
        let heard = [u64::from(m.heard.sounding), u64::from(m.heard.struck), u64::from(m.heard.velocity)];
        for word in heard.into_iter().chain([m.place.step as u64, u64::from(m.bpm.to_bits())]) {
            self.state = (draw(self.state, word, 1) * 1e15) as u64;
        }
        let pick = |lane: u64, n: f64| (draw(self.state, 0, 10 + lane) * n) as u8;
        let mut d = Decision::default();
        for (i, step) in [&mut d.now, &mut d.early].into_iter().enumerate() {
            let lane = 20 * i as u64;
            step.drums[usize::from(pick(lane, 16.0))] = 1 + pick(lane + 1, 32.0);
            let length = pick(lane + 2, 23.0);
            step.bass = Some(BassNote { pitch: 28 + pick(lane + 3, 28.0), length, velocity: 20, above: 0 });
            for chord in [&mut step.guitar, &mut step.strings] {
                chord.velocity = pick(lane + 4, 32.0);
                chord.push(40 + pick(lane + 5, 8.0), length);
                chord.push(52 + pick(lane + 6, 8.0), pick(lane + 7, 23.0));
            }
            step.offsets = std::array::from_fn(|p| pick(lane + 8 + p as u64, 9.0) as i8 - 4);
        }
        d
    }
}

/// The same every step: one drum, one bass note, on the step.
struct Metronome;

impl Band for Metronome {
    fn reset(&mut self, _seed: u64) {}

    fn decide(&mut self, _: &StepContext) -> Decision {
        let mut d = Decision::default();
        d.now.drums[0] = 20;
        d.now.bass = Some(BassNote { pitch: 36, length: 5, velocity: 20, above: 0 });
        d.now.guitar.push(60, 3);
        d.now.guitar.velocity = 20;
        d.now.strings.push(72, 22);
        d.now.strings.velocity = 20;
        d
    }
}

fn note(onset: Pulse, length: Pulse, pitch: u8) -> Note {
    Note { onset, length, pitch, velocity: 80 }
}

/// C, Am, F, G in half notes with a bass note, from a bar to another one.
fn chords(from: i64, to: i64) -> Vec<Note> {
    let chords: [[u8; 4]; 4] = [[36, 60, 64, 67], [45, 60, 64, 69], [41, 60, 65, 69], [43, 59, 62, 67]];
    (from * 2..to * 2)
        .flat_map(|half| chords[(half / 2).rem_euclid(4) as usize].map(|p| note(half * BAR / 2, 900, p)))
        .collect()
}

fn render_in(piano: &[Note], meters: &MeterMap, band: &mut dyn Band, settings: &Settings) -> Rendered {
    let tempos = TempoMap::default();
    let performance = Performance::new(piano, meters, &tempos, settings.clone()).expect("settings in range");
    let rendered = performance.render(band, &mut |_| {});
    check_sane(&rendered, settings);
    rendered
}

fn render(piano: &[Note], band: &mut dyn Band, settings: &Settings) -> Rendered {
    render_in(piano, &MeterMap::default(), band, settings)
}

/// What holds for every render.
fn check_sane(rendered: &Rendered, settings: &Settings) {
    for part in Part::ALL {
        let notes = rendered.part(part);
        assert!(settings.controls.part(part).on || notes.is_empty(), "{part} was off");
        assert!(notes.is_sorted());
        let mut ends = [Pulse::MIN; 128];
        let mut bass_end = Pulse::MIN;
        for n in notes {
            assert!(n.length > 0 && (1..=127).contains(&n.velocity) && n.onset >= 0, "{n:?}");
            let end = &mut ends[usize::from(n.pitch)];
            assert!(n.onset >= *end, "{part}: {n:?} overlaps one of its pitch that ends at {end}");
            *end = n.end();
            if part == Part::Bass {
                assert!(n.onset >= bass_end, "two bass notes at once: {n:?}");
                bass_end = n.end();
            }
        }
    }
    let notes: usize = rendered.parts.iter().map(Vec::len).sum();
    assert_eq!(rendered.stats.notes.iter().sum::<usize>(), notes);
    assert_eq!(rendered.stats.scheduler, Default::default());
}

fn all(rendered: &Rendered) -> impl Iterator<Item = &Note> {
    rendered.parts.iter().flatten()
}

/// The piano as far as it has sounded before a pulse.
fn cut(piano: &[Note], at: Pulse) -> Vec<Note> {
    let before = piano.iter().filter(|n| n.onset < at);
    before.map(|n| Note { length: n.length.min(at - n.onset), ..*n }).collect()
}

/// What has sounded before a pulse.
fn heard_until(rendered: &Rendered, at: Pulse) -> [Vec<Note>; 4] {
    std::array::from_fn(|i| cut(&rendered.parts[i], at))
}

fn bands() -> Vec<Box<dyn Band>> {
    let mut bands: Vec<Box<dyn Band>> = vec![Box::new(Hasher::default()), Box::new(Metronome)];
    bands.extend(Style::ALL.map(|s| Box::new(RuleBand::new(s)) as Box<dyn Band>));
    bands
}

fn piano() -> impl Strategy<Value = Vec<Note>> {
    prop::collection::vec((0i64..16_000, 1i64..4000, 30u8..90, 1u8..=127), 0..60).prop_map(|notes| {
        let note = |(onset, length, pitch, velocity)| Note { onset, length, pitch, velocity };
        notes.into_iter().map(note).collect()
    })
}

fn settings() -> impl Strategy<Value = Settings> {
    // The ends of the ranges are what people use.
    let share = || prop_oneof![Just(0f32), Just(1f32), 0f32..=1.0];
    let dials = (0.1f32..=2.0, share(), share(), [share(), share(), share(), share()]);
    (any::<u64>(), 0u8..4, dials, share(), share(), 0u16..3, 1usize..16).prop_map(
        |(
            seed,
            variation,
            (temperature, intensity, complexity, density),
            swing,
            humanize,
            listen_bars,
            on,
        )| {
            let mut controls = Controls {
                seed,
                variation,
                temperature,
                intensity,
                complexity,
                swing,
                humanize,
                listen_bars,
                ..Controls::default()
            }
            .with_parts(std::array::from_fn(|i| on >> i & 1 == 1));
            controls.parts.iter_mut().zip(density).for_each(|(part, density)| part.density = density);
            controls.into()
        },
    )
}

fn meters() -> impl Strategy<Value = MeterMap> {
    let change = (0i64..16_000, 1u8..=13, 0u32..6);
    prop::collection::vec(change, 0..4).prop_map(|changes| {
        let meter = |(at, numerator, log): (_, _, u32)| (at, Meter { numerator, denominator: 1u8 << log });
        MeterMap::new(&changes.into_iter().map(meter).collect::<Vec<_>>())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_future_of_the_piano_changes_nothing_before_it(
        before in piano(), after in piano(), at in 0i64..20_000, settings in settings(), meters in meters(),
    ) {
        let mut replaced = cut(&before, at);
        replaced.extend(after.iter().filter(|n| n.onset >= at));
        for mut band in bands() {
            let whole = render_in(&before, &meters, &mut *band, &settings);
            let stopped = render_in(&cut(&before, at), &meters, &mut *band, &settings);
            let changed = render_in(&replaced, &meters, &mut *band, &settings);
            prop_assert_eq!(heard_until(&whole, at), heard_until(&stopped, at));
            prop_assert_eq!(heard_until(&whole, at), heard_until(&changed, at));
        }
    }

    #[test]
    fn the_same_twice_and_on_two_threads(piano in piano(), settings in settings()) {
        let run = || bands().into_iter().map(|mut b| render(&piano, &mut *b, &settings)).collect::<Vec<_>>();
        let once = run();
        let (left, right) = std::thread::scope(|s| {
            let (left, right) = (s.spawn(run), s.spawn(run));
            (left.join().unwrap(), right.join().unwrap())
        });
        prop_assert_eq!(&once, &left);
        prop_assert_eq!(&once, &right);
    }

    #[test]
    fn begins_with_the_piano_and_ends_within_four_bars_of_it(piano in piano(), settings in settings()) {
        for mut band in bands() {
            let rendered = render(&piano, &mut *band, &settings);
            let Some(first) = piano.iter().map(|n| n.onset).min() else {
                prop_assert_eq!(all(&rendered).count(), 0);
                continue;
            };
            let last = piano.iter().map(Note::end).max().unwrap();
            prop_assert!(all(&rendered).all(|n| n.onset >= first && n.end() <= last + 4 * BAR));
        }
    }

    #[test]
    fn any_metre_renders(piano in piano(), settings in settings(), meters in meters()) {
        for mut band in bands() {
            render_in(&piano, &meters, &mut *band, &settings);
        }
    }
}

/// The causality test above would be worthless if the test band did not depend on what it hears.
#[test]
fn the_hashing_band_hears_every_note() {
    let settings = Settings::default();
    let a = render(&[note(0, 100, 60), note(5000, 100, 60)], &mut Hasher::default(), &settings);
    let b = render(&[note(0, 100, 60), note(5000, 100, 61)], &mut Hasher::default(), &settings);
    assert_eq!(heard_until(&a, 5000), heard_until(&b, 5000));
    assert_ne!(heard_until(&a, 5200), heard_until(&b, 5200));
}

#[test]
fn another_seed_is_another_band() {
    let with = |seed| {
        render(
            &chords(0, 8),
            &mut RuleBand::new(Style::Funk),
            &Controls { seed, ..Controls::default() }.into(),
        )
    };
    assert_ne!(with(1).parts, with(2).parts);
}

#[test]
fn silence_brings_the_band_down_and_to_a_close_on_a_bar_line() {
    // The last chord comes up at the end of bar 4, less 60 pulses.
    let rendered = render(&chords(0, 4), &mut Metronome, &Settings::default());
    let up = 4 * BAR - 60;
    let drums = rendered.part(Part::Drums);
    let kicks = |from: Pulse, to: Pulse| {
        let within = |n: &&Note| n.pitch == 36 && n.onset >= from && n.onset < to;
        drums.iter().filter(within).copied().collect::<Vec<_>>()
    };
    let playing = kicks(2 * BAR, 3 * BAR);
    assert_eq!(playing.len(), 16);
    // Two bars go on as before.
    assert_eq!(kicks(4 * BAR, 5 * BAR).len(), 16);
    assert!(kicks(4 * BAR, 6 * BAR - 120).iter().all(|n| n.velocity == playing[0].velocity));
    // Then thinner and softer.
    let down = kicks(6 * BAR, 7 * BAR);
    assert!(!down.is_empty() && down.len() <= 4, "{}", down.len());
    assert!(down.iter().all(|n| u32::from(n.velocity) * 5 < u32::from(playing[0].velocity) * 4));
    // The close: all parts together on the bar line, with a cymbal, on the last harmony, G.
    let close = 7 * BAR;
    assert_eq!(drums.last().map(|n| (n.onset, n.pitch)), Some((close, 49)));
    let bass = rendered.part(Part::Bass).last().unwrap();
    assert_eq!((bass.onset, bass.pitch % 12), (close, 7));
    assert!(bass.length >= BAR / 2, "it rings");
    assert!(all(&rendered).all(|n| n.onset <= close && n.end() <= up + 4 * BAR));
    assert!(all(&rendered).all(|n| n.onset == close || n.end() <= close), "nothing rings into the close");
}

#[test]
fn the_close_takes_the_place_of_what_was_planned_for_its_bar_line() {
    /// Strings a little ahead of every step, far from what the piano plays.
    struct Ahead;
    impl Band for Ahead {
        fn reset(&mut self, _: u64) {}
        fn decide(&mut self, _: &StepContext) -> Decision {
            let mut d = Decision::default();
            d.early.strings.push(73, 22);
            d.early.offsets[3] = -3;
            d
        }
    }
    // Two bars of silence end where a bar of double length begins, so that this is the last chance to end.
    let meters = MeterMap::new(&[(6 * BAR, Meter { numerator: 8, denominator: 4 })]);
    let settings = Controls { humanize: 0.0, ..Controls::default() }.into();
    let rendered = render_in(&[note(0, 4 * BAR + 60, 60)], &meters, &mut Ahead, &settings);
    let last = rendered.part(Part::Strings).last().unwrap();
    // The last triplet of the bar before: what came ahead of the bar line itself is gone.
    assert_eq!((last.onset, last.end()), (6 * BAR - 160, 6 * BAR));
}

#[test]
fn the_band_comes_back_at_once_with_the_piano() {
    for style in [Style::PopRock, Style::House, Style::Country] {
        let mut piano = chords(0, 4);
        // After the close; and on the second beat of a bar, not at its start.
        let back = 20 * BAR + BAR / 4;
        piano.extend(chords(0, 4).iter().map(|n| Note { onset: n.onset + back, ..*n }));
        let rendered = render(&piano, &mut RuleBand::new(style), &Settings::default());
        let silent: Vec<_> = all(&rendered).filter(|n| n.onset > 8 * BAR && n.onset < back).collect();
        assert!(silent.is_empty(), "{style}: {silent:?}");
        let first = all(&rendered).map(|n| n.onset).filter(|&o| o >= back).min().unwrap();
        assert!(first - back <= 2 * STEP_PULSES, "{style}: back after {}", first - back);
        let bar = all(&rendered).filter(|n| n.onset >= back && n.onset < back + BAR).count();
        assert!(bar > 15, "{style}: {bar} notes");
    }
}

#[test]
fn the_band_comes_back_after_a_long_sleep_too() {
    let mut piano = chords(0, 2);
    let back = 10_000 * BAR;
    piano.extend(chords(0, 2).iter().map(|n| Note { onset: n.onset + back, ..*n }));
    let rendered = render(&piano, &mut Metronome, &Settings::default());
    assert!(rendered.stats.steps < 2000, "{} steps: the silence was stepped through", rendered.stats.steps);
    let again = rendered.part(Part::Drums).iter().filter(|n| n.onset >= back).count();
    assert!(again >= 32 + 16, "{again}");
}

#[test]
fn a_stuck_key_does_not_keep_the_band_going() {
    let rendered = render(&[note(0, i64::MAX / 2, 60)], &mut Metronome, &Settings::default());
    assert!(rendered.stats.end > 8 * BAR && rendered.stats.end <= 12 * BAR, "{}", rendered.stats.end);
}

#[test]
fn listening_bars_are_listened_to() {
    let enter = |listen_bars| {
        let settings = Controls { listen_bars, ..Controls::default() }.into();
        // The piano begins on the third beat of bar 1.
        let piano = [chords(2, 10), vec![note(BAR * 3 / 2, 400, 60)]].concat();
        render(&piano, &mut Metronome, &settings).stats.entered
    };
    assert_eq!(enter(0), Some(BAR * 3 / 2));
    assert_eq!(enter(1), Some(2 * BAR));
    assert_eq!(enter(4), Some(5 * BAR));
    assert_eq!(enter(16), None, "the piano was over first");
}

#[test]
fn parts_are_honoured() {
    for i in 0..4 {
        let parts = std::array::from_fn(|p| p == i);
        let settings = Controls::default().with_parts(parts).into();
        let rendered = render(&chords(0, 8), &mut Metronome, &settings);
        assert!((0..4).all(|p| rendered.parts[p].is_empty() == (p != i)));
    }
}

#[test]
fn intensity_moves_loudness_and_number_of_notes_one_way() {
    for style in Style::ALL {
        let mut before: Option<(usize, f64)> = None;
        for intensity in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
            let settings = Controls { intensity, ..Controls::default() }.into();
            let rendered = render(&chords(0, 16), &mut RuleBand::new(style), &settings);
            let notes = all(&rendered).count();
            // Over notes that are there at every intensity, for those that come in may be softer ones.
            let ones = rendered.part(Part::Bass).iter().filter(|n| n.onset % BAR <= 10);
            let velocities: Vec<f64> = ones.map(|n| f64::from(n.velocity)).collect();
            let loud = velocities.iter().sum::<f64>() / velocities.len() as f64;
            if let Some((n, l)) = before {
                assert!(notes >= n, "{style} at {intensity}: {notes} notes after {n}");
                assert!(loud > l, "{style} at {intensity}: {loud} after {l}");
            }
            before = Some((notes, loud));
        }
    }
    let loudness = |intensity| {
        let settings = Controls { intensity, ..Controls::default() }.into();
        let rendered = render(&chords(0, 4), &mut Metronome, &settings);
        rendered.part(Part::Guitar)[0].velocity
    };
    // A band that does not care is still made softer and louder, and neutral is neutral.
    assert!(loudness(0.0) < loudness(0.3) && loudness(0.3) < loudness(0.5) && loudness(0.5) < loudness(1.0));
    assert_eq!(loudness(0.5), 82);
}

#[test]
fn swing_moves_the_off_beats_and_only_them() {
    let onsets = |swing| {
        let rendered =
            render(&chords(0, 2), &mut Metronome, &Controls { swing, ..Controls::default() }.into());
        rendered.part(Part::Drums).iter().map(|n| n.onset).take(8).collect::<Vec<_>>()
    };
    assert_eq!(onsets(0.0), [0, 120, 240, 360, 480, 600, 720, 840]);
    assert_eq!(onsets(1.0), [0, 160, 320, 400, 480, 640, 800, 880]);
}

#[test]
fn humanize_zero_is_strict_and_one_is_loose() {
    let off_grid = |humanize| {
        let settings = Controls { humanize, ..Controls::default() }.into();
        let rendered = render(&chords(0, 8), &mut Hasher::default(), &settings);
        // On sixteenths, or on the eighth triplets 160 and 320 of a beat.
        let strict = |o: Pulse| o % 120 == 0 || o % 480 == 160 || o % 480 == 320;
        let count = all(&rendered).filter(|n| !strict(n.onset)).count();
        let ticks = all(&rendered).filter(|n| n.onset % 20 != 0).count();
        (count, ticks, all(&rendered).count())
    };
    assert_eq!((off_grid(0.0).0, off_grid(0.0).1), (0, 0));
    let (off, within_ticks, notes) = off_grid(1.0);
    assert!(off > notes / 2 && within_ticks > notes / 2, "{off} and {within_ticks} of {notes}");
    // A band on the grid is left there.
    let rendered = render(&chords(0, 8), &mut Metronome, &Settings::default());
    assert!(all(&rendered).all(|n| n.onset % 120 == 0));
}

#[test]
fn the_band_leans_back_with_a_late_piano_and_answers_on_the_beat() {
    // Every chord comes 15 pulses (15 ms) behind the beat.
    let late: Vec<Note> = chords(0, 8).iter().map(|n| Note { onset: n.onset + 15, ..*n }).collect();
    let exact = Controls { humanize: 0.0, ..Controls::default() };
    let rendered = render(&late, &mut RuleBand::new(Style::PopRock), &exact.into());
    // From the second bar on it is known, and each bar begins with its own root.
    let ones = rendered.part(Part::Bass).iter().filter(|n| n.onset % BAR == 15 && n.onset < 8 * BAR);
    let roots: Vec<u8> = ones.map(|n| n.pitch % 12).collect();
    assert_eq!(roots, [9, 5, 7, 0, 9, 5, 7]);
    assert!(all(&rendered).filter(|n| n.onset > 4 * BAR).all(|n| n.onset % 120 == 15));
}

#[test]
fn other_metres_are_played_in() {
    let changes = [(0, (3, 4)), (6 * 1440, (6, 8)), (12 * 1440, (7, 8)), (12 * 1440 + 4 * 1680, (5, 4))];
    let meters =
        MeterMap::new(&changes.map(|(at, (numerator, denominator))| (at, Meter { numerator, denominator })));
    let end = 12 * 1440 + 4 * 1680 + 4 * 2400;
    // A chord on each bar line.
    let bar_lines: Vec<Pulse> =
        (0..end / 120).filter(|&s| place_of(s, &meters).in_bar == 0).map(|s| s * 120).collect();
    assert_eq!(bar_lines.len(), 6 + 6 + 4 + 4);
    let piano: Vec<Note> =
        bar_lines.iter().flat_map(|&at| [36, 60, 64, 67].map(|p| note(at, 1300, p))).collect();
    for style in Style::ALL {
        let rendered = render_in(&piano, &meters, &mut RuleBand::new(style), &Settings::default());
        for &at in &bar_lines {
            let bass = rendered.part(Part::Bass).iter().any(|n| (at..=at + 10).contains(&n.onset));
            assert!(bass, "{style}: no bass on the bar line at {at}");
        }
        let drums = rendered.part(Part::Drums);
        for pair in bar_lines.windows(2) {
            let bar = drums.iter().filter(|n| n.onset >= pair[0] && n.onset < pair[1]).count();
            assert!(bar >= 3, "{style}: {bar} drum notes in the bar at {}", pair[0]);
        }
    }
}

#[test]
fn absurd_tempos_and_metres_are_survived() {
    let meters = MeterMap::new(&[
        (0, Meter { numerator: 255, denominator: 1 }),
        (40_000, Meter { numerator: 1, denominator: 64 }),
        (50_001, Meter { numerator: 7, denominator: 32 }),
    ]);
    let piano: Vec<Note> = (0..60).map(|i| note(i * 1001, 700, 40 + (i % 40) as u8)).collect();
    for micros in [1, 1000, 500_000, u32::MAX] {
        let tempos = TempoMap::new(&[(0, micros), (3000, u32::MAX), (3001, 1)]);
        for mut band in bands() {
            let performance = Performance::new(&piano, &meters, &tempos, Settings::default()).unwrap();
            let rendered = performance.render(&mut *band, &mut |_| {});
            check_sane(&rendered, &Settings::default());
            assert!(all(&rendered).count() > 100);
        }
    }
}

#[test]
fn bands_are_told_sensible_tempos() {
    struct Listening(Vec<f32>);
    impl Band for Listening {
        fn reset(&mut self, _: u64) {}
        fn decide(&mut self, m: &StepContext) -> Decision {
            self.0.push(m.bpm);
            Decision::default()
        }
    }
    let (piano, meters) = (chords(0, 4), MeterMap::default());
    let tempos = TempoMap::new(&[(0, 1), (BAR, 600_000), (2 * BAR, u32::MAX)]);
    let mut band = Listening(Vec::new());
    let performance = Performance::new(&piano, &meters, &tempos, Settings::default()).unwrap();
    performance.render(&mut band, &mut |_| {});
    assert_eq!((band.0[0], band.0[16], band.0[32]), (500.0, 100.0, 10.0));
}

#[test]
fn progress_goes_up_to_the_end() {
    let (piano, meters, tempos) = (chords(0, 8), MeterMap::default(), TempoMap::default());
    let performance = Performance::new(&piano, &meters, &tempos, Settings::default()).unwrap();
    let mut seen = Vec::new();
    performance.render(&mut Metronome, &mut |p| seen.push((p.done, p.total)));
    assert!(seen.len() > 8 && seen.is_sorted());
    assert!(seen.iter().all(|p| p.1 == seen[0].1));
    let last = seen.last().unwrap();
    assert_eq!(last.0, last.1);
}

#[test]
fn settings_out_of_range_are_refused() {
    let (meters, tempos) = (MeterMap::default(), TempoMap::default());
    let settings = Controls { swing: 2.0, ..Controls::default() }.into();
    assert!(Performance::new(&[], &meters, &tempos, settings).is_err());
}
