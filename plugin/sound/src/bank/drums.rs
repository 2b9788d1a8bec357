//! A synthesised drum kit, after the General MIDI percussion keys.

use super::modal::{Mode, add_modes, soften_start};
use super::noise::{Biquad, Noise};

/// Where a drum stands, -1 left to 1 right, as the drummer sees it turned to the audience.
pub(crate) fn place(key: u8) -> f32 {
    match key {
        42 | 44 | 46 => -0.34,
        51 | 53 | 59 => 0.36,
        49 | 55 => -0.42,
        52 | 57 => 0.44,
        41 | 43 => 0.38,
        45 | 47 => 0.14,
        48 | 50 => -0.16,
        69 | 70 | 82 => 0.5,
        54 => -0.5,
        60 | 62 | 63 | 65 => -0.25,
        61 | 64 | 66 => 0.25,
        _ => 0.0,
    }
}

/// Whether a key silences a ringing open hat.
pub(crate) fn chokes_hat(key: u8) -> bool {
    matches!(key, 42 | 44)
}

/// The first key that has the same sound.
pub(super) fn sounds_like(key: u8) -> u8 {
    match key {
        52 => 57,
        59 => 51,
        69 | 82 => 70,
        80 | 83 | 84 => 81,
        35..=51 | 53..=58 | 60..=68 | 70 | 81 if key != 58 => key,
        // Whatever else General MIDI has: a block.
        _ => 76,
    }
}

/// Longest sound of a key in seconds.
pub(super) fn seconds(key: u8) -> f32 {
    match key {
        49 | 52 | 57 => 2.6,
        55 => 1.3,
        51 | 53 | 59 => 1.9,
        46 => 1.1,
        41 | 43 | 45 | 47 | 48 | 50 => 0.9,
        _ => 0.6,
    }
}

/// Strikes a General MIDI percussion key into `out` (which must be silent) at `rate` samples a second.
/// `force` is 0 to 1; each `take` has noise of its own.
pub(super) fn strike(key: u8, force: f32, take: u32, rate: f32, out: &mut [f32]) {
    let mut noise = Noise::new(u32::from(key) * 977 + (force * 16.0) as u32 + take * 7919);
    match key {
        35 | 36 => kick(force, key == 35, rate, out),
        38 | 40 => snare(force, key == 40, &mut noise, rate, out),
        37 => wood(
            &[(820.0, 0.30, 0.03), (1680.0, 0.34, 0.022), (2900.0, 0.16, 0.012)],
            force,
            &mut noise,
            rate,
            out,
        ),
        39 => clap(force, &mut noise, rate, out),
        42 => cymbal(
            Cymbal { ring: 0.045, low: 7200.0, ping: 0.0, wash: 0.50, bloom: 0.0 },
            force,
            &mut noise,
            rate,
            out,
        ),
        44 => cymbal(
            Cymbal { ring: 0.035, low: 6200.0, ping: 0.0, wash: 0.32, bloom: 0.004 },
            force,
            &mut noise,
            rate,
            out,
        ),
        46 => cymbal(
            Cymbal { ring: 0.34, low: 6400.0, ping: 0.0, wash: 0.40, bloom: 0.0 },
            force,
            &mut noise,
            rate,
            out,
        ),
        51 | 59 => cymbal(
            Cymbal { ring: 0.55, low: 5200.0, ping: 0.16, wash: 0.13, bloom: 0.0 },
            force,
            &mut noise,
            rate,
            out,
        ),
        53 => cymbal(
            Cymbal { ring: 0.60, low: 4200.0, ping: 0.34, wash: 0.10, bloom: 0.0 },
            force,
            &mut noise,
            rate,
            out,
        ),
        49 | 52 | 57 => cymbal(
            Cymbal { ring: 0.85, low: 3600.0, ping: 0.0, wash: 0.40, bloom: 0.006 },
            force,
            &mut noise,
            rate,
            out,
        ),
        55 => cymbal(
            Cymbal { ring: 0.32, low: 4600.0, ping: 0.0, wash: 0.38, bloom: 0.003 },
            force,
            &mut noise,
            rate,
            out,
        ),
        41 => tom(82.0, force, &mut noise, rate, out),
        43 => tom(98.0, force, &mut noise, rate, out),
        45 => tom(118.0, force, &mut noise, rate, out),
        47 => tom(140.0, force, &mut noise, rate, out),
        48 => tom(168.0, force, &mut noise, rate, out),
        50 => tom(198.0, force, &mut noise, rate, out),
        69 | 70 | 82 => shaker(force, 0.055, 0.016, 7000.0, &mut noise, rate, out),
        54 => {
            shaker(force * 0.5, 0.11, 0.004, 8200.0, &mut noise, rate, out);
            jingle(force, rate, out);
        }
        56 => wood(
            &[(562.0, 0.30, 0.11), (845.0, 0.30, 0.09), (1690.0, 0.07, 0.04)],
            force,
            &mut noise,
            rate,
            out,
        ),
        60..=66 => {
            let freq = [410.0, 300.0, 330.0, 250.0, 190.0, 360.0, 240.0][usize::from(key - 60)];
            tom(freq, force * 0.8, &mut noise, rate, out);
        }
        67 | 68 => {
            let f = if key == 67 { 940.0 } else { 690.0 };
            wood(&[(f, 0.30, 0.10), (f * 2.71, 0.12, 0.06)], force, &mut noise, rate, out);
        }
        80 | 81 | 83 | 84 => jingle(force, rate, out),
        _ => wood(&[(1050.0, 0.34, 0.035), (1900.0, 0.16, 0.02)], force, &mut noise, rate, out),
    }
    fade_end(out);
}

