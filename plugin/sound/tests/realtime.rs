//! What the audio thread relies on: no memory is asked for or given back once an ensemble is made.

use super::common::{FontPlan, font_file, soundfont};
use sideman_allocator::calls;
use sideman_sound::Ensemble;

/// Numbers that look random.
fn roll(seed: &mut u64) -> u32 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as u32
}

/// Everything that a host may do, in any order.
fn use_all(ensemble: &mut Ensemble, rounds: u32) {
    let (mut left, mut right) = ([0.0f32; 700], [0.0f32; 700]);
    let mut seed = 7;
    for _ in 0..rounds {
        let (kind, channel) = (roll(&mut seed) % 100, (roll(&mut seed) % 20) as u8);
        let (a, b) = ((roll(&mut seed) % 256) as u8, (roll(&mut seed) % 256) as u8);
        match kind {
            0..30 => ensemble.note_on(channel, a, b),
            30..50 => ensemble.note_off(channel, a),
            50..54 => ensemble.program(channel, a),
            54..58 => ensemble.control(channel, 64, a),
            58..62 => ensemble.control(channel, a, b),
            62 => ensemble.silence(),
            63 => ensemble.gain(f32::from(a) / 64.0),
            64 => ensemble.bend(channel, u16::from(a) << 7),
            _ => {
                let n = (roll(&mut seed) % 700) as usize;
                ensemble.render(&mut left[..n], &mut right[..n]);
                assert!(left.iter().chain(&right).all(|x| x.abs() <= 1.0));
                let _ = ensemble.is_silent();
            }
        }
    }
}

#[test]
fn the_guard_counts() {
    assert_eq!(calls(|| ()), 0);
    assert_eq!(calls(|| drop(std::hint::black_box(Box::new(1)))), 2);
}

#[test]
fn the_built_in_band_asks_for_no_memory() {
    for rate in [8_000.0, 44_100.0, 192_000.0] {
        let mut ensemble = Ensemble::built_in(rate);
        assert_eq!(calls(|| use_all(&mut ensemble, 4_000)), 0, "at {rate}");
    }
}

#[test]
fn a_soundfont_asks_for_no_memory() {
    let font = font_file(&soundfont(&FontPlan::default()));
    for rate in [8_000.0, 48_000.0, 384_000.0] {
        let mut ensemble = Ensemble::soundfont(&font.path, rate).unwrap();
        assert_eq!(calls(|| use_all(&mut ensemble, 4_000)), 0, "at {rate}");
        assert!(!ensemble.is_damaged());
    }
}
