//! The step kernel against the network, and the neural band's promises.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use sideman_inference::band::{
    BASS_SHAPE, Band, BassRow, CHORD_SHAPE, ChordRow, Config, Dials, DrumRow, INPUTS, MOST_CANDIDATES,
    NeuralBand, POSITIONS, Rests, State, StepContext, StepNetwork, StepPosition, bass_candidates,
    chord_candidates, climb, part_key,
};
use sideman_inference::weights;
use sideman_music::encoding::grid::{BASS_HIGH, BASS_LOW, BassNote, DRUM_CLASSES};
use sideman_music::{BandStep, Chord, Part, PianoFrame};

use super::*;
use crate::ops::LstmState;

/// Small sizes, so that the tests are quick; odd ones, so that remainders are met.
const SMALL: Config = Config { input: 40, hidden: 33, context: 24, pitch: 20, style: 7 };

/// Weights that are far enough from their start for everything to matter, rounded as a kernel rounds them.
fn weights(config: Config) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let mut rng = Pcg64::seed_from_u64(9);
    let mut all = config.initial(5);
    all.values_mut().flat_map(|t| &mut t.1).for_each(|v| *v += rng.random_range(-0.15..0.15));
    all.insert("early.b".into(), (vec![4], vec![-1.0; 4]));
    all.values_mut().for_each(|(shape, v)| *v = weights::rounded(shape, v));
    all
}

fn network(config: Config) -> Network {
    let tensors = weights(config)
        .into_iter()
        .map(|(k, (shape, v))| (k, Tensor::from_vec(v, shape, &Device::Cpu).unwrap()))
        .collect();
    Network::new(config, tensors, &Device::Cpu).unwrap()
}

fn kernel(config: Config) -> StepNetwork {
    let tensors = weights(config).into_iter().map(|(k, (_, v))| (k, v)).collect();
    StepNetwork::new(config, &tensors).unwrap()
}

/// A song of chance with every kind of event.
fn song(steps: usize, seed: u64) -> GridSong {
    let mut rng = Pcg64::seed_from_u64(seed);
    let frames = (0..steps)
        .map(|_| {
            let low = rng.random_range(36..60u8);
            let struck = if rng.random_bool(0.4) { 1 << (low % 12) | rng.random::<u16>() & 0xFFF } else { 0 };
            PianoFrame {
                sounding: struck | 1 << (low % 12),
                struck,
                lowest: low,
                highest: low + 12,
                struck_lowest: if struck > 0 { low } else { 255 },
                struck_highest: if struck > 0 { low + 7 } else { 0 },
                struck_count: struck.count_ones() as u8,
                velocity: if struck > 0 { rng.random_range(20..120) } else { 0 },
                keys: 3,
            }
        })
        .collect();
    let band = (0..steps)
        .map(|_| {
            let mut s = BandStep::EMPTY;
            for d in &mut s.drums {
                *d = if rng.random_bool(0.15) { rng.random_range(1..=32) } else { 0 };
            }
            if rng.random_bool(0.4) {
                let (pitch, length) = (rng.random_range(BASS_LOW..=BASS_HIGH), rng.random_range(0..23));
                let above = if rng.random_bool(0.5) { rng.random_range(1..=24) } else { 0 };
                s.bass = Some(BassNote { pitch, length, velocity: rng.random_range(0..32), above });
            }
            for chord in [&mut s.guitar, &mut s.strings] {
                if rng.random_bool(0.4) {
                    let mut pitch = 40;
                    for _ in 0..rng.random_range(1..=7) {
                        chord.push(pitch, rng.random_range(0..23));
                        pitch += rng.random_range(1..9u8);
                    }
                    chord.velocity = rng.random_range(0..32);
                }
            }
            for part in Part::ALL {
                if !s.plays(part) {
                    continue;
                }
                s.offsets[part.index()] = if rng.random_bool(0.3) { rng.random_range(-3..=2) } else { 0 };
            }
            s
        })
        .collect();
    GridSong { frames, band, parts: [true; 4], bpm: 97.0, tier: 1.0, bar_steps: 16, half_steps: 8 }
}

