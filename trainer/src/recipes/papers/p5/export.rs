//! From the run of the network of strokes to a quantised weights file and its card.

use std::path::PathBuf;

use anyhow::Context;
use sideman_inference::papers::p5::StrokeWeights;
use sideman_inference::weights::Card;
use sideman_nets::nn::{Network, Parameters};

use super::settings::Settings;
use super::songs::{self, of};
use super::stroke_model::{Data, RUN};
use super::strokes::score;
use crate::data::Split;
use crate::export::{Origin, cost, rounded, save, shaped};
use crate::recipes::papers::{PaperRun, Size};
use crate::train::FitCheckpoint;

/// Most nats a stroke that storing the matrices in 8 bits may cost on the valid split.
const MOST_QUANTISATION_LOSS: f64 = 0.02;

/// Quantises the network that `sideman continue` plays from, and writes its weights file and card.
#[derive(Debug, Clone, clap::Args)]
pub struct ExportArgs {
    /// Folder of the report of `papers run p5`
    #[arg(long, value_name = "DIR", default_value = "report/p5")]
    pub report: PathBuf,
    /// Folder of the data, the one that it was trained on
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Weights file to write; the card goes beside it, ending in .toml
    #[arg(long)]
    pub out: PathBuf,
    /// Where the weights come from, for the card
    #[command(flatten)]
    pub origin: Origin,
}

/// Runs the export.
///
/// # Errors
/// When the run, the data or the disk do not allow it, or quantising costs too much.
pub fn export(args: &ExportArgs) -> anyhow::Result<()> {
    let size = if args.data.is_some() { Size::Full } else { Size::Quick };
    let run = PaperRun { data: args.data.clone(), size, ..PaperRun::quick(&args.report) };
    let settings =
        Settings::of(&args.report, if args.data.is_some() { Settings::full() } else { Settings::quick() })?;
    let folder = run.training_dir(RUN);
    let best = FitCheckpoint::best_of(&folder).with_context(|| {
        format!("{} has no finished network: run `papers run p5` first", folder.display())
    })?;
    let data = Data::read(&run, &settings, &songs::paper_songs(&run)?)?;
    best.parameters.check(&data.net.specs()).context("the run is of other music or of other settings")?;
    let tensors = shaped(&best.parameters.tensors)?;
    let stored = Parameters { tensors: rounded(&tensors)?, ..Parameters::default() };
    let valid = data.lines(Split::Valid, None);
    let scored = |p: &Parameters| score(&data.net, p, &valid, settings.stroke_steps);
    let (before, after) = (scored(&best.parameters)?, scored(&stored)?);
    let cost = cost(before.loss(), after.loss(), MOST_QUANTISATION_LOSS, "stroke")?;
    let test = score(&data.net, &stored, &data.lines(Split::Test, None), settings.stroke_steps)?;
    let line = |split: &str, t: &super::strokes::StrokeScore| {
        let [when, pitch, chord, length] = t.losses;
        format!(
            "{split} split, {} strokes: {:.3} nats a stroke (when {when:.3}, pitch {pitch:.3}, chord {chord:.3}, length \
             {length:.3}); {:.1} % of lowest pitches are the likeliest",
            t.count,
            t.loss(),
            100.0 * t.pitches
        )
    };
    let count = |set: &str| {
        let paper_songs = of(&data.songs, Split::Train).into_iter().filter(|s| s.set == set);
        let (pieces, strokes) = paper_songs.fold((0, 0), |a, s| (a.0 + 1, a.1 + s.sonorities.len()));
        format!("{set} (tier open): {pieces} train pieces, {strokes} notes and chords")
    };
    let card = Card {
        description: "Goes on from where a pianist stopped: the next note or chord, after P5".into(),
        parameters: tensors.values().map(|t| t.1.len()).sum(),
        licence: "weights: MIT OR Apache-2.0; trained on music in the public domain and under CC0 and MIT licences \
                  alone (the songs that POP909's MIT-licensed transcriptions are of are copyrighted)"
            .into(),
        data: data.sets().iter().map(|s| count(s)).collect(),
        seed: best.config.seed,
        training: format!(
            "{} epochs, the weights of the {}th, {:.0} seconds on one core",
            best.epochs, best.best_epoch, best.seconds
        ),
        scores: vec![line("valid", &after), line("test", &test)],
        ..args.origin.card(&args.out)
    };
    let bytes = StrokeWeights::write(&data.net, &data.shapes, &tensors, &card)?;
    StrokeWeights::load(&bytes).context("the file just made cannot be loaded")?;
    save(&args.out, &bytes, card, &format!("quantising cost {cost:+.4} nats a stroke"))
}

#[cfg(test)]
mod tests {
    use super::super::{P5, stroke_model};
    use sideman_inference::weights::sha256;

    use super::*;
    use crate::recipes::papers::Paper;

    #[test]
    fn a_run_becomes_a_file_with_its_card() {
        let dir = tempfile::tempdir().unwrap();
        let run = PaperRun::quick(&dir.path().join("report"));
        let args = ExportArgs {
            report: run.out.clone(),
            data: None,
            out: dir.path().join("w.gguf"),
            origin: Origin { commit: "abc".into(), commands: vec!["papers run p5".into()] },
        };
        let mut report = run.report(&P5.info()).unwrap();
        let error = format!("{:#}", export(&args).unwrap_err());
        assert!(error.contains("run `papers run p5` first"), "{error}");
        let settings = Settings::of(&run.out, Settings::quick()).unwrap();
        let paper_songs = songs::paper_songs(&run).unwrap();
        stroke_model::strokes(&run, &settings, &paper_songs, &mut report).unwrap();
        export(&args).unwrap();
        let bytes = std::fs::read(&args.out).unwrap();
        let weights = StrokeWeights::load(&bytes).unwrap();
        let card: Card =
            toml::from_str(&std::fs::read_to_string(dir.path().join("w.toml")).unwrap()).unwrap();
        assert_eq!(card, weights.card);
        assert_eq!((card.sha256.as_str(), card.scores.len()), (sha256(&bytes).as_str(), 2));
        assert!(card.data.iter().any(|d| d.contains("mutopia_piano")));
        assert!(run.out.join("continued-1.mid").exists());
    }
}
