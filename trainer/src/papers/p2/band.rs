//! The VAE-RNN as a band among others, and bands of what was trained.

use candle_core::{Device, Tensor};
use sideman_inference::weights::Card;
use sideman_music::encoding::piano_roll::{RollTrack, Threshold};
use sideman_nets::nn::{Network, Parameters};
use sideman_inference::papers::p2::{Cell, LatentRnn, Live, VaeRnn, Voice, VoiceHead};

use super::Sizes;
use super::music::{Keys, Music};
use super::rnn::{Latents, ahead};
use super::rolls::{Way, by_density, tally, told};
use super::study::{COMPARED, Trained};
use crate::corpus::Split;
use crate::evaluate::{Accompanist, Parts, Request};

/// Share of a note's threshold down to which it is held.
const HOLD: f32 = 0.6;
/// Fewest steps of a note of the pitched tracks: a 48th; a hit is [`sideman_music::encoding::piano_roll::HIT`] long.
const LEAST: u16 = 2;
/// Share of the deviations of what is told that a temperature of 1 adds.
const NOISE: f32 = 0.5;

/// Which networks a band is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Make {
    pub(super) keys: Keys,
    pub(super) cell: Cell,
}

impl Make {
    /// The one that is played.
    pub(super) const PLAYED: Self = Self { keys: Keys::One, cell: Cell::Gru };

    /// The networks of a track that there are: those that only some tracks have are of the played band elsewhere.
    fn of(self, track: RollTrack) -> (Keys, Cell) {
        if COMPARED.contains(&track) {
            (self.keys, self.cell)
        } else {
            (Self::PLAYED.keys, Self::PLAYED.cell)
        }
    }
}

/// A band whose thresholds are not set yet.
pub(super) fn assemble(
    music: &Music,
    sizes: &Sizes,
    trained: &Trained,
    make: Make,
) -> anyhow::Result<VaeRnn> {
    let plain = Threshold { start: 0.5, hold: HOLD, least: LEAST };
    let valid = |track: RollTrack| {
        let (keys, _) = make.of(track);
        Latents::of(music, sizes, trained.vae(track, keys), (track, keys, Split::Valid))
    };
    let piano = valid(RollTrack::Piano)?;
    let mut voices = vec![];
    for track in RollTrack::ALL {
        let (keys, cell) = make.of(track);
        let rnn = LatentRnn { cell, ..sizes.rnn };
        let parameters = trained.rnn(track, keys, cell).clone();
        let target = if track == RollTrack::Piano { None } else { Some(valid(track)?) };
        let noise = deviations(rnn, &parameters, ahead(track), &piano, target.as_ref().unwrap_or(&piano))?;
        let least = if track == RollTrack::Drums { 1 } else { LEAST };
        let head = VoiceHead {
            track: track.name().to_owned(),
            vae: sizes.vae,
            rnn,
            threshold: Threshold { least, ..plain },
            decoded: Threshold { least, ..plain },
            loudest: loudest(music, track),
            noise: NOISE,
            one_key: make.keys == Keys::One,
        };
        voices.push(Voice::new(head, Card::default(), trained.vae(track, keys).clone(), parameters, noise));
    }
    Ok(VaeRnn::new(voices)?)
}

/// The median of the largest velocities that a track has in the pieces of the train split.
fn loudest(music: &Music, track: RollTrack) -> u8 {
    let most = |p: &super::music::Piece| track.notes(&p.song.band).iter().map(|n| n.velocity).max();
    let mut all: Vec<u8> = music.of(Split::Train).filter_map(most).collect();
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or(100).clamp(1, 127)
}

/// Deviations of what a network tells from the truth, by latent value.
fn deviations(
    rnn: LatentRnn,
    parameters: &Parameters,
    ahead: usize,
    piano: &Latents,
    target: &Latents,
) -> anyhow::Result<Vec<f32>> {
    let (layers, wide) = (rnn.load(parameters)?, rnn.latent);
    let (mut sums, mut count) = (vec![0f64; wide], 0usize);
    for piece in 0..piano.pieces.len() {
        let windows = piano.windows(piece);
        if windows <= ahead {
            continue;
        }
        let x = Tensor::from_slice(&piano.pieces[piece], (windows, wide), &Device::Cpu)?;
        let told: Vec<f32> = layers.forward(&x, &mut rnn.blank(1))?.flatten_all()?.to_vec1()?;
        let truth = &target.pieces[piece][ahead * wide..];
        for (i, (a, b)) in told.iter().zip(truth).enumerate() {
            sums[i % wide] += f64::from((a - b).powi(2));
        }
        count += windows - ahead;
    }
    Ok(sums.iter().map(|s| (s / count.max(1) as f64).sqrt() as f32).collect())
}

/// What the valid split says of a track's thresholds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chosen {
    pub(super) track: RollTrack,
    /// With the highest F1 of what is told.
    pub(super) by_f1: f32,
    /// At which as many cells are read as sound.
    pub(super) by_density: f32,
    /// With the highest F1 of what is encoded and decoded.
    pub(super) decoded: f32,
}

/// Thresholds of a band by the valid split.
pub(super) fn choose(band: &VaeRnn, music: &Music, sizes: &Sizes, keys: Keys) -> anyhow::Result<Vec<Chosen>> {
    let limits = (sizes.pieces, sizes.windows);
    let one = |track: RollTrack| {
        let of = |way| told(band, music, (Split::Valid, keys), (track, way), limits);
        let live = of(Way::Live)?;
        Ok(Chosen {
            track,
            by_f1: tally(&live).by_f1(),
            by_density: by_density(&live, band.voice(track).head.threshold),
            decoded: tally(&of(Way::Again)?).by_f1(),
        })
    };
    RollTrack::ALL.into_iter().map(one).collect()
}

/// The band with its thresholds set: by density what is told, by F1 what is only decoded; or all by F1.
pub(super) fn with_thresholds(band: &VaeRnn, chosen: &[Chosen], by_f1: bool) -> anyhow::Result<VaeRnn> {
    let mut voices: Vec<Voice> = RollTrack::ALL.map(|t| band.voice(t).clone()).to_vec();
    for (voice, c) in voices.iter_mut().zip(chosen) {
        voice.head.threshold.start = if by_f1 { c.by_f1 } else { c.by_density };
        voice.head.decoded.start = c.decoded;
    }
    Ok(VaeRnn::new(voices)?)
}

/// A VAE-RNN as an accompanist, which hears the piano window by window and never ahead.
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
        Ok(self.band.play(request.piano, &Live { seed, parts: request.controls.on(), ..self.live })?)
    }
}