/// Negative log likelihood of a class.
fn nll(logits: &[f32], class: usize) -> f64 {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f32 = logits.iter().map(|l| (l - top).exp()).sum();
    f64::from(total.ln() + top - logits[class])
}

fn bit_nll(logit: f32, on: bool) -> f64 {
    let x = if on { -logit } else { logit };
    f64::from(x.max(0.0) + (-x.abs()).exp().ln_1p())
}

/// The losses of a batch by the kernel, a row at a time.
struct Walk<'a> {
    kernel: &'a StepNetwork,
    /// State after each trunk row.
    states: Vec<State>,
    sums: BTreeMap<String, f64>,
}

impl<'a> Walk<'a> {
    fn new(kernel: &'a StepNetwork, batch: &Batch, codes: &[Vec<f32>]) -> Self {
        let mut lanes: Vec<State> = codes
            .iter()
            .map(|code| {
                let mut state = kernel.state();
                kernel.set_style(code, &mut state);
                state
            })
            .collect();
        let mut states = vec![];
        for row in 0..batch.steps * batch.lanes {
            let state = &mut lanes[row % batch.lanes];
            state.inputs.copy_from_slice(&batch.inputs[row * INPUTS..(row + 1) * INPUTS]);
            kernel.trunk(state);
            states.push(state.clone());
        }
        Self { kernel, states, sums: BTreeMap::new() }
    }

    fn add(&mut self, term: String, loss: f64) {
        *self.sums.entry(term).or_default() += loss;
    }

    /// State with a part's outputs for row `i`, and the position in the bar.
    fn begin<R>(&self, part: Part, rows: &PartRows<R>, i: usize) -> (State, usize) {
        let mut state = self.states[rows.trunk[i] as usize].clone();
        let width = rows.extra.len() / rows.trunk.len();
        self.kernel.outputs(part, &rows.extra[i * width..(i + 1) * width], &mut state);
        (state, rows.pattern[i] as usize % POSITIONS)
    }

    fn offset(&mut self, part: Part, key: &str, last: u8, early: bool, step: &BandStep, state: &State) {
        let logits = self.kernel.offset(part, last, early, state);
        self.add(format!("{key} offset"), nll(&logits, (step.offsets[part.index()] + 3) as usize));
    }

    fn early(&mut self, batch: &Batch) {
        for (row, state) in self.states.clone().iter().enumerate() {
            for part in Part::ALL {
                let i = row * 4 + part.index();
                let copies = std::array::from_fn(|k| batch.early_copies[i * 8 + k] > 0.0);
                let logit = self.kernel.early(part, copies, state);
                let loss = f64::from(batch.early_weight[i]) * bit_nll(logit, batch.early_target[i] > 0.0);
                self.add("early".into(), loss);
            }
        }
    }

    fn repeats(&mut self, batch: &Batch) {
        for (&row, &target) in batch.repeat_rows.iter().zip(&batch.repeat_targets) {
            let state = &mut self.states[row as usize / 4];
            let logits = self.kernel.repeats(state)[row as usize % 4];
            self.add("repeats".into(), nll(&logits, target as usize));
        }
    }

    fn drums(&mut self, rows: &PartRows<DrumRow>) {
        for i in 0..rows.trunk.len() {
            let (state, in_bar) = self.begin(Part::Drums, rows, i);
            let (row, target) = (&rows.row[i], &rows.target[i]);
            let mut logits = self.kernel.drum_onsets(row, in_bar, rows.plan[i] as u8, &state);
            for c in 0..DRUM_CLASSES {
                logits[c] +=
                    (0..c).filter(|&b| target.drums[b] > 0).map(|b| self.kernel.chain(c, b)).sum::<f32>();
                self.add("drum onset".into(), bit_nll(logits[c], target.drums[c] > 0));
                if target.drums[c] > 0 {
                    let v = self.kernel.velocity(Part::Drums, [row.last[c], row.bar[c]], c, &state);
                    self.add("drum velocity".into(), nll(&v, usize::from(target.drums[c] - 1)));
                }
            }
            if target.plays(Part::Drums) {
                self.offset(Part::Drums, "drum", row.offset, rows.early[i], target, &state);
            }
        }
    }

