//! All trainings of P2 but the genre CNNs'.

use std::collections::BTreeMap;
use std::sync::Arc;

use sideman_inference::papers::p2::Cell;
use sideman_music::encoding::piano_roll::RollTrack;
use sideman_nets::nn::Parameters;

use super::data::Keys;
use super::rnn::{self, Latents, Pair, Sequences};
use super::{Setup, gru, vae};
use crate::data::Split;

/// Tracks that are trained in their original keys and with an LSTM, too, for comparison: each further one takes a
/// quarter of an hour on a busy core.
pub(super) const COMPARED: [RollTrack; 1] = [RollTrack::Piano];

/// The networks that were trained.
pub(super) struct Trained {
    /// Empty where only the networks that are played were asked for.
    pub(super) gru: Parameters,
    vaes: BTreeMap<String, Parameters>,
    rnns: BTreeMap<String, Parameters>,
}

impl Trained {
    /// The autoencoder of a track.
    pub(super) fn vae(&self, track: RollTrack, keys: Keys) -> &Parameters {
        &self.vaes[&vae::name(track, keys)]
    }

    /// The recurrent network of a track.
    pub(super) fn rnn(&self, track: RollTrack, keys: Keys, cell: Cell) -> &Parameters {
        &self.rnns[&rnn::name(track, keys, cell)]
    }

    /// Trains the networks of the played band, or finds them trained.
    ///
    /// # Errors
    /// When there is no music, or a training fails.
    pub(super) fn played(setup: Setup<'_>) -> anyhow::Result<Self> {
        let mut all = Self { gru: Parameters::default(), vaes: BTreeMap::new(), rnns: BTreeMap::new() };
        for track in
            [RollTrack::Piano, RollTrack::Bass, RollTrack::Drums, RollTrack::Guitar, RollTrack::Strings]
        {
            all.add_vae(setup, track, Keys::One)?;
        }
        all.add_rnns(setup, &RollTrack::ALL.map(|t| (t, Keys::One, Cell::Gru)))?;
        Ok(all)
    }

    /// Adds the GRU on rolls and the LSTMs.
    ///
    /// # Errors
    /// As [`Trained::played`].
    pub(super) fn add_compared(&mut self, setup: Setup<'_>) -> anyhow::Result<()> {
        self.gru = gru::train(setup)?;
        self.add_rnns(setup, &COMPARED.map(|t| (t, Keys::One, Cell::Lstm)))
    }

    /// Adds the networks of pieces in their original keys.
    ///
    /// # Errors
    /// As [`Trained::played`].
    pub(super) fn add_original_keys(&mut self, setup: Setup<'_>) -> anyhow::Result<()> {
        for track in COMPARED {
            self.add_vae(setup, track, Keys::Own)?;
        }
        self.add_rnns(setup, &COMPARED.map(|t| (t, Keys::Own, Cell::Gru)))
    }

    fn add_vae(&mut self, setup: Setup<'_>, track: RollTrack, keys: Keys) -> anyhow::Result<()> {
        self.vaes.insert(vae::name(track, keys), vae::train(setup, track, keys)?);
        Ok(())
    }

    fn add_rnns(&mut self, setup: Setup<'_>, networks: &[(RollTrack, Keys, Cell)]) -> anyhow::Result<()> {
        // Encoding the music takes a while: only where a network is left to train, and the piano once.
        let mut pianos: BTreeMap<&str, [Arc<Latents>; 2]> = BTreeMap::new();
        for &(track, keys, cell) in networks {
            let encoded = |track: RollTrack| -> anyhow::Result<[Arc<Latents>; 2]> {
                setup.run.log(&format!("Encoding the {} in {}", track.name(), keys.text()));
                let of = |split| Latents::of(setup, self.vae(track, keys), (track, keys, split));
                Ok([Arc::new(of(Split::Train)?), Arc::new(of(Split::Valid)?)])
            };
            let parameters = rnn::train(setup, (track, keys, cell), |rnn| {
                if !pianos.contains_key(keys.name()) {
                    pianos.insert(keys.name(), encoded(RollTrack::Piano)?);
                }
                let piano = pianos[keys.name()].clone();
                let target = if track == RollTrack::Piano { piano.clone() } else { encoded(track)? };
                let ([train, valid], [train_target, valid_target]) = (piano, target);
                let train = Pair { piano: train, target: train_target };
                Ok(Sequences::new(rnn, track, train, Pair { piano: valid, target: valid_target }))
            })?;
            self.rnns.insert(rnn::name(track, keys, cell), parameters);
        }
        Ok(())
    }
}
