//! From a MIDI file through the engine to a MIDI file, and what comes back from it.

use proptest::prelude::*;
use sideman_engine::style::Style;
use sideman_engine::{Controls, Performance, Rendered, RuleBand};
use sideman_inference::band::Band;
use sideman_music::smf::{MidiFile, PartTrack, PianoChoice, read, write};
use sideman_music::{Meter, MeterMap, Note, Part, Score, TempoMap, Track};

use super::{networks, note, piano};

fn score(piano: &[Note]) -> Score {
    Score {
        tempos: TempoMap::new(&[(0, 550_000), (4000, 480_000)]),
        meters: MeterMap::new(&[(0, Meter::COMMON), (4 * 1920, Meter { numerator: 3, denominator: 4 })]),
        markers: vec![(0, "A".into())],
        tracks: vec![Track {
            name: "Piano".into(),
            source_track: 1,
            notes: piano.to_vec(),
            ..Track::default()
        }],
    }
}

fn render(file: &MidiFile, band: &mut dyn Band, seed: u64) -> Rendered {
    let piano = file.piano_notes(&PianoChoice::Auto).unwrap();
    let settings = Controls { seed, ..Controls::default() }.into();
    let score = file.score();
    Performance::new(&piano, &score.meters, &score.tempos, settings).unwrap().render(band, &mut |_| {})
}

fn accompany(file: &MidiFile, rendered: &Rendered) -> Vec<u8> {
    let tracks: Vec<PartTrack> =
        Part::ALL.into_iter().map(|p| PartTrack::new(p, 0, rendered.part(p).to_vec())).collect();
    file.accompany(&PianoChoice::Auto, &tracks).unwrap()
}

fn part(score: &Score, name: &str) -> Vec<Note> {
    score.tracks.iter().filter(|t| t.name == name).flat_map(|t| t.notes.iter().copied()).collect()
}

/// Any piano: sorted, no key struck again while it is down, as a file has it.
fn any_piano() -> impl Strategy<Value = Vec<Note>> {
    prop::collection::vec((0i64..16_000, 21u8..109, 1i64..3000, 1u8..128), 1..120).prop_map(|raw| {
        let mut notes: Vec<Note> = raw.into_iter().map(|(o, p, l, v)| note(o, p, l, v)).collect();
        notes.sort_unstable();
        let mut free = [0i64; 128];
        notes.retain(|n| {
            let fits = free[usize::from(n.pitch)] <= n.onset;
            if fits {
                free[usize::from(n.pitch)] = n.end();
            }
            fits
        });
        notes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_the_band_played_is_what_the_file_says(piano in any_piano(), style in 0usize..Style::ALL.len(), seed: u64) {
        let given = score(&piano);
        let file = MidiFile::parse(&write(&given)).unwrap();
        let rendered = render(&file, &mut RuleBand::new(Style::ALL[style]), seed);
        let made = read(&accompany(&file, &rendered)).unwrap();
        prop_assert_eq!(part(&made, "Piano"), piano);
        for p in Part::ALL {
            prop_assert_eq!(part(&made, p.name()), rendered.part(p).to_vec(), "{}", p);
        }
        prop_assert_eq!((&made.tempos, &made.meters, &made.markers), (&given.tempos, &given.meters, &given.markers));
    }

    #[test]
    fn a_network_plays_anything_within_its_ranges(piano in any_piano(), seed: u64) {
        let weights = networks::untrained();
        let file = MidiFile::parse(&write(&score(&piano))).unwrap();
        let rendered = render(&file, &mut networks::band(&weights, seed), seed);
        for p in Part::ALL {
            for n in rendered.part(p) {
                prop_assert!(n.onset >= 0 && n.length >= 1 && (1..=127).contains(&n.velocity) && n.pitch < 128);
            }
        }
        prop_assert_eq!(&render(&file, &mut networks::band(&weights, seed), seed), &rendered, "not deterministic");
    }
}

#[test]
fn a_network_never_hears_ahead() {
    let weights = networks::untrained();
    let whole = piano(16);
    let play = |notes: &[Note]| {
        let file = MidiFile::parse(&write(&score(notes))).unwrap();
        render(&file, &mut networks::band(&weights, 5), 5)
    };
    let full = play(&whole);
    assert!(full.stats.notes.iter().all(|&n| n > 20), "every part plays: {:?}", full.stats.notes);
    for cut in [1000, 4 * 1920, 9 * 1920 + 333] {
        let before: Vec<Note> = whole
            .iter()
            .filter(|n| n.onset < cut)
            .map(|n| Note { length: n.length.min(cut - n.onset), ..*n })
            .collect();
        let mut other = before.clone();
        other.extend((0..60).map(|i| note(cut + i * 100, 50 + (i * 7 % 40) as u8, 90, 120)));
        other.sort_unstable();
        for changed in [before, other] {
            let changed = play(&changed);
            for p in Part::ALL {
                let heard = |r: &Rendered| -> Vec<(i64, u8, u8, i64)> {
                    let notes = r.part(p).iter().filter(|n| n.onset < cut);
                    notes.map(|n| (n.onset, n.pitch, n.velocity, n.length.min(cut - n.onset))).collect()
                };
                assert_eq!(heard(&full), heard(&changed), "{p} before {cut}");
            }
        }
    }
}
