//! P2's band (section 4.3): plays along with a piano window by window, and goes from one piece to another.
//!
//! At each edge of a window the piano's window just heard is encoded, the piano's network tells its next one, the
//! other networks tell theirs from all that was heard and that one, and the autoencoders draw them. What is drawn
//! sounds over the next window: the band is a window, five beats and a third, behind everything new. Over the
//! first one, and over one that follows a silent one, it rests.
//!
//! Deviations and choices: the paper encodes a whole piano track; here nothing is used before it was heard, the
//! largest velocity and the key among it. Where the key changes the last 16 windows are heard anew in
//! the new one. Noise in latent values, times the temperature, makes takes differ.

use rand::SeedableRng;
use rand_pcg::Pcg64;
use sideman_music::encoding::piano_roll::{
    CELLS, Finder, FiveRolls, Held, RollTrack, Threshold, WINDOW, draw, found, held, notes, shift_to_c,
    transposed,
};
use sideman_music::family::Part;
use sideman_music::key::Key;
use sideman_music::score::Note;
use sideman_music::time::{PULSES_PER_TICK, Tick, pulse_to_tick};

use super::networks::State;
use super::voice::{Voice, WrongVoices};
use crate::band::normal;

/// Windows that are heard anew when the key changes.
const REMEMBERED: usize = 16;
/// What a window weighs, in what the key is found by, of what the one after it does.
const FADING: f64 = 0.9;
/// Correlation by which another key has to be ahead of the present one.
const AHEAD: f64 = 0.05;
/// Longest that a key of the piano counts as down, in steps.
const LONGEST: Tick = 32 * WINDOW as Tick;
/// Least level that a note of the band is played with.
const QUIETEST: f32 = 0.45;

/// How the band plays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Live {
    /// Seed of the noise.
    pub seed: u64,
    /// How much of it, 0 to 2.
    pub temperature: f32,
    /// Which parts play, in the order of [`Part::ALL`].
    pub parts: [bool; 4],
    /// A threshold for all tracks in place of their own.
    pub threshold: Option<f32>,
    /// Whether the networks receive the piano's next window, which nobody can know: to measure what not knowing it costs.
    pub hindsight: bool,
}

impl Default for Live {
    fn default() -> Self {
        Self { seed: 1, temperature: 0.0, parts: [true; 4], threshold: None, hindsight: false }
    }
}

/// From one piece to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Morph {
    /// Windows, 2 or more: the first is of the one piece, the last of the other.
    pub steps: usize,
    /// Seed of the noise.
    pub seed: u64,
    /// How much noise, 0 to 2.
    pub temperature: f32,
    /// A threshold for all tracks in place of their own.
    pub threshold: Option<f32>,
}

/// Five tracks that play together.
#[derive(Debug, Clone)]
pub struct VaeRnn {
    /// In the order of [`RollTrack::ALL`].
    voices: Vec<Voice>,
}

impl VaeRnn {
    /// A band of five files, in the order of [`RollTrack::ALL`].
    ///
    /// # Errors
    /// When a file cannot be used, or they are of different bands.
    pub fn load(files: [&[u8]; 5]) -> Result<Self, WrongVoices> {
        let mut voices = vec![];
        for (track, bytes) in RollTrack::ALL.into_iter().zip(files) {
            let voice =
                Voice::read(bytes).map_err(|source| WrongVoices::Weights { track: track.name(), source })?;
            voices.push(voice);
        }
        Self::new(voices)
    }

    /// A band of five voices, in the order of [`RollTrack::ALL`].
    ///
    /// # Errors
    /// When they are of different bands.
    pub fn new(voices: Vec<Voice>) -> Result<Self, WrongVoices> {
        for (i, track) in RollTrack::ALL.into_iter().enumerate() {
            let fits = |v: &Voice, piano: &Voice| {
                v.track() == track
                    && v.head.one_key == piano.head.one_key
                    && v.head.rnn.latent == piano.head.vae.latent
            };
            match (voices.get(i), voices.get(RollTrack::Piano.index())) {
                (Some(v), Some(piano)) if fits(v, piano) => {}
                _ => return Err(WrongVoices::Mixed(track.name())),
            }
        }
        Ok(Self { voices })
    }

