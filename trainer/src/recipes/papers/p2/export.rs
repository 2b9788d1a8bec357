//! `sideman-trainer papers export p2`: from a run of P2 to the weights files that the program plays.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use sideman_inference::papers::p2::{VaeRnn, Voice};
use sideman_inference::weights::Card;
use sideman_music::encoding::piano_roll::RollTrack;
use sideman_nets::nn::Network;

use super::bands::{Bands, Variant};
use super::data::{Keys, Music};
use super::predictions::{Mode, as_read, predicted, tally};
use super::tables::edge_milliseconds;
use super::training::Trained;
use super::{Setup, Sizes};
use crate::data::Split;
use crate::export::{Origin, RESEARCH_LICENCE, save};
use crate::recipes::papers::{PaperRun, Size};
use crate::report::make_folder;
use crate::train::FitCheckpoint;

/// Most nats a window, beside one, that storing the matrices in 8 bits may cost on the valid split.
const MOST_COST: f64 = 0.02;

/// Command line of `papers export p2`.
#[derive(Debug, Clone, clap::Args)]
pub struct ExportP2Args {
    /// Folder of the finished run, `--out` of `papers run p2`
    #[arg(long, value_name = "DIR", default_value = "report/p2")]
    pub run: PathBuf,
    /// Folder of the data that it was trained on
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Folder to write p2-TRACK.gguf and p2-TRACK.toml to
    #[arg(long, value_name = "DIR", default_value = "models/weights")]
    pub out: PathBuf,
    /// Seed of the run
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Where the weights come from, for the card
    #[command(flatten)]
    pub origin: Origin,
    /// A line about scores measured elsewhere, such as the report's on the test split
    #[arg(long = "score", value_name = "LINE")]
    pub scores: Vec<String>,
    /// The run was one with --quick
    #[arg(long)]
    pub quick: bool,
}

/// Runs the export.
///
/// # Errors
/// When the run is not finished, or the data or the disk do not allow it.
pub fn export(args: &ExportP2Args) -> anyhow::Result<()> {
    let run = PaperRun {
        data: args.data.clone(),
        size: if args.quick { Size::Quick } else { Size::Full },
        seed: args.seed,
        progress: true,
        ..PaperRun::quick(&args.run)
    };
    let played = super::rnn::name(RollTrack::Piano, Variant::PLAYED.keys, Variant::PLAYED.cell);
    ensure!(
        run.training_dir(&played).join("last.safetensors").exists(),
        "{} holds no finished run of P2: make one with `papers run p2`, or name its folder with --run",
        args.run.display()
    );
    let (sizes, music) = (Sizes::of(&run), Music::load(&run)?);
    let setup = Setup { run: &run, music: &music, sizes: &sizes };
    let trained = Trained::played(setup)?;
    let bands = Bands::of(setup, &trained, &[Variant::PLAYED])?;
    let band = &bands.all[0].1;
    make_folder(&args.out)?;
    let data = data_lines(&music);
    let mut made: Vec<Voice> = vec![];
    for track in RollTrack::ALL {
        let best = |name: &str| FitCheckpoint::best_of(&run.training_dir(name));
        let vae = best(&super::vae::name(track, Keys::One))?;
        let rnn = best(&super::rnn::name(track, Variant::PLAYED.keys, Variant::PLAYED.cell))?;
        let mut voice = band.voice(track).clone();
        voice.card = Card {
            name: format!("p2-{}", track.name()),
            description: describe(track).to_owned(),
            parameters: sizes.vae.parameters() + voice.head.rnn.parameters(),
            licence: RESEARCH_LICENCE.into(),
            data: data.clone(),
            seed: args.seed,
            training: format!(
                "autoencoder: {} windows, {:.0} seconds; recurrent network: {} epochs, {:.0} seconds; on one shared core",
                vae.epochs * sizes.vae_examples,
                vae.seconds,
                rnn.epochs,
                rnn.seconds
            ),
            ..args.origin.card(&args.out)
        };
        made.push(voice);
    }
    // What 8 bits leave of it is measured on what is read back.
    let bytes: Vec<Vec<u8>> = made.iter().map(Voice::write).collect::<Result<_, _>>()?;
    let read = VaeRnn::load(std::array::from_fn(|i| bytes[i].as_slice()))?;
    let limits = (sizes.pieces, sizes.windows);
    let edge = edge_milliseconds(&read)?;
    for (track, voice) in RollTrack::ALL.into_iter().zip(&mut made) {
        let of =
            |band: &VaeRnn, split, mode| predicted(band, &music, (split, Keys::One), (track, mode), limits);
        let nats = |band: &VaeRnn| -> anyhow::Result<f64> {
            Ok(tally(&of(band, Split::Valid, Mode::Again)?).nats())
        };
        let (before, after) = (nats(band)?, nats(&read)?);
        ensure!(
            after < before * (1.0 + MOST_COST) + 0.1,
            "storing the {} in 8 bits costs {:.2} of {before:.2} nats a window: train again or store more bits",
            track.name(),
            after - before
        );
        let rules = (voice.head.threshold, voice.head.decoded);
        for (split, note) in [(Split::Valid, ", by which the thresholds were chosen"), (Split::Test, "")] {
            let again = as_read(&of(&read, split, Mode::Again)?, rules.1).0;
            let live = as_read(&of(&read, split, Mode::Live)?, rules.0);
            voice.card.scores.push(format!(
                "{split} split{note}: F1 of cells encoded and decoded {again:.3}, told a window ahead {:.3} with {:.2} of \
                 people's cells",
                live.0, live.1
            ));
        }
        voice.card.scores.extend(args.scores.iter().cloned());
        let bytes = voice.write()?;
        Voice::read(&bytes).context("the file just made cannot be loaded")?;
        let note = format!(
            "quantising cost {:+.2} of {before:.1} nats a window; thresholds {:.3} and {:.3}",
            after - before,
            rules.0.start,
            rules.1.start
        );
        let path = args.out.join(format!("{}.gguf", voice.card.name));
        save(&path, &bytes, voice.card.clone(), &note)?;
    }
    println!("What the band does at the edge of a window takes {edge:.1} ms.");
    Ok(())
}

fn describe(track: RollTrack) -> &'static str {
    match track {
        RollTrack::Piano => "P2's VAE-RNN: encodes the piano, window by window, and tells its next window",
        RollTrack::Drums => "P2's VAE-RNN: tells the drums' window from the piano's, and draws it",
        RollTrack::Guitar => "P2's VAE-RNN: tells the guitar's window from the piano's, and draws it",
        RollTrack::Bass => "P2's VAE-RNN: tells the bass's window from the piano's, and draws it",
        RollTrack::Strings => "P2's VAE-RNN: tells the strings' window from the piano's, and draws them",
    }
}

/// Songs to train on by tier and set.
fn data_lines(music: &Music) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::new();
    for piece in music.of(Split::Train) {
        *counts.entry((piece.song.tier.name(), piece.song.set.as_str())).or_insert(0usize) += 1;
    }
    counts.iter().map(|((tier, set), n)| format!("{n} songs of {set} (tier {tier})")).collect()
}