/// A skin whose pitch drops as it comes to rest, and the beater's click.
fn kick(force: f32, deep: bool, rate: f32, out: &mut [f32]) {
    let rest = if deep { 44.0 } else { 50.0 };
    let mut phase = 0.0f32;
    let drop = 95.0 + 90.0 * force;
    for (i, sample) in out.iter_mut().enumerate() {
        let t = i as f32 / rate;
        phase += (rest + drop * (-t / 0.022).exp()) / rate;
        let level = 0.92 * (-t / 0.13).exp() * (1.0 - (-t / 0.0009).exp());
        *sample = (std::f32::consts::TAU * phase.fract()).sin() * level;
    }
    let click = 0.10 + 0.16 * force;
    add_modes(
        &[
            Mode { freq: 1150.0, amp: click, decay: 0.004, phase: 0.0 },
            Mode { freq: 2900.0, amp: click * 0.6, decay: 0.002, phase: 0.0 },
        ],
        rate,
        out,
    );
    soften_start(rate, out, 0.0004);
}

/// Two modes of the batter head and the wires' noise.
fn snare(force: f32, tight: bool, noise: &mut Noise, rate: f32, out: &mut [f32]) {
    let tune = if tight { 1.22 } else { 1.0 };
    add_modes(
        &[
            Mode { freq: 186.0 * tune, amp: 0.40, decay: 0.055, phase: 0.0 },
            Mode { freq: 284.0 * tune, amp: 0.20, decay: 0.04, phase: 0.0 },
            Mode { freq: 332.0 * tune, amp: 0.18, decay: 0.045, phase: 0.0 },
            Mode { freq: 512.0 * tune, amp: 0.08, decay: 0.025, phase: 0.0 },
        ],
        rate,
        out,
    );
    let mut body = Biquad::band_pass(2100.0 * tune, 0.45, rate);
    let mut fizz = Biquad::high_pass(4600.0, 0.7, rate);
    let ring = 0.055 + 0.045 * force;
    for (i, sample) in out.iter_mut().enumerate() {
        let t = i as f32 / rate;
        let n = noise.next();
        let wires = 0.85 * body.run(n) + (0.18 + 0.20 * force) * fizz.run(n);
        let level = (-t / ring).exp() * (1.0 - (-t / 0.0008).exp()) + 0.35 * force * (-t / 0.004).exp();
        *sample += wires * level * 0.8;
    }
    soften_start(rate, out, 0.0003);
}

fn clap(force: f32, noise: &mut Noise, rate: f32, out: &mut [f32]) {
    let mut band = Biquad::band_pass(1250.0, 1.1, rate);
    let mut air = Biquad::high_pass(600.0, 0.7, rate);
    for (i, sample) in out.iter_mut().enumerate() {
        let t = i as f32 / rate;
        // Three hands a hundredth of a second apart, then the room.
        let hands: f32 =
            [0.0, 0.011, 0.021].iter().filter(|&&h| t >= h).map(|h| (-(t - h) / 0.004).exp()).sum();
        let room = if t >= 0.021 { 0.6 * (-(t - 0.021) / 0.075).exp() } else { 0.0 };
        *sample = air.run(band.run(noise.next())) * (hands + room) * (1.1 + 0.5 * force);
    }
    soften_start(rate, out, 0.0003);
}

/// How a cymbal is built.
#[derive(Clone, Copy)]
struct Cymbal {
    /// Seconds in which it falls to 1/e.
    ring: f32,
    /// Below this frequency in Hz it has little.
    low: f32,
    /// Loudness of the stick's clear tone.
    ping: f32,
    /// Loudness of the noise.
    wash: f32,
    /// Seconds in which the noise swells.
    bloom: f32,
}

