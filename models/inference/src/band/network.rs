//! The network's step from the weights as they are stored, without allocation.
//!
//! It computes what the network that is trained (`sideman-nets`) computes, a row at a time, with vectors rounded to 16
//! bits where they meet quantised weights; a test holds the two together.

use sideman_music::Part;
use sideman_music::encoding::grid::{DRUM_CLASSES, LENGTH_BINS, OFFSETS, VELOCITY_BINS};

use super::candidates::CandidateShape;
use super::layout::{BASS_SHAPE, CHORD_SHAPE, Config, Span, output_count, part_key, span};
use super::rows::{CandidateRow, DrumRow};
use super::sizes::{ABOVE, INPUTS, LAGS, PLANS, POSITIONS, extra_inputs};
use crate::kernel::{Layer, Simd, Work};
use crate::weights::{self, TensorError, Values, take};

/// Columns of the pattern table: the drum classes and one for each other part.
const PATTERN: usize = DRUM_CLASSES + 3;
/// Widest row of inputs about the parts before.
pub(super) const MOST_EXTRA: usize = extra_inputs(Part::Strings);
/// Most candidates of a pitch head, with "stop".
pub const MOST_CANDIDATES: usize = CHORD_SHAPE.pitches + 1;

/// Weights of a part's heads.
#[derive(Debug, Clone, Default)]
struct Heads {
    extra: Layer,
    out: Layer,
    offset_last: Vec<f32>,
    velocity_last: Vec<f32>,
    velocity_bar: Vec<f32>,
    velocity_class: Vec<f32>,
    copy_class: Vec<f32>,
    chain: Vec<f32>,
    copy_plan: Vec<f32>,
    pitch_plan: Vec<f32>,
    above_last: Vec<f32>,
    above_bar: Vec<f32>,
    length_last: Vec<f32>,
    length_bar: Vec<f32>,
    /// By degree above the reference (bass) or by rank in the chord.
    length_by: Vec<f32>,
    pitch_in: Layer,
    pitch_out: Layer,
    pitch_climb: Vec<f32>,
    pitch_rank: Vec<f32>,
}

/// The network's weights, laid out for stepping. Never changes; may be shared between threads.
#[derive(Debug, Clone)]
pub struct StepNetwork {
    config: Config,
    simd: Simd,
    input: Layer,
    style: Layer,
    gates_x: Layer,
    gates_h: Layer,
    pattern: Layer,
    context: Layer,
    early: Layer,
    repeats: Layer,
    early_copy: Vec<f32>,
    parts: [Heads; 4],
}

/// What changes from step to step, and room to work in. Allocated once.
#[derive(Debug, Clone)]
pub struct State {
    h: Vec<f32>,
    c: Vec<f32>,
    gates: Vec<f32>,
    /// [h; input layer].
    trunk: Vec<f32>,
    contexts: Vec<f32>,
    early: [f32; 4],
    style: Vec<f32>,
    patterns: Vec<f32>,
    context: Vec<f32>,
    out: Vec<f32>,
    chord_own: Vec<f32>,
    pitch: Vec<f32>,
    coefficients: Vec<f32>,
    work: Work,
    /// The row of inputs, to be filled by the caller.
    pub inputs: Vec<f32>,
}

impl StepNetwork {
    /// Takes over the tensors of a configuration. Matrices are rounded as a weights file rounds them
    /// ([`weights::rounded`]); those that were already stay as they are, to the bit. Allocates and takes some
    /// milliseconds.
    ///
    /// # Errors
    /// Names the tensor that is missing, has another size .
    pub fn new(config: Config, tensors: &Values) -> Result<Self, TensorError> {
        Self::build(config, tensors, weights::is_quantised)
    }

    /// The same with every weight and vector in f32: what rounding vectors to 16 bits changes can be seen by it.
    ///
    /// # Errors
    /// As for [`StepNetwork::new`].
    pub fn unquantised(config: Config, tensors: &Values) -> Result<Self, TensorError> {
        Self::build(config, tensors, |_| false)
    }

