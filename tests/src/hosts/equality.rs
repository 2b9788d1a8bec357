//! What comes out of the plugin in a host is what `render` writes for the same piano, seed and tempo, the
//! reaction time later: at any block size and sample rate, as slow as music or as fast as it goes.

use sideman_engine::controls::Control;
use sideman_engine::loaded_band::{self, Music};
use sideman_engine::{Controls, Performance, StyleChoice};
use sideman_music::{Part, Pulse, TempoMap};

use super::song::{Blocks, Song};
use super::stage::{Sounded, Stage};
use super::{Event, Format, Instance, Library, Setup, child, libraries};
use crate::soak;

/// A note of the band: part, onset, pitch, length and velocity, times in pulses.
pub(crate) type BandNote = (usize, Pulse, u8, Pulse, u8);

/// What `render` makes of a song.
pub(crate) fn rendered(song: &Song, style: StyleChoice, seed: u64) -> Vec<BandNote> {
    let controls = Controls { seed, style, ..Controls::default() };
    let first = song.piano.first().map_or(0, |n| n.onset);
    let music =
        Music { bpm: song.tempos.bpm_at(first), bar_steps: song.meters.position(first).meter.bar_steps() };
    let band = loaded_band::load(&controls, music).expect("the weights know the style");
    let settings = band.settings(controls);
    let performance = Performance::new(&song.piano, &song.meters, &song.tempos, settings).expect("in range");
    let mut another = |controls: &Controls, music| loaded_band::load(controls, music).ok();
    let rendered = performance.render_following(band, &mut another, &mut |_| {}).expect("the classifier");
    let mut notes: Vec<BandNote> = Vec::new();
    for part in Part::ALL {
        notes.extend(
            rendered.part(part).iter().map(|n| (part.index(), n.onset, n.pitch, n.length, n.velocity)),
        );
    }
    notes.sort_unstable();
    notes
}

/// What sounded, from a start in samples and a reaction time after it, in pulses of the song.
pub(crate) fn received(
    notes: &[Sounded],
    song: &Song,
    rate: f64,
    start: i64,
    reaction: i64,
) -> Vec<BandNote> {
    let pulse = |sample: i64| song.pulse((sample - start - reaction) as f64, rate).round() as Pulse;
    let mut band: Vec<BandNote> = Vec::new();
    for n in notes.iter().filter(|n| n.channel != 0) {
        let part = Part::ALL.into_iter().find(|p| p.channel() == n.channel);
        let part = part.unwrap_or_else(|| panic!("a note on channel {}", n.channel)).index();
        band.push((part, pulse(n.onset), n.pitch, pulse(n.end) - pulse(n.onset), n.velocity));
    }
    band.sort_unstable();
    band
}

/// Fails with the first difference.
pub(crate) fn same(wanted: &[BandNote], got: &[BandNote], what: &str) {
    let differ = wanted.iter().zip(got).position(|(a, b)| a != b).unwrap_or(wanted.len().min(got.len()));
    let around = |notes: &[BandNote]| notes[differ.saturating_sub(1)..notes.len().min(differ + 3)].to_vec();
    assert!(
        wanted == got,
        "{what}: render has {} notes, the host got {}; from note {differ} on, part, onset, pitch, length and \
         velocity are\n render {:?}\n host   {:?}",
        wanted.len(),
        got.len(),
        around(wanted),
        around(got)
    );
}

/// Parameters as they are to be, sent in the first block.
pub(crate) fn settings(instance: &mut dyn Instance, pairs: &[(&str, &str)]) -> Vec<Event> {
    pairs.iter().map(|(name, text)| instance.setting(name, text)).collect()
}

struct Run {
    setup: Setup,
    blocks: Blocks,
    /// Reaction time in milliseconds.
    reaction_ms: u32,
    seed: u64,
    style: StyleChoice,
    sound: bool,
}

impl Run {
    fn offline(rate: f64, blocks: Blocks) -> Self {
        let setup = Setup { rate, max_block: blocks.most(), offline: true };
        Self { setup, blocks, reaction_ms: 10, seed: 7, style: StyleChoice::Auto, sound: false }
    }

    /// Plays a song up to a pulse, stops, and gives what sounded, in pulses.
    fn play(&self, library: &Library, song: &Song, until: Pulse, what: &str) -> Vec<BandNote> {
        let Setup { rate, offline, .. } = self.setup;
        let mut instance = library.create();
        let (seed, reaction) = (self.seed.to_string(), self.reaction_ms.to_string());
        let sound = if self.sound { "On" } else { "Off" };
        let events = settings(
            &mut *instance,
            &[
                ("Seed", seed.as_str()),
                ("Reaction time", reaction.as_str()),
                ("Style", style_text(self.style)),
                ("Sound", sound),
            ],
        );
        let mut stage = Stage::new(instance.activate(self.setup), rate);
        let mut blocks = self.blocks.clone();
        stage.warm_up(&mut blocks, &events);
        if !offline {
            stage.paced(1.0);
            stage.warm_up(&mut blocks, &[]);
        }
        let start = stage.now;
        stage.play(song, &mut blocks, 0, song.sample(until, rate));
        stage.stop(&mut blocks);
        stage.tracker.balance(what);
        assert_eq!(stage.peak > 0.0, self.sound, "{what}: sound of {}", stage.peak);
        assert!(stage.finite, "{what}: the sound is NaN or infinite");
        let least = (f64::from(self.reaction_ms) * rate / 1000.0).round() as i64;
        let reaction = if offline { least } else { least.max(i64::from(self.blocks.most())) };
        received(&stage.tracker.notes, song, rate, start, reaction)
    }
}

