//! Files of every kind: what is in them comes out, what is wrong with them is reported.

use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec, WavWriter};
use sideman_audio::decode::{AudioError, AudioFile, Damage, load};
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn write(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn wav(folder: &TempDir, channels: u16, rate: u32, frames: u32, value: impl Fn(u32, u16) -> f32) -> PathBuf {
    let path = folder.path().join(format!("{channels}_{rate}_{frames}.wav"));
    let spec =
        WavSpec { channels, sample_rate: rate, bits_per_sample: 32, sample_format: SampleFormat::Float };
    let mut file = WavWriter::create(&path, spec).unwrap();
    for frame in 0..frames {
        (0..channels).for_each(|channel| file.write_sample(value(frame, channel)).unwrap());
    }
    file.finalize().unwrap();
    path
}

/// All samples of a file and what was wrong with it.
fn read(path: &Path) -> Result<(Vec<f32>, Damage), AudioError> {
    let mut file = AudioFile::open(path)?;
    let mut samples = vec![];
    while let Some(chunk) = file.next_chunk() {
        assert!(!chunk.is_empty() && chunk.iter().all(|s| s.is_finite()));
        samples.extend_from_slice(chunk);
        assert_eq!(file.position(), samples.len() as u64);
    }
    assert!(file.next_chunk().is_none(), "the end stays the end");
    Ok((samples, file.damage()))
}

fn complaint(path: &Path) -> AudioError {
    let error = read(path).expect_err("it should not be readable");
    let message = error.to_string();
    assert!(message.contains(&path.display().to_string()), "which file? {message}");
    error
}

/// Height of a tone in a sound, by its share of the Fourier transform.
fn height(samples: &[f32], hz: f64, rate: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (i, s) in samples.iter().enumerate() {
        let angle = std::f64::consts::TAU * hz * i as f64 / rate;
        re += f64::from(*s) * angle.cos();
        im += f64::from(*s) * angle.sin();
    }
    2.0 * (re * re + im * im).sqrt() / samples.len() as f64
}

#[test]
fn every_format_gives_its_tone_as_the_mean_of_its_channels() {
    // Left 0.5, right 0.25; seconds as they were encoded.
    for (name, rate, channels, seconds, expected) in [
        ("sine.flac", 44_100, 2, 0.15, 0.375),
        ("sine.mp3", 44_100, 2, 0.5, 0.375),
        ("sine.ogg", 44_100, 2, 2.0, 0.375),
        ("sine.m4a", 44_100, 2, 0.5, 0.375),
        ("sine.aac", 44_100, 2, 0.5, 0.375),
        ("alac.m4a", 22_050, 1, 0.2, 0.5),
    ] {
        let path = fixture(name);
        let file = AudioFile::open(&path).unwrap();
        assert_eq!((file.sample_rate(), file.channels()), (rate, channels), "{name}");
        let (samples, damage) = read(&path).unwrap();
        assert!(!damage.any(), "{name}: {damage}");
        let length = samples.len() as f64 / f64::from(rate);
        assert!((seconds - 0.001..seconds + 0.06).contains(&length), "{name}: {length} s");
        let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
        let level = height(middle, 440.0, f64::from(rate));
        assert!((level - expected).abs() < 0.02, "{name}: {level}");
        let other = height(middle, 1_300.0, f64::from(rate));
        assert!(other < 0.02, "{name} sounds of more than its tone: {other}");

        let sound = load(&path, usize::MAX).unwrap();
        assert_eq!((sound.file_rate, sound.damage), (rate, damage));
        let wanted = (samples.len() as u64 * 22_050).div_ceil(u64::from(rate));
        assert_eq!(sound.samples.len() as u64, wanted, "{name}");
        assert_eq!(load(&path, 1000).unwrap().samples, sound.samples[..1000], "{name}");
    }
}

#[test]
fn wav_samples_are_exact_whatever_the_channels_and_the_rate() {
    let folder = TempDir::new().unwrap();
    for channels in [1u16, 2, 3, 6, 8] {
        for rate in [1_000, 8_000, 44_056, 48_000, 192_000, 768_000] {
            let path = wav(&folder, channels, rate, 3_000, |i, c| i as f32 / 4096.0 * f32::from(c + 1));
            let (samples, damage) = read(&path).unwrap();
            assert!(!damage.any(), "{damage}");
            let mean = f32::from(channels + 1) / 2.0;
            assert_eq!(samples.len(), 3_000);
            for (i, s) in samples.iter().enumerate() {
                assert!((s - i as f32 / 4096.0 * mean).abs() < 1e-5, "{channels} channels at {rate} Hz: {i}");
            }
            assert_eq!(load(&path, usize::MAX).unwrap().file_rate, rate);
        }
    }
}

#[test]
fn integer_samples_reach_full_scale() {
    let folder = TempDir::new().unwrap();
    for (bits, low) in [(8u16, -128i32), (16, -32_768), (24, -8_388_608), (32, i32::MIN)] {
        let path = folder.path().join(format!("{bits}.wav"));
        let spec = WavSpec {
            channels: 1,
            sample_rate: 44_100,
            bits_per_sample: bits,
            sample_format: SampleFormat::Int,
        };
        let mut file = WavWriter::create(&path, spec).unwrap();
        [low, low / 2, 0].into_iter().for_each(|s| file.write_sample(s).unwrap());
        file.finalize().unwrap();
        assert_eq!(read(&path).unwrap().0, [-1.0, -0.5, 0.0], "{bits} bits");
    }
}

#[test]
fn names_do_not_decide_what_a_file_is() {
    let folder = TempDir::new().unwrap();
    let bytes = std::fs::read(fixture("sine.ogg")).unwrap();
    let expected = read(&fixture("sine.ogg")).unwrap();
    for name in ["wrong.mp3", "wrong.wav", "none", "Ünïcode .OGG"] {
        assert_eq!(read(&write(&folder, name, &bytes)).unwrap(), expected, "{name}");
    }
}

#[test]
fn what_is_no_audio_is_named_as_what_it_is() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing.wav");
    assert!(matches!(complaint(&missing), AudioError::Open { .. }));
    assert!(matches!(complaint(folder.path()), AudioError::NotAFile { .. }));
    assert!(matches!(complaint(&write(&folder, "empty.mp3", b"")), AudioError::NoBytes { .. }));
    let text = "Twinkle, twinkle, little star, how I wonder what you are.\n".repeat(500);
    for name in ["text.mp3", "text.wav", "text.flac", "text.ogg", "text.aac", "text.m4a", "text.txt"] {
        let error = complaint(&write(&folder, name, text.as_bytes()));
        assert!(matches!(error, AudioError::NotRecognised { .. }), "{name}: {error:?}");
        assert!(error.to_string().contains("convert"), "{error}");
    }
    for bytes in [&b"R"[..], b"RIFF", b"OggS", b"fLaC", b"ID3", &[0; 5000], &[0xff; 5000]] {
        let error = complaint(&write(&folder, "stub.wav", bytes));
        let expected = matches!(error, AudioError::NotRecognised { .. } | AudioError::Corrupt { .. });
        assert!(expected, "{bytes:?}: {error:?}");
    }
}

