//! Sounds that last as long as the key: strings, organ, winds. Each is one seamless loop, in which every
//! player goes through a whole number of cycles.

/// How a sustained sound is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sustained {
    /// Players, slightly apart in tune.
    pub(super) players: usize,
    /// Distance of the outermost players from the middle, in cents.
    pub(super) spread_cents: f32,
    /// Depth of the vibrato in cents.
    pub(super) vibrato_cents: f32,
    /// Length of the loop in seconds, about.
    pub(super) seconds: f32,
    /// Loudness of a partial by its number and frequency in Hz.
    pub(super) partial: fn(usize, f32) -> f32,
}

/// Bowed strings: a soft saw with the resonances of the instruments' bodies.
pub(super) fn bowed_partial(n: usize, freq: f32) -> f32 {
    let bump = |at: f32, width: f32, gain: f32| gain * (-((freq / at).log2() / width).powi(2)).exp();
    let body = 0.75 + bump(280.0, 0.5, 0.5) + bump(480.0, 0.4, 0.45) + bump(2300.0, 0.6, 0.35);
    body / (n as f32).powf(1.08) / (1.0 + (freq / 3400.0).powi(4))
}

/// Drawbars: 16', 8', 5 1/3', 4', 2 2/3', 2'; the loop's fundamental is the 16' pipe.
pub(super) fn organ_partial(n: usize, freq: f32) -> f32 {
    let drawn = match n {
        1 => 0.35,
        2 => 1.0,
        3 => 0.5,
        4 => 0.6,
        6 => 0.25,
        8 => 0.3,
        _ => 0.0,
    };
    drawn / (1.0 + (freq / 5000.0).powi(2))
}

/// Winds and whatever else sustains: a mellow tone.
pub(super) fn mellow_partial(n: usize, freq: f32) -> f32 {
    (if n.is_multiple_of(2) { 0.5 } else { 1.0 }) / (n as f32).powf(1.5) / (1.0 + (freq / 2600.0).powi(4))
}

const TABLE: usize = 2048;

/// The highest partial in Hz that is worth keeping.
const TOP: f32 = 7600.0;

/// The loop for a fundamental in Hz, and the rate at which it is in tune.
pub(super) fn sustain(kind: Sustained, f0: f32) -> (Vec<f32>, f32) {
    let amps = partials(kind.partial, f0);
    let table = cycle(&amps);
    // Room above the highest partial, for the interpolation.
    let period = ((amps.len() as f32 / 0.36).ceil()).max(12.0);
    let rate = period * f0;
    let cycles = (f0 * kind.seconds).round().max(1.0);
    let mut out = vec![0.0f32; (cycles * period) as usize];
    let vibrato_turns = (5.3 * cycles / f0).round().max(1.0);
    for player in 0..kind.players {
        let place =
            if kind.players == 1 { 0.0 } else { player as f32 / (kind.players - 1) as f32 * 2.0 - 1.0 };
        let own = (cycles * 2f32.powf(kind.spread_cents * place / 1200.0)).round();
        let start = ((player * 7 + 1) as f32 * 0.618_034).fract();
        add_player(&table, own, start, vibrato_turns, kind.vibrato_cents, &mut out);
    }
    let gain = 0.30 / (kind.players as f32).sqrt();
    out.iter_mut().for_each(|x| *x *= gain);
    (out, rate)
}

/// One player: `turns` cycles of the table over the whole loop, pulled to and fro by the vibrato.
fn add_player(table: &[f32], turns: f32, start: f32, vibrato_turns: f32, cents: f32, out: &mut [f32]) {
    let frames = out.len() as f32;
    // Vibrato of so many cents is a swing of the phase; divided by its own rate it is in table cycles.
    let swing = turns * (2f32.powf(cents / 1200.0) - 1.0) / (std::f32::consts::TAU * vibrato_turns.max(1.0));
    const CHUNK: usize = 64;
    for (c, chunk) in out.chunks_mut(CHUNK).enumerate() {
        // The vibrato is slow: straight lines between its points are enough.
        let at = |i: usize| {
            let x = f64::from(i as u32) / f64::from(frames);
            let v = (std::f64::consts::TAU * (x * f64::from(vibrato_turns) + f64::from(start))).sin();
            f64::from(start) + x * f64::from(turns) + v * f64::from(swing)
        };
        let (a, b) = (at(c * CHUNK), at(c * CHUNK + chunk.len()));
        let step = ((b - a) / chunk.len() as f64) as f32;
        let mut phase = (a - a.floor()) as f32;
        for sample in chunk {
            let x = phase * TABLE as f32;
            let i = (x as usize).min(TABLE - 1);
            *sample += table[i] + (table[i + 1] - table[i]) * (x - i as f32);
            phase += step;
            phase -= phase.floor();
        }
    }
}

/// Loudness of every partial that is heard.
fn partials(partial: fn(usize, f32) -> f32, f0: f32) -> Vec<f32> {
    let count = ((TOP / f0) as usize).clamp(1, 48);
    let mut amps: Vec<f32> = (1..=count).map(|n| partial(n, n as f32 * f0)).collect();
    let power = amps.iter().map(|a| a * a).sum::<f32>().sqrt().max(1e-6);
    amps.iter_mut().for_each(|a| *a /= power);
    amps.truncate(amps.iter().rposition(|a| *a > 3e-4).map_or(1, |last| last + 1));
    amps
}

/// One cycle of the tone, with its first sample repeated at the end.
fn cycle(amps: &[f32]) -> Vec<f32> {
    let sine: Vec<f32> =
        (0..TABLE).map(|i| (std::f32::consts::TAU * i as f32 / TABLE as f32).sin()).collect();
    let mut table = vec![0.0f32; TABLE + 1];
    for (n, amp) in (1..).zip(amps) {
        // Scattered phases keep the wave's crest low.
        let shift = n * n * 97;
        for (i, t) in table.iter_mut().take(TABLE).enumerate() {
            *t += amp * sine[(i * n + shift) % TABLE];
        }
    }
    table[TABLE] = table[0];
    table
}
