//! Struck sounds as sums of decaying sine waves: piano, electric piano, mallets, basses, drum skins.

use super::frequency;

/// A sine wave that dies away.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mode {
    /// Frequency in Hz.
    pub(super) freq: f32,
    /// Amplitude at the start.
    pub(super) amp: f32,
    /// Seconds in which it falls to 1/e.
    pub(super) decay: f32,
    /// Phase at the start, in turns.
    pub(super) phase: f32,
}

/// Modes that are summed together: wide enough to fill a vector register, small enough to stop early.
const LANES: usize = 16;
/// A group of modes stops once all of them are below this level.
const INAUDIBLE: f32 = 1e-4;

/// Adds the modes to `out` at `rate` samples a second. Modes above 0.45 of the rate are left out.
pub(super) fn add_modes(modes: &[Mode], rate: f32, out: &mut [f32]) {
    let mut audible: Vec<Mode> = modes
        .iter()
        .copied()
        .filter(|m| m.freq < 0.45 * rate && m.freq > 1.0 && m.amp.abs() > INAUDIBLE && m.decay > 0.0)
        .collect();
    // Modes that die at about the same time share a group, so that a group can stop early.
    audible.sort_by(|a, b| lasts(b).total_cmp(&lasts(a)));
    for group in audible.chunks(LANES) {
        let frames = (group.iter().map(lasts).fold(0.0, f32::max) * rate) as usize;
        let frames = frames.min(out.len());
        add_group(group, rate, &mut out[..frames]);
    }
}

/// Seconds until a mode is inaudible.
fn lasts(m: &Mode) -> f32 {
    m.decay * (m.amp.abs() / INAUDIBLE).ln().max(0.0)
}

fn add_group(group: &[Mode], rate: f32, out: &mut [f32]) {
    // Each mode is a complex number that turns and shrinks a little every sample.
    let (mut re, mut im) = ([0.0f32; LANES], [0.0f32; LANES]);
    let (mut c, mut s) = ([0.0f32; LANES], [0.0f32; LANES]);
    for (i, m) in group.iter().enumerate() {
        let w = std::f32::consts::TAU * m.freq / rate;
        let shrink = (-1.0 / (m.decay * rate)).exp();
        (c[i], s[i]) = (shrink * w.cos(), shrink * w.sin());
        let phase = std::f32::consts::TAU * m.phase;
        (re[i], im[i]) = (m.amp * phase.cos(), m.amp * phase.sin());
    }
    for sample in out {
        for i in 0..LANES {
            let turned = re[i] * c[i] - im[i] * s[i];
            im[i] = re[i] * s[i] + im[i] * c[i];
            re[i] = turned;
        }
        // Summed as a tree, which the compiler may not make of a plain sum.
        let quarter: [f32; LANES / 4] = std::array::from_fn(|i| {
            (im[i] + im[i + LANES / 4]) + (im[i + LANES / 2] + im[i + 3 * LANES / 4])
        });
        *sample += (quarter[0] + quarter[2]) + (quarter[1] + quarter[3]);
    }
}

/// A struck string or bar, ready to be sounded at any rate.
pub(super) struct Struck {
    pub(super) modes: Vec<Mode>,
    /// Seconds in which the blow sets in.
    pub(super) onset: f32,
}

impl Struck {
    /// The highest frequency in Hz that is heard.
    pub(super) fn highest(&self) -> f32 {
        self.modes.iter().filter(|m| m.amp.abs() > 3.0 * INAUDIBLE).fold(0.0, |top, m| m.freq.max(top))
    }

    /// The sound at `rate`, `seconds` long at most.
    pub(super) fn sound(&self, rate: f32, seconds: f32) -> Vec<f32> {
        let lasting = self.modes.iter().map(lasts).fold(0.0, f32::max);
        let mut out = vec![0.0; (lasting.min(seconds) * rate) as usize + 1];
        add_modes(&self.modes, rate, &mut out);
        soften_start(rate, &mut out, self.onset);
        out
    }
}

/// Partials of a piano string that have a second, slow decay worth hearing.
const LINGERING: usize = 12;

/// A grand piano's string: stretched partials, a comb by the hammer's place, a fast and a slow decay.
/// `force` is 0 to 1.
pub(super) fn piano(pitch: u8, force: f32) -> Struck {
    let f0 = frequency(pitch);
    let height = (f32::from(pitch) - 60.0) / 12.0;
    // Strings are stiffest at both ends of the keyboard; these follow the usual middle values.
    let stiffness = 0.000_35 * 2f32.powf(height.max(-1.5) * 1.1);
    let lasting = 5.0 * 2f32.powf(-height * 0.62);
    let count = ((9000.0 + 3000.0 * force) / f0).clamp(3.0, 30.0) as usize;
    // A harder blow excites the upper partials more.
    let slope = 0.30 - 0.20 * force + 0.05 * height.max(0.0);
    let mut modes = Vec::with_capacity(count * 2);
    for n in 1..=count {
        let k = n as f32;
        let freq = k * f0 * (1.0 + stiffness * k * k).sqrt() / (1.0 + stiffness).sqrt();
        let comb = (std::f32::consts::PI * k / 8.3).sin().abs().max(0.08);
        let low_cut = if f0 * k < 110.0 { 0.55 } else { 1.0 };
        let amp = comb * low_cut * (-slope * (k - 1.0)).exp() / k.powf(0.35);
        let damping = 1.0 + 0.22 * (k - 1.0) + (freq / 5200.0).powi(2);
        let decay = lasting / damping;
        let phase = (k * 0.37).fract();
        modes.push(Mode { freq, amp: amp * 0.75, decay: decay * 0.22, phase });
        if n > LINGERING {
            continue;
        }
        // The strings of a key differ by a fraction of a cent; their slow beat is part of the sound.
        let detune = 1.0 + 0.000_25 * if n % 2 == 0 { 1.0 } else { -1.0 };
        modes.push(Mode { freq: freq * detune, amp: amp * 0.40, decay, phase });
    }
    let loudness: f32 = modes.iter().map(|m| m.amp * m.amp).sum::<f32>().sqrt();
    for m in &mut modes {
        m.amp *= 0.42 / loudness;
    }
    // The knock of the key bed.
    for (freq, amp) in [(92.0, 0.05), (187.0, 0.035), (410.0, 0.02)] {
        modes.push(Mode { freq, amp: amp * (0.4 + force), decay: 0.025, phase: 0.0 });
    }
    Struck { modes, onset: 0.0016 - 0.0008 * force }
}

