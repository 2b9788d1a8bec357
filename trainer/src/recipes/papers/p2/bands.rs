//! Bands of trained networks, their thresholds, and the VAE-RNN as an accompanist among others.

use sideman_inference::papers::p2::{Cell, LatentRnn, Live, VaeRnn, Voice, VoiceHead};
use sideman_inference::weights::Card;
use sideman_music::encoding::piano_roll::{RollTrack, Threshold};
use sideman_nets::nn::Parameters;

use super::Setup;
use super::data::{Keys, Music};
use super::predictions::{Mode, by_density, predicted, tally};
use super::rnn::{Latents, predictions};
use super::training::{COMPARED, Trained};
use crate::data::Split;
use crate::eval::{Accompanist, Parts, Request};

/// Share of a note's threshold down to which it is held.
const HOLD: f32 = 0.6;
/// Fewest steps of a note of the pitched tracks: a 48th; a hit is [`sideman_music::encoding::piano_roll::HIT`] long.
const LEAST: u16 = 2;
/// Share of the standard deviations of the predictions that a temperature of 1 adds as noise.
const NOISE: f32 = 0.5;

/// Which networks make up a band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) keys: Keys,
    pub(super) cell: Cell,
}

impl Variant {
    /// The band that is exported and played.
    pub(super) const PLAYED: Self = Self { keys: Keys::One, cell: Cell::Gru };

    /// The networks of a track: tracks that are not compared have those of the played band alone.
    fn of(self, track: RollTrack) -> (Keys, Cell) {
        if COMPARED.contains(&track) {
            (self.keys, self.cell)
        } else {
            (Self::PLAYED.keys, Self::PLAYED.cell)
        }
    }
}

/// A band whose thresholds are not set yet.
fn assemble(setup: Setup<'_>, trained: &Trained, variant: Variant) -> anyhow::Result<VaeRnn> {
    let plain = Threshold { start: 0.5, hold: HOLD, least: LEAST };
    let valid = |track: RollTrack| {
        let (keys, _) = variant.of(track);
        Latents::of(setup, trained.vae(track, keys), (track, keys, Split::Valid))
    };
    let piano = valid(RollTrack::Piano)?;
    let mut voices = vec![];
    for track in RollTrack::ALL {
        let (keys, cell) = variant.of(track);
        let rnn = LatentRnn { cell, ..setup.sizes.rnn };
        let parameters = trained.rnn(track, keys, cell).clone();
        let target = if track == RollTrack::Piano { None } else { Some(valid(track)?) };
        let noise = deviations(rnn, &parameters, track, &piano, target.as_ref().unwrap_or(&piano))?;
        let least = if track == RollTrack::Drums { 1 } else { LEAST };
        let head = VoiceHead {
            track: track.name().to_owned(),
            vae: setup.sizes.vae,
            rnn,
            threshold: Threshold { least, ..plain },
            decoded: Threshold { least, ..plain },
            loudest: loudest(setup.music, track),
            noise: NOISE,
            one_key: variant.keys == Keys::One,
        };
        let mut values = trained.vae(track, keys).values("vae.")?;
        values.extend(parameters.values("rnn.")?);
        voices.push(Voice::new(head, Card::default(), values, noise)?);
    }
    Ok(VaeRnn::new(voices)?)
}

/// The median of the largest velocities that a track has in the pieces of the train split.
fn loudest(music: &Music, track: RollTrack) -> u8 {
    let most = |p: &super::data::Piece| track.notes(&p.song.band).iter().map(|n| n.velocity).max();
    let mut all: Vec<u8> = music.of(Split::Train).filter_map(most).collect();
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or(100).clamp(1, 127)
}