    /// The networks of a track.
    pub fn voice(&self, track: RollTrack) -> &Voice {
        &self.voices[track.index()]
    }

    /// What the band plays to a piano, given in any order; empty without notes. It ends with the piano.
    pub fn play(&self, piano: &[Note], live: &Live) -> [Vec<Note>; 4] {
        let mut sorted = piano.to_vec();
        // A key that a file never lets go would have the band play to it for days.
        sorted.iter_mut().for_each(|n| n.length = n.length.clamp(1, LONGEST * PULSES_PER_TICK));
        sorted.sort_unstable();
        let end = sorted.iter().map(|n| pulse_to_tick(n.end())).max().unwrap_or(0);
        let mut player = Player::new(self, *live);
        let (mut next, mut at) = (0, 0);
        let mut now: Vec<Note> = vec![];
        // What comes after the window that the last note ends in could not be heard any more.
        while at + (WINDOW as Tick) < end {
            let edge = at + WINDOW as Tick;
            while let Some(n) = sorted.get(next).filter(|n| pulse_to_tick(n.onset) < edge) {
                now.push(*n);
                next += 1;
            }
            let coming = live.hindsight.then(|| window_of(&sorted, edge, player.loudest_of(&sorted)));
            player.edge(&now, at, coming.as_deref());
            now.retain(|n| pulse_to_tick(n.end()) > edge);
            at = edge;
            if let Some(n) = sorted.get(next).filter(|_| now.is_empty() && player.rests()) {
                // Nothing is missed by going straight to where the piano begins again.
                at = at.max(pulse_to_tick(n.onset).div_euclid(WINDOW as Tick) * WINDOW as Tick);
            }
        }
        player.finish(end)
    }

    /// Goes from one piece to another, window by window: a window's latent values of both (from their beginnings, a
    /// shorter piece over again), mixed more and more to the other's. The key is the nearer one's.
    ///
    /// Gives the notes by track, in the order of [`RollTrack::ALL`].
    pub fn morph(&self, from: &FiveRolls, to: &FiveRolls, how: &Morph) -> [Vec<Note>; 5] {
        let one_key = self.voices[0].head.one_key;
        let shifts = [from, to].map(|rolls| if one_key { rolls.shift() } else { 0 });
        let (from, to) = (from.transposed(shifts[0]), to.transposed(shifts[1]));
        let mut rng = Pcg64::seed_from_u64(how.seed);
        let mut out: [Vec<Note>; 5] = Default::default();
        for track in RollTrack::ALL {
            let voice = self.voice(track);
            let mut finder = Finder::new(rule(voice.head.decoded, how.threshold));
            let mut halves: [Vec<Held>; 2] = Default::default();
            let mut cells = vec![0.0; CELLS];
            for step in 0..how.steps {
                let share = step as f32 / (how.steps.max(2) - 1) as f32;
                let mut mixed = vec![0.0; voice.head.vae.latent];
                let mut silent = true;
                for (rolls, weight) in [(&from, 1.0 - share), (&to, share)] {
                    rolls.window(track, step % rolls.windows().max(1), &mut cells);
                    silent &= weight == 0.0 || cells.iter().all(|&c| c == 0.0);
                    let code = voice.encode(&cells);
                    mixed.iter_mut().zip(code).for_each(|(m, c)| *m += weight * c);
                }
                noisy(&mut mixed, voice, how.temperature, &mut rng);
                // Where both rest nothing can come of the mixture.
                let drawn = if silent { vec![0.0; CELLS] } else { voice.decode(&mixed) };
                if step > 0
                    && shifts[0] != shifts[1]
                    && (share > 0.5) != ((step - 1) as f32 / (how.steps.max(2) - 1) as f32 > 0.5)
                {
                    // The key changes here, and what sounds must not.
                    halves[0] =
                        std::mem::replace(&mut finder, Finder::new(rule(voice.head.decoded, how.threshold)))
                            .finish();
                }
                finder.window(&drawn, (step * WINDOW) as Tick);
            }
            halves[1] = finder.finish();
            for (half, shift) in halves.into_iter().zip(shifts) {
                let back = if track == RollTrack::Drums { half } else { transposed(&half, -shift) };
                out[track.index()].extend(played(voice, &back));
            }
        }
        out
    }