/// A tine piano: a round tone with a short bell on top.
pub(super) fn electric_piano(pitch: u8, force: f32) -> Struck {
    let f0 = frequency(pitch);
    let lasting = 2.2 * 2f32.powf(-(f32::from(pitch) - 60.0) / 12.0 * 0.45);
    let bark = 0.08 + 0.34 * force * force;
    Struck {
        modes: vec![
            Mode { freq: f0, amp: 0.42, decay: lasting, phase: 0.0 },
            Mode { freq: f0 * 1.0006, amp: 0.10, decay: lasting, phase: 0.2 },
            Mode { freq: f0 * 2.0, amp: 0.42 * bark, decay: lasting * 0.5, phase: 0.0 },
            Mode { freq: f0 * 3.0, amp: 0.24 * bark, decay: lasting * 0.35, phase: 0.0 },
            Mode { freq: f0 * 6.9, amp: 0.06 * force, decay: 0.09, phase: 0.0 },
            Mode { freq: f0 * 14.1, amp: 0.04 * force, decay: 0.05, phase: 0.0 },
        ],
        onset: 0.002,
    }
}

/// A bar or bell: celesta, vibraphone, marimba and the like.
pub(super) fn mallet(pitch: u8, force: f32) -> Struck {
    let f0 = frequency(pitch);
    let lasting = 1.1 * 2f32.powf(-(f32::from(pitch) - 72.0) / 12.0 * 0.5);
    Struck {
        modes: vec![
            Mode { freq: f0, amp: 0.40, decay: lasting, phase: 0.0 },
            Mode { freq: f0 * 4.0, amp: 0.10 + 0.08 * force, decay: lasting * 0.35, phase: 0.0 },
            Mode { freq: f0 * 9.2, amp: 0.05 * force, decay: lasting * 0.1, phase: 0.0 },
        ],
        onset: 0.001,
    }
}

/// How a bass string is set up.
#[derive(Debug, Clone, Copy)]
pub(super) struct BassTone {
    /// Partials above the fundamental fall by this factor of e each.
    pub(super) dark: f32,
    /// Seconds in which a low note falls to 1/e.
    pub(super) lasting: f32,
    /// Loudness of the finger's or pick's noise, 0 to 1.
    pub(super) attack: f32,
    /// Where the string is plucked, as a share of its length.
    pub(super) place: f32,
}

/// A bass string. `force` is 0 to 1.
pub(super) fn bass(tone: BassTone, pitch: u8, force: f32) -> Struck {
    let f0 = frequency(pitch);
    let height = (f32::from(pitch) - 36.0) / 12.0;
    let lasting = tone.lasting * 2f32.powf(-height * 0.5);
    let count = (3800.0 / f0).clamp(4.0, 22.0) as usize;
    let slope = tone.dark * (1.25 - 0.5 * force);
    let mut modes: Vec<Mode> = (1..=count)
        .map(|n| {
            let k = n as f32;
            let freq = f0 * k * (1.0 + 0.000_05 * k * k);
            let comb = (std::f32::consts::PI * k * tone.place).sin().abs().max(0.05);
            // Small loudspeakers carry the second and third partial, not the fundamental: keep them strong.
            let amp = comb * (-slope * (k - 1.0)).exp() / k.powf(0.5);
            Mode { freq, amp, decay: lasting / (1.0 + 0.30 * (k - 1.0)), phase: 0.0 }
        })
        .collect();
    let loudness: f32 = modes.iter().map(|m| m.amp * m.amp).sum::<f32>().sqrt();
    for m in &mut modes {
        m.amp *= 0.5 / loudness;
    }
    for (freq, amp) in [(720.0, 0.05), (1450.0, 0.04), (2300.0, 0.03)] {
        modes.push(Mode { freq, amp: amp * tone.attack * (0.3 + force), decay: 0.008, phase: 0.0 });
    }
    Struck { modes, onset: 0.003 }
}

/// Fades the first `seconds` in, so that modes which start in mid-swing do not click.
pub(super) fn soften_start(rate: f32, out: &mut [f32], seconds: f32) {
    let frames = ((seconds * rate) as usize).max(8);
    for (i, sample) in out.iter_mut().take(frames).enumerate() {
        let x = i as f32 / frames as f32;
        *sample *= x * x * (3.0 - 2.0 * x);
    }
}
