//! SoundFonts: sound, and files that mean harm.

use super::common::{FontPlan, cents_off, chunk, font_file, listen, peak, soundfont};
use sideman_sound::{Ensemble, SoundfontError};

fn open(bytes: &[u8]) -> Result<Ensemble, SoundfontError> {
    Ensemble::soundfont(&font_file(bytes).path, 44_100.0)
}

fn refusal(bytes: &[u8]) -> String {
    open(bytes).expect_err("it was accepted").to_string()
}

#[test]
fn a_soundfont_is_in_tune_at_every_rate() {
    let font = font_file(&soundfont(&FontPlan::default()));
    for rate in [8_000.0, 11_025.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0, 384_000.0] {
        let mut ensemble = Ensemble::soundfont(&font.path, rate).unwrap();
        for pitch in [69, 57, 76] {
            ensemble.note_on(0, pitch, 100);
            let sound = listen(&mut ensemble, rate, 1.0);
            ensemble.silence();
            let freq = 441.0 * 2f64.powf((f64::from(pitch) - 69.0) / 12.0);
            let off = cents_off(&sound[0][(0.2 * rate) as usize..], freq, rate, false);
            assert!(off.abs() <= 2.0, "{off} cents off at {rate}");
        }
        assert!(!ensemble.is_damaged());
    }
}

#[test]
fn a_soundfont_follows_volume_and_bend_also_after_silence() {
    let font = font_file(&soundfont(&FontPlan::default()));
    let mut ensemble = Ensemble::soundfont(&font.path, 44_100.0).unwrap();
    let heard = |ensemble: &mut Ensemble| {
        ensemble.note_on(0, 69, 100);
        let sound = listen(ensemble, 44_100.0, 0.6);
        ensemble.silence();
        listen(ensemble, 44_100.0, 0.5);
        sound[0][4410..].to_vec()
    };
    let full = peak(&heard(&mut ensemble));
    ensemble.control(0, 7, 50);
    let turned = peak(&heard(&mut ensemble));
    assert!(turned < 0.4 * full, "{turned} against {full}");
    assert!((peak(&heard(&mut ensemble)) / turned - 1.0).abs() < 0.05, "silence keeps the volume");
    ensemble.note_on(0, 69, 100);
    ensemble.bend(0, 16_383);
    let bent = listen(&mut ensemble, 44_100.0, 0.6);
    let off = cents_off(&bent[0][4410..], 441.0 * 2f64.powf(2.0 / 12.0), 44_100.0, false);
    assert!(off.abs() < 4.0, "{off}");
}

#[test]
fn files_that_are_no_soundfont_are_named_so() {
    assert!(refusal(b"").contains("too short"));
    assert!(refusal(b"MThd\0\0\0\x06\0\x01\0\x01").contains("not a SoundFont"));
    assert!(refusal(b"RIFF\x24\0\0\0WAVEfmt ").contains("not a SoundFont"));
    assert!(refusal(b"RIFF\x04\0\0\0sfbk").contains("damaged"));
    let missing = Ensemble::soundfont("missing.sf2".as_ref(), 44_100.0).unwrap_err();
    assert!(matches!(missing, SoundfontError::Io(_)));
}

#[test]
fn compressed_samples_are_named_so() {
    let plan = FontPlan { smpl: Some(b"OggS\0\x02\0\0\0\0\0\0".to_vec()), ..FontPlan::default() };
    assert!(refusal(&soundfont(&plan)).contains(".sf3"));
}

#[test]
fn a_chunk_longer_than_the_file_is_refused_before_memory_is_asked_for() {
    let mut font = b"RIFF\xff\xff\xff\x7fsfbkLIST\x10\0\0\0sdtasmpl".to_vec();
    font.extend(u32::MAX.to_le_bytes());
    font.extend([0; 64]);
    assert!(refusal(&font).contains("ends early"));
}

#[test]
fn tables_that_point_nowhere_or_backwards_are_refused() {
    for (table, plan) in [
        ("phdr", FontPlan { second_preset: 60_000, ..FontPlan::default() }),
        ("phdr", FontPlan { second_preset: 3, ..FontPlan::default() }),
        ("inst", FontPlan { second_instrument: 60_000, ..FontPlan::default() }),
    ] {
        let said = refusal(&soundfont(&plan));
        assert!(said.contains(table), "{said}");
    }
}

