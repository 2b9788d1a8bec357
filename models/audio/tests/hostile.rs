//! Mangled files: an answer of one kind or the other, never a panic, never without end.

use std::path::Path;

use sideman_audio::decode::AudioFile;

/// Numbers that look random.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides
    }
}

/// Changes, cuts, doubles, moves or blanks something.
fn mangle(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let length = bytes.len();
    if length == 0 {
        return;
    }
    // Headers are where the damage is worst.
    let reach = if dice.roll(2) == 0 { length.min(400) } else { length };
    let at = dice.roll(reach);
    let to = (at + 1 + dice.roll(64)).min(length);
    match dice.roll(7) {
        0 => bytes[at] = dice.roll(256) as u8,
        1 => bytes[at] ^= 1 << dice.roll(8),
        2 => bytes[at..to].fill(0),
        3 => bytes[at..to].fill(0xff),
        4 => drop(bytes.drain(at..to)),
        5 => {
            let piece = bytes[at..to].to_vec();
            bytes.splice(at..at, piece);
        }
        _ => bytes.truncate(at.max(16)),
    }
}

/// How many samples a file gives; `None` for an error.
fn read(path: &Path) -> Option<usize> {
    let mut file = AudioFile::open(path).ok()?;
    let mut samples = 0;
    while let Some(chunk) = file.next_chunk() {
        assert!(chunk.iter().all(|s| s.is_finite()));
        samples += chunk.len();
        assert!(samples < 50_000_000, "a small file without end");
    }
    let _ = file.damage().to_string();
    Some(samples)
}

/// Reads 400 mangled copies; tells how many could be read.
fn mangled(name: &str, bytes: &[u8]) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice(name.bytes().map(u64::from).sum());
    let mut readable = 0;
    for copy in 0..400 {
        let mut bytes = bytes.to_vec();
        (0..1 + dice.roll(4)).for_each(|_| mangle(&mut bytes, &mut dice));
        let path = folder.path().join(format!("{copy}_{name}"));
        std::fs::write(&path, &bytes).unwrap();
        let answer = std::panic::catch_unwind(|| read(&path));
        let Ok(answer) = answer else { panic!("copy {copy} of {name} made it panic") };
        readable += usize::from(answer.is_some());
        std::fs::remove_file(&path).unwrap();
    }
    readable
}

fn fixture(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let readable = mangled(name, &std::fs::read(path).unwrap());
    assert!((20..=400).contains(&readable), "{readable} of 400 could be read: the test shows nothing");
}

#[test]
fn mangled_flac() {
    fixture("sine.flac");
}

#[test]
fn mangled_mp3() {
    fixture("sine.mp3");
}

#[test]
fn mangled_ogg() {
    fixture("sine.ogg");
}

#[test]
fn mangled_m4a() {
    fixture("sine.m4a");
}

#[test]
fn mangled_alac() {
    fixture("alac.m4a");
}

#[test]
fn mangled_aac() {
    fixture("sine.aac");
}

#[test]
fn mangled_wav() {
    let folder = tempfile::tempdir().unwrap();
    for (bits, format) in [(16, hound::SampleFormat::Int), (32, hound::SampleFormat::Float)] {
        let path = folder.path().join("good.wav");
        let spec =
            hound::WavSpec { channels: 2, sample_rate: 44_100, bits_per_sample: bits, sample_format: format };
        let mut file = hound::WavWriter::create(&path, spec).unwrap();
        for i in 0..2_000i16 {
            match format {
                hound::SampleFormat::Int => file.write_sample(i * 16).unwrap(),
                hound::SampleFormat::Float => file.write_sample(f32::from(i) / 2_000.0).unwrap(),
            }
        }
        file.finalize().unwrap();
        let readable = mangled("good.wav", &std::fs::read(&path).unwrap());
        assert!(readable >= 20, "{readable} of 400 could be read: the test shows nothing");
    }
}

#[test]
fn noise_of_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice(77);
    for ending in ["wav", "mp3", "flac", "ogg", "aac", "m4a"] {
        for length in [1, 3, 12, 100, 5_000, 200_000] {
            let bytes: Vec<u8> = (0..length).map(|_| dice.roll(256) as u8).collect();
            let path = folder.path().join(format!("{length}.{ending}"));
            std::fs::write(&path, bytes).unwrap();
            // By chance noise has frames of mp3 or aac in it; a few samples may come of it, no more.
            let samples = read(&path).unwrap_or(0);
            assert!(samples < 100 * length + 10_000, "{length} bytes as {ending}: {samples} samples");
        }
    }
}
