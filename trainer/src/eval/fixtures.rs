//! Small made-up songs for the tests of this module.

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use sideman_music::score::{BandScore, Note};

use super::song::{BAR_STEPS, EvalSong, HALF_PULSES, Parts};

/// Songs of a key, a groove and a chord progression drawn for each, played with small variations.
pub(super) fn songs(count: usize, bars: usize, seed: u64) -> Vec<EvalSong> {
    let mut rng = Pcg64::seed_from_u64(seed);
    (0..count).map(|i| song(&format!("song {i}"), bars, &mut rng)).collect()
}

fn song(name: &str, bars: usize, rng: &mut Pcg64) -> EvalSong {
    let key = rng.random_range(0..12u8);
    let degrees: Vec<u8> = (0..4).map(|_| *[0, 2, 4, 5, 7, 9].choose(rng).unwrap()).collect();
    let kicks: Vec<bool> = (0..16).map(|p| p == 0 || rng.random_bool(0.2)).collect();
    let loud = rng.random_range(60..90u8);
    let mut band = BandScore::default();
    for half in 0..bars as i64 * 2 {
        let at = half * HALF_PULSES;
        let root = (key + degrees[half as usize % 4]) % 12;
        let third = if [2, 4, 9].contains(&degrees[half as usize % 4]) { 3 } else { 4 };
        let note = |onset, pitch, length, velocity| Note { onset, pitch, length, velocity };
        for up in [0, third, 7] {
            band.piano.push(note(at, 48 + root + up, HALF_PULSES, 70));
        }
        let touch = loud + rng.random_range(0..24);
        band.parts[1].push(note(at, 36 + root, rng.random_range(300..900), touch));
        if rng.random_bool(0.6) {
            band.parts[1].push(note(at + 480, 36 + root + 7, 240, touch));
        }
        for up in [0, third, 7] {
            for (part, octave) in [(2, 48), (3, 60)] {
                let late = rng.random_range(-2..3) * 20;
                let later = if part == 2 { 120 * rng.random_range(1..4) } else { 0 };
                band.parts[part].push(note((at + later + late).max(0), octave + root + up, 400, touch));
            }
        }
        for step in 0..BAR_STEPS / 2 {
            let onset = at + step * 120;
            let position = (half % 2 * 8 + step) as usize;
            if kicks[position] || rng.random_bool(0.03) {
                band.parts[0].push(note(onset, 36, 48, touch));
            }
            if position % 8 == 4 {
                band.parts[0].push(note(onset, 38, 48, touch));
            }
            if step % 2 == 0 && rng.random_bool(0.9) {
                band.parts[0].push(note(onset, 42, 48, touch / 2));
            }
        }
    }
    band.sort();
    EvalSong::new(name, name, &band, bars * BAR_STEPS as usize, 120.0, [true; 4], bars)
}

/// The same four beats in every bar of every song.
pub(super) fn metronome(songs: &[EvalSong]) -> Vec<Parts> {
    let beats = |bars: usize, pitches: &[u8]| -> Vec<Note> {
        (0..bars as i64 * 4)
            .flat_map(|b| {
                pitches.iter().map(move |&pitch| Note { onset: b * 480, pitch, length: 240, velocity: 100 })
            })
            .collect()
    };
    songs
        .iter()
        .map(|s| [beats(s.bars, &[37]), beats(s.bars, &[36]), beats(s.bars, &[60, 64]), beats(s.bars, &[72])])
        .collect()
}