#[test]
fn files_without_sound_say_so() {
    let folder = TempDir::new().unwrap();
    let error = complaint(&wav(&folder, 2, 44_100, 0, |_, _| 0.0));
    assert!(matches!(error, AudioError::NoSamples { .. }), "{error:?}");
    let error = complaint(&fixture("opus.ogg"));
    assert!(matches!(error, AudioError::Codec { .. }), "{error:?}");
    assert!(error.to_string().contains("Opus"), "{error}");
}

#[test]
fn absurd_rates_and_headers_are_refused() {
    let folder = TempDir::new().unwrap();
    let good = std::fs::read(wav(&folder, 1, 44_100, 100, |_, _| 0.1)).unwrap();
    for rate in [1u32, 999, 768_001, 4_000_000_000] {
        let mut bytes = good.clone();
        bytes[24..28].copy_from_slice(&rate.to_le_bytes());
        let error = complaint(&write(&folder, "rate.wav", &bytes));
        assert!(matches!(error, AudioError::Rate { .. }), "{rate}: {error:?}");
        assert!(error.to_string().contains(&rate.to_string()), "{error}");
    }
    // Channels, rate, frame length, bits: zero, or all ones.
    for (at, length) in [(22, 2), (24, 4), (32, 2), (34, 2)] {
        for fill in [0, 0xff] {
            let mut bytes = good.clone();
            bytes[at..at + length].fill(fill);
            // A clear answer of either kind; what matters is that there is one.
            if let Ok((samples, _)) = read(&write(&folder, "absurd.wav", &bytes)) {
                assert!(samples.len() <= bytes.len(), "{at} {fill}: {} samples", samples.len());
            }
        }
    }
}

