//! The whole of P2: trains everything, measures it, and fills the report.

use std::collections::BTreeMap;

use sideman_models::genre::Parameters;
use sideman_models::papers::p2::Cell;
use sideman_music::windows::RollTrack;

use super::music::{Keys, Music};
use super::rnn::{self, Latents};
use super::{Sizes, gru, vae};
use crate::corpus::Split;
use crate::papers::{Job, Report};

/// Tracks that are trained in their own keys, too, and with the other memory, for comparison.
pub(super) const COMPARED: [RollTrack; 2] = [RollTrack::Piano, RollTrack::Bass];

/// Everything that was trained.
pub(super) struct Trained {
    pub(super) gru: Parameters,
    vaes: BTreeMap<String, Parameters>,
    rnns: BTreeMap<String, Parameters>,
}

impl Trained {
    /// The autoencoder of a track.
    pub(super) fn vae(&self, track: RollTrack, keys: Keys) -> &Parameters {
        &self.vaes[&vae::name(track, keys)]
    }

    /// The network of a track.
    pub(super) fn rnn(&self, track: RollTrack, keys: Keys, cell: Cell) -> &Parameters {
        &self.rnns[&rnn::name(track, keys, cell)]
    }
}

/// Trains all networks but the genre CNNs, or finds them trained.
///
/// # Errors
/// When there is no music, or a training fails.
pub(super) fn train(job: &Job, music: &Music, sizes: &Sizes) -> anyhow::Result<Trained> {
    let mut vaes = BTreeMap::new();
    let mut rnns = BTreeMap::new();
    let mut add = |track, keys| -> anyhow::Result<()> {
        vaes.insert(vae::name(track, keys), vae::train(job, music, sizes, track, keys)?);
        Ok(())
    };
    for track in [RollTrack::Piano, RollTrack::Bass, RollTrack::Drums, RollTrack::Guitar, RollTrack::Strings] {
        add(track, Keys::One)?;
    }
    let networks: Vec<(RollTrack, Keys, Cell)> =
        RollTrack::ALL.into_iter().map(|t| (t, Keys::One, Cell::Gru)).collect();
    train_rnns(job, music, sizes, &vaes, &networks, &mut rnns)?;
    let gru = gru::train(job, music, sizes)?;
    for track in COMPARED {
        vaes.insert(vae::name(track, Keys::Own), vae::train(job, music, sizes, track, Keys::Own)?);
    }
    let more: Vec<(RollTrack, Keys, Cell)> = [(Keys::Own, Cell::Gru), (Keys::One, Cell::Lstm)]
        .into_iter()
        .flat_map(|(keys, cell)| COMPARED.map(|t| (t, keys, cell)))
        .collect();
    train_rnns(job, music, sizes, &vaes, &more, &mut rnns)?;
    Ok(Trained { gru, vaes, rnns })
}

fn train_rnns(
    job: &Job,
    music: &Music,
    sizes: &Sizes,
    vaes: &BTreeMap<String, Parameters>,
    networks: &[(RollTrack, Keys, Cell)],
    rnns: &mut BTreeMap<String, Parameters>,
) -> anyhow::Result<()> {
    // Encoding all music takes a while, and is needed only where something is left to train.
    let mut pianos: BTreeMap<&str, [Latents; 2]> = BTreeMap::new();
    for &(track, keys, cell) in networks {
        let name = rnn::name(track, keys, cell);
        if let Some(done) = rnn::trained(job, sizes, track, keys, cell)? {
            rnns.insert(name, done);
            continue;
        }
        let both = |track: RollTrack| -> anyhow::Result<[Latents; 2]> {
            let vae = &vaes[&vae::name(track, keys)];
            job.say(&format!("Encoding the {} in {}", track.name(), keys.text()));
            let of = |split| Latents::of(music, sizes, vae, (track, keys, split));
            Ok([of(Split::Train)?, of(Split::Valid)?])
        };
        if !pianos.contains_key(keys.name()) {
            pianos.insert(keys.name(), both(RollTrack::Piano)?);
        }
        let piano = &pianos[keys.name()];
        let own = if track == RollTrack::Piano { None } else { Some(both(track)?) };
        let target = own.as_ref().unwrap_or(piano);
        let trained =
            rnn::train(job, sizes, (track, keys, cell), (&piano[0], &target[0]), (&piano[1], &target[1]))?;
        rnns.insert(name, trained);
    }
    Ok(())
}

/// Runs the paper.
///
/// # Errors
/// When there is no music, a training fails, or the disk is full.
pub(super) fn run(job: &Job, _report: &mut Report) -> anyhow::Result<()> {
    let sizes = Sizes::of(job);
    let music = Music::load(job)?;
    for split in [Split::Train, Split::Valid, Split::Test] {
        job.say(&format!("{} pieces to {split}", music.numbers(split).len()));
    }
    train(job, &music, &sizes)?;
    Ok(())
}