    /// A piece encoded and drawn again, without a change of anything.
    pub fn again(&self, rolls: &FiveRolls, track: RollTrack) -> Vec<Held> {
        let voice = self.voice(track);
        let mut all = vec![0.0; rolls.windows() * CELLS];
        draw(rolls.track(track), 0, &mut all);
        found(&voice.decode(&voice.encode(&all)), 0, voice.head.decoded)
    }
}

fn rule(own: Threshold, asked: Option<f32>) -> Threshold {
    Threshold { start: asked.unwrap_or(own.start), ..own }
}

fn noisy(latent: &mut [f32], voice: &Voice, temperature: f32, rng: &mut Pcg64) {
    let share = voice.head.noise * temperature;
    if share > 0.0 {
        latent.iter_mut().zip(&voice.noise).for_each(|(z, n)| *z += share * n * normal(rng));
    }
}

/// Notes of what was drawn: faint cells are played softly, but can be heard.
fn played(voice: &Voice, held: &[Held]) -> Vec<Note> {
    let mut louder: Vec<Held> = held.iter().map(|h| Held { level: h.level.max(QUIETEST), ..*h }).collect();
    louder.sort_by_key(|h| (h.pitch, h.start, h.end));
    // What came back by an octave may lie on what is there: the later one is struck.
    for i in 1..louder.len() {
        if louder[i - 1].pitch == louder[i].pitch {
            louder[i - 1].end = louder[i - 1].end.min(louder[i].start);
        }
    }
    louder.retain(|h| h.end > h.start);
    notes(&louder, voice.head.loudest)
}

/// The window of the piano from a step on, as far as it is known at its end.
fn window_of(piano: &[Note], from: Tick, loudest: u8) -> Vec<Held> {
    let edge = from + WINDOW as Tick;
    let known: Vec<Note> = piano
        .iter()
        .filter(|n| pulse_to_tick(n.onset) < edge && pulse_to_tick(n.end()) > from - WINDOW as Tick)
        .map(|n| Note { length: n.length.min((edge * PULSES_PER_TICK - n.onset).max(1)), ..*n })
        .collect();
    let mut own = held(RollTrack::Piano, &known, Some(loudest));
    own.retain(|h| h.end > from && h.start < edge);
    own.iter_mut().for_each(|h| (h.start, h.end) = (h.start - from, h.end - from));
    own
}

/// Follows a piano.
struct Player<'a> {
    band: &'a VaeRnn,
    live: Live,
    rng: Pcg64,
    loudest: u8,
    weights: [f64; 12],
    shift: i8,
    /// The last windows, from their own beginnings.
    past: Vec<Vec<Held>>,
    /// By track what its network remembers of the piano.
    states: Vec<State>,
    /// By track its notes, and those of keys that were left.
    finders: Vec<Finder>,
    found: [Vec<Held>; 5],
}

impl<'a> Player<'a> {
    fn new(band: &'a VaeRnn, live: Live) -> Self {
        Self {
            band,
            live,
            rng: Pcg64::seed_from_u64(live.seed),
            loudest: 1,
            weights: [0.0; 12],
            shift: 0,
            past: vec![],
            states: band.voices.iter().map(Voice::blank).collect(),
            finders: band
                .voices
                .iter()
                .map(|v| Finder::new(rule(v.head.threshold, live.threshold)))
                .collect(),
            found: Default::default(),
        }
    }

    fn loudest_of(&self, piano: &[Note]) -> u8 {
        piano.iter().map(|n| n.velocity).max().unwrap_or(1)
    }

