//! What several of the tests need: listening, measuring, and a soundfont made from code.

use sideman_sound::Ensemble;

/// Renders `seconds` of both sides in blocks of 500.
pub(crate) fn listen(ensemble: &mut Ensemble, rate: f32, seconds: f32) -> [Vec<f32>; 2] {
    let frames = (seconds * rate) as usize;
    let mut sides = [vec![9.0; frames], vec![9.0; frames]];
    let [left, right] = &mut sides;
    for (left, right) in left.chunks_mut(500).zip(right.chunks_mut(500)) {
        ensemble.render(left, right);
    }
    sides
}

pub(crate) fn peak(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |m, v| m.max(v.abs()))
}

pub(crate) fn loudness(x: &[f32]) -> f32 {
    (x.iter().map(|v| v * v).sum::<f32>() / x.len().max(1) as f32).sqrt()
}

pub(crate) fn decibels(x: f32) -> f32 {
    20.0 * x.max(1e-9).log10()
}

pub(crate) fn frequency(pitch: u8) -> f64 {
    440.0 * 2f64.powf((f64::from(pitch) - 69.0) / 12.0)
}

/// Strength of a frequency in Hz (Goertzel), with a window that keeps neighbours apart.
pub(crate) fn strength(x: &[f32], freq: f64, rate: f32) -> f64 {
    let w = std::f64::consts::TAU * freq / f64::from(rate);
    let (mut re, mut im) = (0.0, 0.0);
    for (i, v) in x.iter().enumerate() {
        let window = 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / x.len() as f64).cos();
        let (sin, cos) = (w * i as f64).sin_cos();
        re += f64::from(*v) * window * cos;
        im += f64::from(*v) * window * sin;
    }
    (re * re + im * im).sqrt()
}

/// Distance in cents of the strongest frequency near `freq` from it; of an ensemble, whose players lie on
/// both sides of the pitch and move, the centre of its power.
pub(crate) fn cents_off(x: &[f32], freq: f64, rate: f32, players: bool) -> f64 {
    let at = |cents: i32| strength(x, freq * 2f64.powf(f64::from(cents) / 1200.0), rate);
    if players {
        let power: Vec<(f64, f64)> = (-80..=80).step_by(4).map(|c| (f64::from(c), at(c).powi(2))).collect();
        return power.iter().map(|p| p.0 * p.1).sum::<f64>() / power.iter().map(|p| p.1).sum::<f64>();
    }
    let best = (-60..=60).step_by(6).max_by(|&a, &b| at(a).total_cmp(&at(b))).unwrap();
    let best = (best - 5..=best + 5).max_by(|&a, &b| at(a).total_cmp(&at(b))).unwrap();
    f64::from(best)
}

/// A sound file's chunk.
pub(crate) fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = name.to_vec();
    out.extend((body.len() as u32).to_le_bytes());
    out.extend(body);
    if body.len() % 2 == 1 {
        out.push(0);
    }
    out
}

fn list(kind: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"LIST", &[kind.as_slice(), &chunks.concat()].concat())
}

fn named(name: &str, rest: &[u8]) -> Vec<u8> {
    let mut out = vec![0u8; 20];
    out[..name.len()].copy_from_slice(name.as_bytes());
    out.extend(rest);
    out
}

fn words(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// What a test may change about the soundfont that [`soundfont`] makes.
#[derive(Debug, Clone)]
pub(crate) struct FontPlan {
    pub(crate) sample_rate: u32,
    pub(crate) loops: (u32, u32),
    pub(crate) end: u32,
    /// Where the second preset and instrument begin in their bags.
    pub(crate) second_preset: u16,
    pub(crate) second_instrument: u16,
    /// Generators (kind, amount) of the instrument beyond loop mode and sample.
    pub(crate) generators: Vec<(u16, u16)>,
    pub(crate) smpl: Option<Vec<u8>>,
}

impl Default for FontPlan {
    fn default() -> Self {
        Self {
            sample_rate: 44_100,
            loops: (100, 300),
            end: 400,
            second_preset: 1,
            second_instrument: 1,
            generators: vec![(38, 0xF448)],
            smpl: None,
        }
    }
}

/// A SoundFont 2 of one looped sine of 441 Hz (nearly A4), as piano and as drums.
pub(crate) fn soundfont(plan: &FontPlan) -> Vec<u8> {
    let sine: Vec<u8> = (0..500u32)
        .flat_map(|i| {
            let x = (std::f64::consts::TAU * f64::from(i) / 100.0).sin() * 20_000.0;
            (x as i16).to_le_bytes()
        })
        .collect();
    let info = list(
        b"INFO",
        &[chunk(b"ifil", &words(&[2, 1])), chunk(b"isng", b"EMU8000\0"), chunk(b"INAM", b"test\0\0")],
    );
    let data = list(b"sdta", &[chunk(b"smpl", plan.smpl.as_ref().unwrap_or(&sine))]);
    let preset = |name, program: u16, bank: u16, bag: u16| {
        named(name, &[words(&[program, bank, bag]), vec![0; 12]].concat())
    };
    let presets =
        [preset("Sine", 0, 0, 0), preset("Drums", 0, 128, plan.second_preset), preset("EOP", 0, 0, 2)];
    let mut generators: Vec<(u16, u16)> = plan.generators.clone();
    generators.extend([(54, 1), (53, 0)]);
    let count = generators.len() as u16;
    let mut sample = Vec::new();
    for value in [0, plan.end, plan.loops.0, plan.loops.1, plan.sample_rate] {
        sample.extend(value.to_le_bytes());
    }
    sample.extend([69, 0, 0, 0, 1, 0]);
    let pairs = |g: &[(u16, u16)]| words(&g.iter().flat_map(|&(k, v)| [k, v]).collect::<Vec<_>>());
    let pdta = list(
        b"pdta",
        &[
            chunk(b"phdr", &presets.concat()),
            chunk(b"pbag", &words(&[0, 0, 1, 0, 2, 0])),
            chunk(b"pmod", &[0; 10]),
            chunk(b"pgen", &pairs(&[(41, 0), (41, 0), (0, 0)])),
            chunk(
                b"inst",
                &[
                    named("One", &words(&[0])),
                    named("Two", &words(&[plan.second_instrument])),
                    named("EOI", &words(&[2])),
                ]
                .concat(),
            ),
            chunk(b"ibag", &words(&[0, 0, count, 0, 2 * count, 0])),
            chunk(b"imod", &[0; 10]),
            chunk(b"igen", &pairs(&[generators.clone(), generators, vec![(0, 0)]].concat())),
            chunk(b"shdr", &[named("sine", &sample), named("EOS", &[0; 26])].concat()),
        ],
    );
    chunk(b"RIFF", &[b"sfbk".to_vec(), info, data, pdta].concat())
}

/// A font on disk that goes when the value is dropped.
pub(crate) struct FontFile {
    _dir: tempfile::TempDir,
    pub(crate) path: std::path::PathBuf,
}

pub(crate) fn font_file(bytes: &[u8]) -> FontFile {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let path = dir.path().join("font.sf2");
    std::fs::write(&path, bytes).expect("a file for the test");
    FontFile { _dir: dir, path }
}