#[test]
fn samples_that_are_no_numbers_are_counted_and_silent() {
    let folder = TempDir::new().unwrap();
    let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30];
    let path = wav(&folder, 2, 44_100, 1_000, |i, c| if i < 4 && c == 0 { bad[i as usize] } else { 0.5 });
    let (samples, damage) = read(&path).unwrap();
    assert_eq!(damage.bad_samples, 4);
    assert!(damage.to_string().starts_with("4 samples"), "{damage}");
    assert_eq!(samples[..6], [0.25, 0.25, 0.25, 0.25, 0.5, 0.5]);
}

#[test]
fn truncated_files_give_what_is_there() {
    let folder = TempDir::new().unwrap();
    let long = wav(&folder, 2, 44_100, 44_100, |i, _| (i as f32 * 0.05).sin());
    let files = [
        long,
        fixture("sine.flac"),
        fixture("sine.mp3"),
        fixture("sine.ogg"),
        fixture("sine.aac"),
        fixture("sine.m4a"),
    ];
    for path in files {
        let bytes = std::fs::read(&path).unwrap();
        let (whole, _) = read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let cut = write(&folder, &format!("cut_{name}"), &bytes[..bytes.len() * 3 / 4]);
        match read(&cut) {
            Ok((samples, damage)) => {
                let share = samples.len() as f64 / whole.len() as f64;
                assert!((0.2..0.95).contains(&share), "{name}: {share}");
                // An aac stream has no length, and an ogg page is whole or not there.
                let knows = !name.ends_with("aac") && !name.ends_with("ogg");
                assert!(damage.any() || !knows, "{name}: a quarter is missing and nothing is reported");
            }
            // The index of an mp4 file is at its end unless it was made for streaming.
            Err(e) => assert!(name.ends_with("m4a"), "{name}: {e}"),
        }
    }
}

#[test]
fn damage_on_the_way_is_left_out_and_counted() {
    let folder = TempDir::new().unwrap();
    for name in ["sine.flac", "sine.mp3", "sine.ogg", "sine.aac", "sine.m4a"] {
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        let (whole, _) = read(&fixture(name)).unwrap();
        let (from, to) = (bytes.len() * 6 / 10, bytes.len() * 65 / 100);
        bytes[from..to].fill(0x55);
        let (samples, _) = read(&write(&folder, name, &bytes)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(samples.len() >= whole.len() / 3, "{name}: {} of {}", samples.len(), whole.len());
    }
}

#[test]
fn wav_from_a_pipe_has_no_length_and_nothing_wrong() {
    let folder = TempDir::new().unwrap();
    let mut bytes = std::fs::read(wav(&folder, 1, 44_100, 5_000, |_, _| 0.25)).unwrap();
    let data = bytes.windows(4).position(|w| w == b"data").unwrap();
    bytes[4..8].fill(0xff);
    bytes[data + 4..data + 8].fill(0xff);
    let (samples, damage) = read(&write(&folder, "piped.wav", &bytes)).unwrap();
    assert_eq!(samples, vec![0.25; 5_000]);
    assert!(!damage.any(), "{damage}");
}

#[test]
fn ogg_files_in_a_row_are_read_to_the_last() {
    let folder = TempDir::new().unwrap();
    let one = std::fs::read(fixture("sine.ogg")).unwrap();
    let (samples, _) = read(&fixture("sine.ogg")).unwrap();
    let mut other = one.clone();
    other.extend_from_slice(&one);
    let (twice, damage) = read(&write(&folder, "twice.ogg", &other)).unwrap();
    assert!(twice.len() + 4096 > 2 * samples.len(), "{} of 2 x {}: {damage}", twice.len(), samples.len());
}