    /// A window from `at` on was heard: decides the next one.
    fn edge(&mut self, piano: &[Note], at: Tick, coming: Option<&[Held]>) {
        self.loudest = self.loudest.max(self.loudest_of(piano));
        let own = window_of(piano, at, self.loudest);
        let next = at + WINDOW as Tick;
        let silent = own.is_empty();
        if let Some(shift) = self.moves(&own) {
            // What sounds in the old key ends at the edge.
            for (i, voice) in self.band.voices.iter().enumerate() {
                let fresh = Finder::new(rule(voice.head.threshold, self.live.threshold));
                self.keep(i, fresh);
            }
            self.shift = shift;
            self.states = self.band.voices.iter().map(Voice::blank).collect();
            let past = std::mem::take(&mut self.past);
            self.hear(&past);
            self.past = past;
        }
        let code = self.hear(std::slice::from_ref(&own));
        self.past.push(own);
        let most = self.past.len().saturating_sub(REMEMBERED);
        self.past.drain(..most);
        if silent {
            self.finders.iter_mut().for_each(Finder::silence);
            return;
        }
        let expected = match coming {
            Some(window) => self.encoded(&[window.to_vec()]),
            None => code,
        };
        for part in Part::ALL.into_iter().filter(|p| self.live.parts[p.index()]) {
            let i = RollTrack::of_part(part).index();
            let voice = &self.band.voices[i];
            let mut ahead = self.states[i].clone();
            let mut predicted = voice.predict(&expected, &mut ahead);
            noisy(&mut predicted, voice, self.live.temperature, &mut self.rng);
            self.finders[i].window(&voice.decode(&predicted), next);
        }
    }

    /// Takes windows in, and tells the piano's next one.
    fn hear(&mut self, windows: &[Vec<Held>]) -> Vec<f32> {
        let mut predicted = vec![];
        if windows.is_empty() {
            return predicted;
        }
        let codes = self.encoded(windows);
        for (i, voice) in self.band.voices.iter().enumerate() {
            let out = voice.predict(&codes, &mut self.states[i]);
            if voice.track() == RollTrack::Piano {
                predicted = out[out.len().saturating_sub(voice.head.rnn.latent)..].to_vec();
            }
        }
        predicted
    }

    fn encoded(&self, windows: &[Vec<Held>]) -> Vec<f32> {
        let mut cells = vec![0.0; windows.len() * CELLS];
        for (window, cells) in windows.iter().zip(cells.chunks_exact_mut(CELLS)) {
            draw(&transposed(window, self.shift), 0, cells);
        }
        self.band.voice(RollTrack::Piano).encode(&cells)
    }

    /// Whether the last windows were all silent.
    fn rests(&self) -> bool {
        self.past.len() == REMEMBERED && self.past.iter().all(Vec::is_empty)
    }

    /// Semitones to the home key, where with this window the key is another one.
    fn moves(&mut self, window: &[Held]) -> Option<i8> {
        self.weights.iter_mut().for_each(|w| *w *= FADING);
        for h in window {
            self.weights[usize::from(h.pitch % 12)] +=
                (h.end.min(WINDOW as Tick) - h.start.max(0)).max(0) as f64;
        }
        let key = Key::of(&self.weights).filter(|_| self.band.voices[0].head.one_key)?;
        let shift = shift_to_c(&key);
        let first = self.past.iter().all(Vec::is_empty);
        (shift != self.shift && (first || key.lead > AHEAD)).then_some(shift)
    }

    /// Puts what a track found so far away, in the key that it is in, and begins anew with `fresh`.
    fn keep(&mut self, track: usize, fresh: Finder) {
        let old = std::mem::replace(&mut self.finders[track], fresh).finish();
        let drums = track == RollTrack::Drums.index();
        self.found[track].extend(if drums { old } else { transposed(&old, -self.shift) });
    }

    /// The notes, of which none sounds after the piano's end.
    fn finish(mut self, end: Tick) -> [Vec<Note>; 4] {
        Part::ALL.map(|part| {
            let i = RollTrack::of_part(part).index();
            let voice = &self.band.voices[i];
            self.keep(i, Finder::new(voice.head.threshold));
            let mut own = std::mem::take(&mut self.found[i]);
            own.retain(|h| h.start < end);
            own.iter_mut().for_each(|h| h.end = h.end.min(end));
            played(voice, &own)
        })
    }
}