/// Noise and a cluster of partials that fit no scale.
fn cymbal(kind: Cymbal, force: f32, noise: &mut Noise, rate: f32, out: &mut [f32]) {
    let mut thin = Biquad::high_pass(kind.low * (1.15 - 0.3 * force), 0.8, rate);
    let mut silk = Biquad::low_pass(9000.0 + 5500.0 * force, 0.7, rate);
    let partials = [2463.0, 3317.0, 4181.0, 5231.0, 6127.0, 7451.0, 8297.0, 9713.0];
    let metal: Vec<Mode> = partials
        .iter()
        .enumerate()
        .map(|(i, &freq)| Mode {
            freq: freq * (kind.low / 6000.0).clamp(0.7, 1.15),
            amp: 0.030 * (0.5 + 0.5 * force),
            decay: kind.ring * (1.3 - 0.09 * i as f32),
            phase: 0.0,
        })
        .collect();
    add_modes(&metal, rate, out);
    for (i, sample) in out.iter_mut().enumerate() {
        let t = i as f32 / rate;
        let fast = 0.55 * (-t / (kind.ring * 0.25)).exp() + 0.45 * (-t / kind.ring).exp();
        let swell = if kind.bloom > 0.0 { 1.0 - (-t / kind.bloom).exp() } else { 1.0 };
        *sample += silk.run(thin.run(noise.next())) * fast * swell * kind.wash;
    }
    if kind.ping > 0.0 {
        add_modes(
            &[
                Mode { freq: 3120.0, amp: kind.ping * 0.5, decay: 0.20, phase: 0.0 },
                Mode { freq: 4710.0, amp: kind.ping * 0.35, decay: 0.14, phase: 0.0 },
                Mode { freq: 1480.0, amp: kind.ping * 0.3, decay: 0.25, phase: 0.0 },
            ],
            rate,
            out,
        );
    }
    soften_start(rate, out, 0.0004);
}

fn tom(freq: f32, force: f32, noise: &mut Noise, rate: f32, out: &mut [f32]) {
    let mut phase = 0.0f32;
    let mut skin = Biquad::band_pass(freq * 6.0, 0.7, rate);
    let ring = 0.19 * (120.0 / freq).powf(0.4);
    for (i, sample) in out.iter_mut().enumerate() {
        let t = i as f32 / rate;
        phase += freq * (1.0 + (0.25 + 0.2 * force) * (-t / 0.035).exp()) / rate;
        let level = 0.62 * (-t / ring).exp() * (1.0 - (-t / 0.0012).exp());
        *sample = (std::f32::consts::TAU * phase.fract()).sin() * level
            + skin.run(noise.next()) * (0.25 + 0.3 * force) * (-t / 0.018).exp();
    }
    add_modes(&[Mode { freq: freq * 1.59, amp: 0.14, decay: ring * 0.5, phase: 0.0 }], rate, out);
    soften_start(rate, out, 0.0005);
}

/// Short clear tones: (frequency in Hz, loudness, decay in seconds), and the stick.
fn wood(tones: &[(f32, f32, f32)], force: f32, noise: &mut Noise, rate: f32, out: &mut [f32]) {
    let modes: Vec<Mode> =
        tones.iter().map(|&(freq, amp, decay)| Mode { freq, amp, decay, phase: 0.0 }).collect();
    add_modes(&modes, rate, out);
    let mut stick = Biquad::band_pass(3200.0, 0.8, rate);
    for (i, sample) in out.iter_mut().enumerate() {
        *sample += stick.run(noise.next()) * (0.2 + 0.3 * force) * (-(i as f32) / rate / 0.003).exp();
    }
    soften_start(rate, out, 0.0003);
}

fn shaker(force: f32, ring: f32, swell: f32, low: f32, noise: &mut Noise, rate: f32, out: &mut [f32]) {
    let mut thin = Biquad::high_pass(low, 0.8, rate);
    for (i, sample) in out.iter_mut().enumerate() {
        let t = i as f32 / rate;
        let level = (1.0 - (-t / swell).exp()) * (-t / ring).exp();
        *sample += thin.run(noise.next()) * level * (0.25 + 0.15 * force);
    }
}

fn jingle(force: f32, rate: f32, out: &mut [f32]) {
    let modes: Vec<Mode> = [5210.0, 6480.0, 7930.0, 9120.0, 10_450.0]
        .iter()
        .map(|&freq| Mode { freq, amp: 0.035 + 0.03 * force, decay: 0.11, phase: 0.0 })
        .collect();
    add_modes(&modes, rate, out);
    soften_start(rate, out, 0.0004);
}

/// Brings the end of the buffer to silence.
fn fade_end(out: &mut [f32]) {
    let frames = (out.len() / 8).max(1);
    let start = out.len() - frames.min(out.len());
    for (i, sample) in out[start..].iter_mut().enumerate() {
        *sample *= 1.0 - i as f32 / frames as f32;
    }
}