    fn bass(&mut self, rows: &PartRows<BassRow>) {
        for i in 0..rows.trunk.len() {
            let (mut state, in_bar) = self.begin(Part::Bass, rows, i);
            let (row, target) = (&rows.row[i], &rows.target[i]);
            if !rows.early[i] {
                let logit = self.kernel.onset(Part::Bass, row.copies, in_bar, rows.plan[i] as u8, &state);
                self.add("bass onset".into(), bit_nll(logit, target.bass.is_some()));
            }
            let Some(note) = target.bass else { continue };
            let mut scores = [0f32; MOST_CANDIDATES];
            let candidates = bass_candidates(row, rows.references[i]);
            self.kernel.bass_pitches(&candidates, rows.plan[i] as u8, &mut state, &mut scores);
            let scores = &scores[..=BASS_SHAPE.pitches];
            self.add("bass pitch".into(), nll(scores, usize::from(note.pitch) - BASS_SHAPE.low));
            let degree = usize::from((12 + note.pitch % 12 - rows.references[i].0) % 12);
            let lengths = self.kernel.length(Part::Bass, row.lengths, degree, &state);
            self.add("bass length".into(), nll(&lengths, usize::from(note.length)));
            let above = self.kernel.above(row.above, &state);
            self.add("bass above".into(), nll(&above, usize::from(note.above)));
            let velocities = self.kernel.velocity(Part::Bass, row.velocities, 0, &state);
            self.add("bass velocity".into(), nll(&velocities, usize::from(note.velocity)));
            self.offset(Part::Bass, "bass", row.offset, rows.early[i], target, &state);
        }
    }

    fn chords(&mut self, part: Part, rows: &PartRows<ChordRow>) {
        let key = part_key(part);
        for i in 0..rows.trunk.len() {
            let (mut state, in_bar) = self.begin(part, rows, i);
            let (row, target) = (&rows.row[i], &rows.target[i]);
            let chord: Chord = target.chord(part);
            if !rows.early[i] {
                let logit = self.kernel.onset(part, row.copies, in_bar, rows.plan[i] as u8, &state);
                self.add(format!("{key} onset"), bit_nll(logit, !chord.is_empty()));
            }
            if chord.is_empty() {
                continue;
            }
            let velocities = self.kernel.velocity(part, row.velocities, 0, &state);
            self.add(format!("{key} velocity"), nll(&velocities, usize::from(chord.velocity)));
            self.kernel.begin_chord(part, &mut state);
            let mut last = row.lengths;
            for rank in 0..=chord.len() {
                let so_far = &chord.pitches()[..rank];
                let mut scores = [0f32; MOST_CANDIDATES];
                let candidates = chord_candidates(row, rows.references[i], so_far);
                self.kernel.chord_pitches(
                    part,
                    (&candidates, rows.plan[i] as u8),
                    (climb(so_far) as usize, rank),
                    &mut state,
                    &mut scores,
                );
                let class = match chord.notes().nth(rank) {
                    Some((pitch, length)) => {
                        let logits = self.kernel.length(part, last, rank, &state);
                        self.add(format!("{key} length"), nll(&logits, usize::from(length)));
                        last[0] = length;
                        usize::from(pitch) - CHORD_SHAPE.low
                    }
                    None => CHORD_SHAPE.pitches,
                };
                self.add(format!("{key} pitch"), nll(&scores, class));
            }
            self.offset(part, key, row.offset, rows.early[i], target, &state);
        }
    }
}