    fn build(
        config: Config,
        tensors: &Values,
        is_quantised: impl Fn(&[usize]) -> bool,
    ) -> Result<Self, TensorError> {
        for spec in config.tensors().iter().filter(|s| !s.training_only) {
            take(tensors, &spec.name, &spec.shape)?;
        }
        let get = |name: &str| tensors.get(name).cloned().unwrap_or_default();
        let layer = |w: &str, b: Option<&str>, inputs: usize| {
            let w = get(w);
            let shape = [w.len() / inputs, inputs];
            let bias = b.map_or_else(|| vec![0.0; shape[0]], get);
            match is_quantised(&shape) {
                true => Layer::stored(&weights::quantise(&shape, &w), bias, inputs),
                false => Layer::plain(w, bias, inputs),
            }
        };
        let (input, hidden, k) = (config.input, config.hidden, config.context);
        let heads = |part: Part| -> Heads {
            let key = part_key(part);
            let get = |name: &str| get(&format!("{key}.{name}"));
            let layer = |name: &str, inputs: usize| {
                layer(&format!("{key}.{name}.w"), Some(&format!("{key}.{name}.b")), inputs)
            };
            let pitched = part != Part::Drums;
            Heads {
                extra: layer("extra", extra_inputs(part)),
                out: layer("out", k),
                offset_last: get("offset.last"),
                velocity_last: get("velocity.last"),
                velocity_bar: get("velocity.bar"),
                velocity_class: get("velocity.class"),
                copy_class: get("copy.class"),
                chain: get("chain"),
                copy_plan: get("copy.plan"),
                pitch_plan: get("pitch.plan"),
                above_last: get("above.last"),
                above_bar: get("above.bar"),
                length_last: get("length.last"),
                length_bar: get("length.bar"),
                length_by: get(if part == Part::Bass { "length.degree" } else { "length.rank" }),
                pitch_in: if pitched { layer("pitch.in", k) } else { Layer::default() },
                pitch_out: if pitched { layer("pitch.out", config.pitch) } else { Layer::default() },
                pitch_climb: get("pitch.climb"),
                pitch_rank: get("pitch.rank"),
            }
        };
        Ok(Self {
            config,
            simd: Simd::best(),
            input: layer("trunk.in.w", Some("trunk.in.b"), INPUTS),
            style: layer("trunk.style.w", None, config.style),
            gates_x: layer("lstm.wx", Some("lstm.b"), input),
            gates_h: layer("lstm.wh", None, hidden),
            pattern: layer("pattern.w", Some("pattern.b"), config.style),
            context: layer("context.w", None, hidden + input),
            repeats: layer("repeats.w", Some("repeats.b"), hidden + input),
            early: layer("early.w", Some("early.b"), hidden + input),
            early_copy: get("early.copy"),
            parts: Part::ALL.map(heads),
        })
    }

    /// Sizes.
    pub fn config(&self) -> Config {
        self.config
    }