#[test]
fn a_preset_with_too_many_regions_is_refused() {
    // 200 preset regions, each with an instrument of 200 regions, from a few kilobytes.
    let words = |v: &[u16]| v.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let named = |name: &[u8], rest: &[u8]| {
        let mut out = vec![0u8; 20];
        out[..name.len()].copy_from_slice(name);
        out.extend(rest);
        out
    };
    let list = |kind: &[u8], parts: &[Vec<u8>]| chunk(b"LIST", &[kind, &parts.concat()].concat());
    let many = 200u16;
    let bag: Vec<u8> = (0..=many).flat_map(|i| words(&[i, 0])).collect();
    let gens = |kind: u16| [words(&[kind, 0]).repeat(usize::from(many)), words(&[0, 0])].concat();
    let mut sample: Vec<u8> = [0u32, 400, 100, 300, 44_100].iter().flat_map(|v| v.to_le_bytes()).collect();
    sample.extend([69, 0, 0, 0, 1, 0]);
    let pdta = list(
        b"pdta",
        &[
            chunk(
                b"phdr",
                &[
                    named(b"Many", &[words(&[0, 0, 0]), vec![0; 12]].concat()),
                    named(b"EOP", &[words(&[0, 0, many]), vec![0; 12]].concat()),
                ]
                .concat(),
            ),
            chunk(b"pbag", &bag),
            chunk(b"pmod", &[0; 10]),
            chunk(b"pgen", &gens(41)),
            chunk(b"inst", &[named(b"Many", &words(&[0])), named(b"EOI", &words(&[many]))].concat()),
            chunk(b"ibag", &bag),
            chunk(b"imod", &[0; 10]),
            chunk(b"igen", &gens(53)),
            chunk(b"shdr", &[named(b"s", &sample), named(b"EOS", &[0; 26])].concat()),
        ],
    );
    let info = list(b"INFO", &[chunk(b"ifil", &words(&[2, 1]))]);
    let data = list(b"sdta", &[chunk(b"smpl", &[0; 1000])]);
    let font = chunk(b"RIFF", &[b"sfbk".to_vec(), info, data, pdta].concat());
    let said = refusal(&font);
    assert!(said.contains("regions"), "{said}");
}

/// Plays a little of everything; whatever the file holds, the output is sound.
fn survive(bytes: &[u8]) -> bool {
    let Ok(mut ensemble) = open(bytes) else { return false };
    for pitch in [0, 21, 60, 69, 108, 127] {
        ensemble.note_on(0, pitch, 100);
        ensemble.note_on(9, pitch, 1);
        let sound = listen(&mut ensemble, 44_100.0, 0.02);
        assert!(sound.iter().flatten().all(|x| x.is_finite() && x.abs() <= 1.0));
    }
    ensemble.silence();
    if ensemble.is_damaged() {
        assert!(ensemble.is_silent());
        assert!(listen(&mut ensemble, 44_100.0, 0.01).iter().flatten().all(|x| *x == 0.0));
    }
    true
}

#[test]
fn impossible_samples_do_no_harm() {
    let mut damaged = 0;
    for plan in [
        FontPlan { sample_rate: 0, ..FontPlan::default() },
        FontPlan { sample_rate: u32::MAX, ..FontPlan::default() },
        FontPlan { sample_rate: i32::MAX as u32, ..FontPlan::default() },
        FontPlan { loops: (300, 100), ..FontPlan::default() },
        FontPlan { loops: (398, 399), sample_rate: 40_000_000, ..FontPlan::default() },
        FontPlan { end: u32::MAX, ..FontPlan::default() },
        FontPlan { generators: vec![(8, 1500), (9, 0x7FFF)], ..FontPlan::default() },
        FontPlan { generators: vec![(8, 0x8000), (9, 0x8000)], ..FontPlan::default() },
        FontPlan { generators: vec![(51, 0x7FFF), (52, 0x7FFF)], ..FontPlan::default() },
        FontPlan { generators: vec![(38, 0x7FFF), (34, 0x7FFF), (35, 0x7FFF)], ..FontPlan::default() },
    ] {
        let bytes = soundfont(&plan);
        if survive(&bytes) {
            let mut ensemble = open(&bytes).unwrap();
            for pitch in 0..128 {
                ensemble.note_on(0, pitch, 127);
                listen(&mut ensemble, 44_100.0, 0.01);
            }
            damaged += u32::from(ensemble.is_damaged());
        }
    }
    assert!(damaged > 0, "one of them is meant to break the player behind");
}

#[test]
fn flipped_and_cut_files_do_no_harm() {
    let good = soundfont(&FontPlan::default());
    assert!(survive(&good));
    let (mut played, mut seed) = (0, 11u64);
    for round in 0..300 {
        let mut bytes = good.clone();
        for _ in 0..=round % 4 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Mostly in the tables at the end.
            let back = (seed >> 33) as usize % 700;
            let at = bytes.len() - 1 - back;
            bytes[at] ^= 1 << (seed >> 29 & 7);
        }
        if round % 10 == 0 {
            bytes.truncate((seed >> 20) as usize % bytes.len());
        }
        played += u32::from(survive(&bytes));
    }
    assert!(played > 20, "too few of the damaged files were played at all: {played}");
}