/// Compares every head of the kernel with the network's, over songs of chance.
fn compare(config: Config, net: &Network, kernel: &StepNetwork) {
    let mut rng = Pcg64::seed_from_u64(3);
    let mut lanes: Vec<Lane> = (0..3)
        .map(|i| {
            Lane::new(Arc::new(song(90, i)), 0, i as u32, 16 * i as usize, &HistoryCorruption::NONE, &mut rng)
        })
        .collect();
    let batch = Batch::next(&mut lanes, 40, &HistoryCorruption::NONE, &mut rng);
    let codes: Vec<Vec<f32>> =
        (0..3).map(|_| (0..config.style).map(|_| rng.random_range(-1.0..1.0)).collect()).collect();

    let tensor = Tensor::from_vec(codes.concat(), (3, config.style), &Device::Cpu).unwrap();
    let losses = net.losses(&batch, &tensor, &LstmState::zeros(3, config.hidden), None).unwrap();
    let expected: BTreeMap<String, f64> =
        losses.terms.into_iter().map(|(k, v)| (k, f64::from(v.to_scalar::<f32>().unwrap()))).collect();

    let mut walk = Walk::new(kernel, &batch, &codes);
    walk.early(&batch);
    walk.repeats(&batch);
    walk.drums(&batch.drums);
    walk.bass(&batch.bass);
    walk.chords(Part::Guitar, &batch.chords[0]);
    walk.chords(Part::Strings, &batch.chords[1]);
    assert_eq!(walk.sums.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert_eq!(expected.len(), 21);
    for (term, &sum) in &expected {
        assert!(sum > 1.0, "{term} was hardly tested: {sum}");
        let own = walk.sums[term];
        assert!((own - sum).abs() < 1e-4 * sum, "{term}: the kernel has {own}, the network {sum}");
    }
}

/// The kernel's loss is the network's to one part in ten thousand, vectors rounded to 16 bits and all.
#[test]
fn the_kernel_equals_the_network() {
    compare(SMALL, &network(SMALL), &kernel(SMALL));
}

/// The same from the built-in weights file.
#[test]
fn the_kernel_equals_the_network_with_the_embedded_weights() {
    let (config, values) = weights::read_tensors(weights::EMBEDDED).unwrap();
    let tensors = config
        .tensors()
        .into_iter()
        .map(|spec| {
            let size = spec.shape.iter().product();
            // What only makes style codes is not in the file, and not compared.
            let v = values.get(&spec.name).cloned().unwrap_or_else(|| vec![0.0; size]);
            (spec.name, Tensor::from_vec(v, spec.shape, &Device::Cpu).unwrap())
        })
        .collect();
    let net = Network::new(config, tensors, &Device::Cpu).unwrap();
    compare(config, &net, &StepNetwork::new(config, &values).unwrap());
}

/// Rounding vectors to 16 bits moves likelihoods by some hundred-thousandths, so that now and then, where chance
/// decides by a hair, another note is drawn; from there on the two bands go their own ways. So what is compared
/// is beginnings: of so many, all but a few are the same note for note.
#[test]
fn bands_with_rounded_vectors_hardly_ever_decide_otherwise() {
    let (config, values) = weights::read_tensors(weights::EMBEDDED).unwrap();
    let kernels = [StepNetwork::new(config, &values), StepNetwork::unquantised(config, &values)]
        .map(|k| Arc::new(k.unwrap()));
    let code = vec![0.2; config.style];
    let (runs, steps) = (24, 64);
    let (mut alike, mut notes) = (0, 0);
    for run in 0..runs {
        let frames = song(steps, run).frames;
        let [mut a, mut b] = [0, 1].map(|i| NeuralBand::new(kernels[i].clone(), &code, run));
        let until = (0..steps).take_while(|&s| {
            let context = context(s as i64, frames[s], [true; 4]);
            let (a, b) = (a.decide(&context), b.decide(&context));
            notes += Part::ALL.iter().filter(|&&p| a.now.plays(p)).count();
            a == b
        });
        alike += usize::from(until.count() == steps);
    }
    assert!(notes > 500, "{notes} notes show little");
    // With the first weights 22 of 24: one decision in some 750 steps.
    assert!(alike >= 18, "{alike} of {runs} beginnings are the same");
}

fn context(step: i64, heard: PianoFrame, parts: [bool; 4]) -> StepContext {
    let place = StepPosition {
        step,
        in_bar: step.rem_euclid(16) as u16,
        bar: step.div_euclid(16),
        bar_steps: 16,
        half_steps: 8,
    };
    StepContext {
        place,
        heard,
        parts,
        bpm: 110.0,
        dials: Dials::default(),
        forced: None,
        rests: Rests::default(),
    }
}

#[test]
fn the_band_follows_its_seed_and_keeps_to_its_window() {
    let kernel = Arc::new(kernel(SMALL));
    let frames = song(200, 4).frames;
    let play = |seed: u64, again: bool| {
        let mut band = NeuralBand::new(kernel.clone(), &[0.3; 7], seed);
        if again {
            (0..50).for_each(|s| {
                band.decide(&context(s, frames[s as usize], [true; 4]));
            });
            band.reset(seed);
        }
        (0..200).map(|s| band.decide(&context(s, frames[s as usize], [true; 4]))).collect::<Vec<_>>()
    };
    let first = play(1, false);
    assert_eq!(first, play(1, false));
    assert_eq!(first, play(1, true), "a reset leaves nothing behind");
    assert_ne!(first, play(2, false));
    for part in Part::ALL {
        assert!(first.iter().any(|d| d.now.plays(part)), "{part} never plays");
        for d in &first {
            assert!(!d.now.plays(part) || d.now.offsets[part.index()] >= 0);
            assert!(!d.early.plays(part) || d.early.offsets[part.index()] < 0);
        }
        for pair in first.windows(2) {
            assert!(!(pair[0].early.plays(part) && pair[1].now.plays(part)), "{part} plays a step twice");
        }
    }
}

#[test]
fn parts_that_are_left_out_stay_silent() {
    let mut band = NeuralBand::new(Arc::new(kernel(SMALL)), &[0.0; 7], 1);
    for (s, frame) in song(100, 5).frames.into_iter().enumerate() {
        let d = band.decide(&context(s as i64, frame, [true, false, true, false]));
        for part in [Part::Bass, Part::Strings] {
            assert!(!d.now.plays(part) && !d.early.plays(part));
        }
    }
}

#[test]
fn a_transposed_song_stays_in_range_and_comes_back() {
    let original = song(64, 6);
    for by in -6..=6 {
        let moved = original.transposed(by);
        for (a, b) in original.band.iter().zip(&moved.band) {
            assert_eq!((a.drums, a.offsets), (b.drums, b.offsets));
            assert_eq!(a.bass.is_some(), b.bass.is_some());
            if let (Some(a), Some(b)) = (a.bass, b.bass) {
                assert_eq!((i16::from(a.pitch) + i16::from(by) + 120) % 12, i16::from(b.pitch) % 12);
                assert!((BASS_LOW..=BASS_HIGH).contains(&b.pitch));
            }
            assert!(b.guitar.pitches().windows(2).all(|w| w[0] < w[1]));
        }
        let back = moved.transposed(-by);
        for (a, b) in original.frames.iter().zip(&back.frames) {
            assert_eq!(a, b);
        }
    }
}

/// Two bars of chance in turn: what comes back two bars later is planned as that, from the third bar on.
#[test]
fn a_bar_that_comes_back_is_planned_as_one() {
    let two = song(32, 7);
    let mut whole = two.clone();
    for _ in 0..7 {
        whole.frames.extend_from_slice(&two.frames);
        whole.band.extend_from_slice(&two.band);
    }
    let steps = whole.band.len();
    let mut rng = Pcg64::seed_from_u64(1);
    let mut lanes = [Lane::new(Arc::new(whole), 0, 0, 0, &HistoryCorruption::NONE, &mut rng)];
    let batch = Batch::next(&mut lanes, steps, &HistoryCorruption::NONE, &mut rng);
    let bars: Vec<u32> = batch.repeat_rows.iter().map(|r| r / 4 / 16 + 1).collect();
    assert_eq!(bars, (1..16).flat_map(|b| [b; 4]).collect::<Vec<_>>(), "each bar once a part");
    assert!(batch.repeat_targets[..4].iter().all(|&t| t != 1));
    assert!(batch.repeat_targets[4..].iter().all(|&t| t == 1), "{:?}", batch.repeat_targets);
}