/// Standard deviations of a network's errors, by latent value.
fn deviations(
    rnn: LatentRnn,
    parameters: &Parameters,
    track: RollTrack,
    piano: &Latents,
    target: &Latents,
) -> anyhow::Result<Vec<f32>> {
    let (mut sums, mut count) = (vec![0f64; rnn.latent], 0usize);
    for (predicted, truth) in predictions(rnn, parameters, track, piano, target)? {
        for (i, (a, b)) in predicted.iter().zip(truth).enumerate() {
            sums[i % rnn.latent] += f64::from((a - b).powi(2));
        }
        count += truth.len() / rnn.latent;
    }
    Ok(sums.iter().map(|s| (s / count.max(1) as f64).sqrt() as f32).collect())
}

/// Thresholds of a track, chosen on the valid split.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thresholds {
    pub(super) track: RollTrack,
    /// Highest F1 of the predicted cells.
    pub(super) by_f1: f32,
    /// As many cells are read as sound.
    pub(super) by_density: f32,
    /// Highest F1 of what is encoded and decoded.
    pub(super) decoded: f32,
}

/// Thresholds of a band by the valid split.
fn choose_thresholds(setup: Setup<'_>, band: &VaeRnn, keys: Keys) -> anyhow::Result<Vec<Thresholds>> {
    let limits = (setup.sizes.pieces, setup.sizes.windows);
    let one = |track: RollTrack| {
        let of = |mode| predicted(band, setup.music, (Split::Valid, keys), (track, mode), limits);
        let live = of(Mode::Live)?;
        Ok(Thresholds {
            track,
            by_f1: tally(&live).by_f1(),
            by_density: by_density(&live, band.voice(track).head.threshold),
            decoded: tally(&of(Mode::Again)?).by_f1(),
        })
    };
    RollTrack::ALL.into_iter().map(one).collect()
}

/// The band with its thresholds set: predictions by density, or by F1; reconstructions by F1.
pub(super) fn with_thresholds(
    band: &VaeRnn,
    thresholds: &[Thresholds],
    by_f1: bool,
) -> anyhow::Result<VaeRnn> {
    let mut voices: Vec<Voice> = RollTrack::ALL.map(|t| band.voice(t).clone()).to_vec();
    for (voice, c) in voices.iter_mut().zip(thresholds) {
        voice.head.threshold.start = if by_f1 { c.by_f1 } else { c.by_density };
        voice.head.decoded.start = c.decoded;
    }
    Ok(VaeRnn::new(voices)?)
}

/// Bands to compare, with their thresholds.
pub(super) struct Bands {
    pub(super) all: Vec<(Variant, VaeRnn)>,
    pub(super) thresholds: Vec<Vec<Thresholds>>,
}

impl Bands {
    /// Assembles bands and chooses their thresholds on the valid split.
    pub(super) fn of(setup: Setup<'_>, trained: &Trained, variants: &[Variant]) -> anyhow::Result<Self> {
        let (mut all, mut thresholds) = (vec![], vec![]);
        for &variant in variants {
            setup.run.log(&format!("Choosing thresholds: {}, {}", variant.keys.text(), variant.cell.name()));
            let band = assemble(setup, trained, variant)?;
            let chosen = choose_thresholds(setup, &band, variant.keys)?;
            all.push((variant, with_thresholds(&band, &chosen, false)?));
            thresholds.push(chosen);
        }
        Ok(Self { all, thresholds })
    }
}

/// A VAE-RNN as an accompanist, which receives the piano window by window, strictly causally.
pub(super) struct WindowBand {
    name: String,
    band: VaeRnn,
    live: Live,
}

impl WindowBand {
    pub(super) fn new(name: &str, band: &VaeRnn, live: Live) -> Self {
        Self { name: name.to_owned(), band: band.clone(), live }
    }
}

impl Accompanist for WindowBand {
    fn name(&self) -> &str {
        &self.name
    }

    fn play(&mut self, request: &Request<'_>) -> anyhow::Result<Parts> {
        let seed = self.live.seed.wrapping_mul(1_000_003).wrapping_add(request.song as u64);
        let seed = seed.wrapping_add(request.take.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        Ok(self.band.play(request.piano, &Live { seed, parts: request.controls.on(), ..self.live }))
    }
}