fn style_text(style: StyleChoice) -> &'static str {
    let choices = Control::Style.row().choices().expect("a choice");
    choices.ids.iter().zip(choices.names).find(|(id, _)| **id == style.name()).expect("a style").1
}

/// As far as it takes for everything to have ended.
fn beyond(wanted: &[BandNote]) -> Pulse {
    wanted.iter().map(|n| n.1 + n.3).max().unwrap_or(0) + 1920
}

/// The first so many bars of 4/4, with an end of their own.
pub(crate) fn first_bars(song: &Song, bars: i64) -> Song {
    let mut short = song.clone();
    short.piano.retain(|n| n.onset < bars * 1920);
    short
}

fn block_kinds() -> Vec<Blocks> {
    let fixed = [1, 32, 64, 480, 512, 1024, 4096];
    fixed.into_iter().map(Blocks::Of).chain([Blocks::random(2000, 9)]).collect()
}

#[test]
fn offline_at_every_block_size_and_rate() {
    let song = first_bars(&Song::ballad(400_000), 6);
    let wanted = rendered(&song, StyleChoice::Auto, 7);
    assert!(wanted.len() > 100 && (0..4).all(|p| wanted.iter().any(|n| n.0 == p)), "{}", wanted.len());
    std::thread::scope(|scope| {
        for format in Format::ALL {
            let (song, wanted) = (&song, &wanted);
            scope.spawn(move || {
                let Some(library) = Library::get(format) else { return };
                let rates = [44_100.0, 48_000.0, 96_000.0, 192_000.0];
                for (i, rate) in rates.into_iter().enumerate() {
                    // All pairs in a soak; otherwise every rate and every block size, the shortest at the lowest.
                    let every = soak(1, rates.len());
                    for blocks in block_kinds().into_iter().skip(i % every).step_by(every) {
                        let what = format!("{format:?} at {rate} in {}", name(&blocks));
                        let run = Run::offline(rate, blocks);
                        same(wanted, &run.play(&library, song, beyond(wanted), &what), &what);
                    }
                }
            });
        }
    });
}

fn name(blocks: &Blocks) -> String {
    match blocks {
        Blocks::Of(frames) => format!("blocks of {frames}"),
        Blocks::Random { most, .. } => format!("random blocks up to {most}"),
    }
}

#[test]
fn offline_a_whole_song_in_several_styles_and_metres() {
    let plain = Song::ballad(521_739);
    let odd = Song::ballad(461_538).with_metres();
    let mut bent = Song::ballad(600_000);
    bent.tempos =
        TempoMap::new(&[(0, 600_000), (4 * 1920 + 480, 550_000), (9 * 1920, 450_000), (15 * 1920, 700_000)]);
    let ramp: Vec<(Pulse, u32)> = (0..96).map(|beat| (beat * 480, 600_000 - beat as u32 * 2000)).collect();
    let mut faster = Song::ballad(600_000);
    faster.tempos = TempoMap::new(&ramp);
    let fixed = |style: &str| style.parse().expect("a style");
    let cases = [
        (&plain, fixed("pop-rock"), 1),
        (&plain, fixed("jazz-swing"), 2),
        (&plain, StyleChoice::Auto, 3),
        (&odd, fixed("ballad"), 4),
        (&bent, fixed("bossa"), 5),
        (&faster, fixed("funk"), 6),
    ];
    for (format, library) in libraries() {
        for (i, (song, style, seed)) in cases.iter().enumerate() {
            let what = format!("{format:?}, case {i}");
            let wanted = rendered(song, *style, *seed);
            assert!(wanted.len() > 400, "{what}: {}", wanted.len());
            let run = Run {
                seed: *seed,
                style: *style,
                sound: i == 0,
                ..Run::offline(48_000.0, Blocks::random(1024, 3))
            };
            same(&wanted, &run.play(&library, song, beyond(&wanted), &what), &what);
        }
    }
}

/// All at once, so that it takes no longer than the music. The reaction time is long, so that a busy machine
/// hardly matters: how short it may be is for the benchmarks to say.
#[test]
fn live_at_every_block_size() {
    let song = first_bars(&Song::ballad(375_000), 5);
    let wanted = rendered(&song, StyleChoice::Auto, 7);
    assert!(wanted.len() > 80, "{}", wanted.len());
    std::thread::scope(|scope| {
        for format in Format::ALL {
            for (i, blocks) in block_kinds().into_iter().enumerate() {
                let (song, wanted) = (&song, &wanted);
                scope.spawn(move || {
                    let Some(library) = Library::get(format) else { return };
                    // The shortest blocks at the lowest rate: forty thousand of them a second are enough.
                    let rate = [44_100.0, 48_000.0, 96_000.0, 192_000.0][i % 4];
                    let what = format!("{format:?} live at {rate} in {}", name(&blocks));
                    let offline = Run::offline(rate, blocks);
                    let setup = Setup { offline: false, ..offline.setup };
                    let run = Run { setup, reaction_ms: 100, ..offline };
                    child::patiently(|| {
                        same(wanted, &run.play(&library, song, beyond(wanted), &what), &what);
                    });
                });
            }
        }
    });
}