    /// The instructions that it steps with, the fastest that this machine has.
    pub fn instructions(&self) -> &'static str {
        self.simd.name()
    }

    /// What a step multiplies with, and what is needed now and then.
    fn layers(&self) -> impl Iterator<Item = &Layer> {
        let trunk = [&self.input, &self.gates_x, &self.gates_h, &self.context, &self.early];
        let heads = self.parts.iter().flat_map(|p| [&p.extra, &p.out, &p.pitch_in, &p.pitch_out]);
        trunk.into_iter().chain(heads).chain([&self.style, &self.pattern, &self.repeats])
    }

    /// Bytes of weights that a step reads when all parts play.
    pub fn bytes(&self) -> usize {
        self.layers().map(Layer::bytes).sum::<usize>()
            - self.style.bytes()
            - self.pattern.bytes()
            - self.repeats.bytes()
    }

    /// A state for this network, with an all-zero style.
    pub fn state(&self) -> State {
        let c = self.config;
        let mut state = State {
            h: vec![0.0; c.hidden],
            c: vec![0.0; c.hidden],
            gates: vec![0.0; 4 * c.hidden],
            trunk: vec![0.0; c.hidden + c.input],
            contexts: vec![0.0; 4 * c.context],
            early: [0.0; 4],
            style: vec![0.0; c.input],
            patterns: vec![0.0; POSITIONS * PATTERN],
            context: vec![0.0; c.context],
            out: vec![0.0; Part::ALL.map(output_count).into_iter().max().unwrap_or(0)],
            chord_own: vec![0.0; c.pitch],
            pitch: vec![0.0; c.pitch],
            coefficients: vec![0.0; CHORD_SHAPE.coefficients().max(BASS_SHAPE.coefficients())],
            work: Work::new(self.layers()),
            inputs: vec![0.0; INPUTS],
        };
        self.set_style(&vec![0.0; c.style], &mut state);
        state
    }

    /// Takes a style code (as wide as the configuration says).
    pub fn set_style(&self, code: &[f32], state: &mut State) {
        self.style.apply(self.simd, code, &mut state.work, &mut state.style);
        self.pattern.apply(self.simd, code, &mut state.work, &mut state.patterns);
    }

    /// Forgets the past; the style stays.
    pub fn reset(&self, state: &mut State) {
        state.h.fill(0.0);
        state.c.fill(0.0);
    }

    /// One step of the trunk over `state.inputs`.
    pub fn trunk(&self, state: &mut State) {
        let hidden = self.config.hidden;
        let x = &mut state.trunk[hidden..];
        self.input.apply(self.simd, &state.inputs, &mut state.work, x);
        for (x, s) in x.iter_mut().zip(&state.style) {
            *x = (*x + s).max(0.0);
        }
        self.gates_x.apply(self.simd, x, &mut state.work, &mut state.gates);
        self.gates_h.add(self.simd, &state.h, &mut state.work, &mut state.gates);
        self.simd.cell(&state.gates, &mut state.c, &mut state.h);
        state.trunk[..hidden].copy_from_slice(&state.h);
        self.context.apply(self.simd, &state.trunk, &mut state.work, &mut state.contexts);
        self.early.apply(self.simd, &state.trunk, &mut state.work, &mut state.early);
    }

    /// Logits of what each part's next bar repeats; not part of most steps.
    pub fn repeats(&self, state: &mut State) -> [[f32; PLANS]; 4] {
        let mut out = [[0.0; PLANS]; 4];
        self.repeats.apply(self.simd, &state.trunk, &mut state.work, out.as_flattened_mut());
        out
    }

    /// Logit that a part plays the next position early.
    pub fn early(&self, part: Part, copies: [bool; 2 * LAGS], state: &State) -> f32 {
        let i = part.index();
        let copied: f32 =
            copies.iter().zip(&self.early_copy[i * 2 * LAGS..]).filter(|(on, _)| **on).map(|(_, w)| w).sum();
        state.early[i] + copied
    }

    /// A part's context and outputs, from what the parts before it do ([`extra_inputs`] wide).
    pub fn outputs(&self, part: Part, extra: &[f32], state: &mut State) {
        let (k, heads) = (self.config.context, &self.parts[part.index()]);
        state.context.copy_from_slice(&state.contexts[part.index() * k..(part.index() + 1) * k]);
        heads.extra.add(self.simd, extra, &mut state.work, &mut state.context);
        state.context.iter_mut().for_each(|v| *v = v.max(0.0));
        let n = heads.out.rows();
        heads.out.apply(self.simd, &state.context, &mut state.work, &mut state.out[..n]);
    }

    fn pattern<'a>(&self, state: &'a State, in_bar: usize) -> &'a [f32] {
        &state.patterns[in_bar % POSITIONS * PATTERN..][..PATTERN]
    }

    /// How firmly each lag is copied by a part whose bar is planned so.
    fn gates(&self, part: Part, plan: u8, state: &State) -> [f32; LAGS] {
        let (copy, planned) = (span(part, "copy").start, &self.parts[part.index()].copy_plan);
        std::array::from_fn(|k| state.out[copy + k] + planned[usize::from(plan) * LAGS + k] + 0.3)
    }

    /// Onset logits of the drum classes, not yet with what the classes before add; see [`StepNetwork::chain`].
    pub fn drum_onsets(&self, row: &DrumRow, in_bar: usize, plan: u8, state: &State) -> [f32; DRUM_CLASSES] {
        let heads = &self.parts[0];
        let gates = self.gates(Part::Drums, plan, state);
        let pattern = self.pattern(state, in_bar);
        std::array::from_fn(|c| {
            let copied: f32 =
                (0..LAGS).map(|k| row.copies[k][c] * gates[k] * heads.copy_class[k * DRUM_CLASSES + c]).sum();
            state.out[c] + pattern[c] + copied
        })
    }

    /// What a hit of class `before` adds to the logit of a later class.
    pub fn chain(&self, class: usize, before: usize) -> f32 {
        self.parts[0].chain[class * DRUM_CLASSES + before]
    }

    /// Onset logit of bass, guitar or strings.
    pub fn onset(&self, part: Part, copies: [f32; LAGS], in_bar: usize, plan: u8, state: &State) -> f32 {
        let gates = self.gates(part, plan, state);
        let copied: f32 = (0..LAGS).map(|k| copies[k] * gates[k]).sum();
        state.out[0] + self.pattern(state, in_bar)[DRUM_CLASSES + part.index() - 1] + copied
    }

    /// Logits of a class that tends to stay.
    fn recall(
        state: &State,
        part: Part,
        name: (&str, &str),
        tables: [&[f32]; 2],
        values: [u8; 2],
        out: &mut [f32],
    ) {
        let Span { start, width } = span(part, name.0);
        let gates = span(part, name.1).start;
        for i in 0..width {
            let mut v = state.out[start + i];
            for k in 0..2 {
                if !tables[k].is_empty() {
                    v += tables[k][usize::from(values[k]) * width + i] * (1.0 + state.out[gates + k]);
                }
            }
            out[i] = v;
        }
    }

    /// Logits of a velocity bin; `class` is the drum class.
    pub fn velocity(&self, part: Part, values: [u8; 2], class: usize, state: &State) -> [f32; VELOCITY_BINS] {
        let heads = &self.parts[part.index()];
        let mut out = [0.0; VELOCITY_BINS];
        let tables = [&heads.velocity_last[..], &heads.velocity_bar[..]];
        Self::recall(state, part, ("velocity", "velocity gate"), tables, values, &mut out);
        if part == Part::Drums {
            for (v, by) in out.iter_mut().zip(&heads.velocity_class[class * VELOCITY_BINS..]) {
                *v += by;
            }
        }
        out
    }

    /// Logits of an offset, the forbidden ones at -1e9.
    pub fn offset(&self, part: Part, last: u8, early: bool, state: &State) -> [f32; OFFSETS] {
        let mut out = [0.0; OFFSETS];
        let tables = [&self.parts[part.index()].offset_last[..], &[]];
        Self::recall(state, part, ("offset", "offset gate"), tables, [last, 0], &mut out);
        out[if early { 3..6 } else { 0..3 }].fill(-1e9);
        out
    }

    /// Logits of the interval to a second note of the bass, 0 for none.
    pub fn above(&self, values: [u8; 2], state: &State) -> [f32; ABOVE] {
        let heads = &self.parts[1];
        let mut out = [0.0; ABOVE];
        let tables = [&heads.above_last[..], &heads.above_bar[..]];
        Self::recall(state, Part::Bass, ("above", "above gate"), tables, values, &mut out);
        out
    }

    /// Logits of a length bin; `by` is the bass's degree above the reference or the note's rank in its chord.
    pub fn length(&self, part: Part, values: [u8; 2], by: usize, state: &State) -> [f32; LENGTH_BINS] {
        let heads = &self.parts[part.index()];
        let mut out = [0.0; LENGTH_BINS];
        let tables = [&heads.length_last[..], &heads.length_bar[..]];
        Self::recall(state, part, ("length", "length gate"), tables, values, &mut out);
        for (v, by) in out.iter_mut().zip(&heads.length_by[by * LENGTH_BINS..]) {
            *v += by;
        }
        out
    }

    /// Scores of the candidates of `row` from the units of the pitch head.
    fn score(
        &self,
        part: Part,
        shape: CandidateShape,
        (row, plan): (&CandidateRow, u8),
        state: &mut State,
        out: &mut [f32; MOST_CANDIDATES],
    ) {
        let n = shape.coefficients();
        let coefficients = &mut state.coefficients[..n];
        let heads = &self.parts[part.index()];
        heads.pitch_out.apply(self.simd, &state.pitch, &mut state.work, coefficients);
        for (c, planned) in coefficients.iter_mut().zip(&heads.pitch_plan[usize::from(plan) * n..]) {
            *c += planned;
        }
        shape.score(coefficients, row, &mut out[..=shape.pitches]);
    }

    /// Scores of the bass's pitches, and of "stop", which is forbidden.
    pub fn bass_pitches(
        &self,
        row: &CandidateRow,
        plan: u8,
        state: &mut State,
        out: &mut [f32; MOST_CANDIDATES],
    ) {
        self.parts[1].pitch_in.apply(self.simd, &state.context, &mut state.work, &mut state.pitch);
        state.pitch.iter_mut().for_each(|v| *v = v.max(0.0));
        self.score(Part::Bass, BASS_SHAPE, (row, plan), state, out);
    }

    /// Begins a chord: to be called once before [`StepNetwork::chord_pitches`].
    pub fn begin_chord(&self, part: Part, state: &mut State) {
        let pitch_in = &self.parts[part.index()].pitch_in;
        pitch_in.apply(self.simd, &state.context, &mut state.work, &mut state.chord_own);
    }

    /// Scores of the next note of a chord, and of stopping, after `rank` notes.
    pub fn chord_pitches(
        &self,
        part: Part,
        (row, plan): (&CandidateRow, u8),
        (climb, rank): (usize, usize),
        state: &mut State,
        out: &mut [f32; MOST_CANDIDATES],
    ) {
        let (heads, n) = (&self.parts[part.index()], self.config.pitch);
        for i in 0..n {
            let v = state.chord_own[i] + heads.pitch_climb[climb * n + i] + heads.pitch_rank[rank * n + i];
            state.pitch[i] = v.max(0.0);
        }
        self.score(part, CHORD_SHAPE, (row, plan), state, out);
    }
}
