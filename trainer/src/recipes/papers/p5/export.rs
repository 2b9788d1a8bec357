//! From the run of the network of strokes to a quantised weights file and its card.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use sideman_inference::papers::p5::StrokeWeights;
use sideman_inference::weights::{Card, rounded, sha256};
use sideman_nets::nn::{Network, Parameters};

use super::settings::Settings;
use super::songs::{self, of};
use super::stroke_model::{Data, RUN};
use super::strokes::score;
use crate::corpus::Split;
use crate::evaluate::write_whole;
use crate::export::Origin;
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
    let (mut tensors, mut stored) = (BTreeMap::new(), Parameters::default());
    for (name, t) in &best.parameters.tensors {
        let values: Vec<f32> = t.flatten_all()?.to_vec1()?;
        let back = rounded(t.dims(), &values);
        stored
            .tensors
            .insert(name.clone(), candle_core::Tensor::from_vec(back, t.dims(), &candle_core::Device::Cpu)?);
        tensors.insert(name.clone(), (t.dims().to_vec(), values));
    }
    let valid = data.lines(Split::Valid, None);
    let scored = |p: &Parameters| score(&data.net, p, &valid, settings.stroke_steps);
    let (before, after) = (scored(&best.parameters)?, scored(&stored)?);
    let cost = after.loss() - before.loss();
    ensure!(
        cost < MOST_QUANTISATION_LOSS,
        "quantising costs {cost:.4} nats a stroke, more than {MOST_QUANTISATION_LOSS}: train again or store more bits"
    );
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
        name: args.out.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default(),
        description: "Goes on from where a pianist stopped: the next note or chord, after P5".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        parameters: tensors.values().map(|t| t.1.len()).sum(),
        quantisation: "matrices of 4096 values or more as Q8_0, the rest as f32".into(),
        licence: "weights: MIT OR Apache-2.0; trained on music in the public domain and under CC0 and MIT licences \
                  alone (the songs that POP909's MIT-licensed transcriptions are of are copyrighted)"
            .into(),
        data: data.sets().iter().map(|s| count(s)).collect(),
        seed: best.config.seed,
        commit: args.origin.commit.clone(),
        commands: args.origin.commands.clone(),
        training: format!(
            "{} epochs, the weights of the {}th, {:.0} seconds on one core",
            best.epochs, best.best_epoch, best.seconds
        ),
        scores: vec![line("valid", &after), line("test", &test)],
        sha256: String::new(),
    };
    let bytes = StrokeWeights::write(&data.net, &data.shapes, &tensors, &card)?;
    StrokeWeights::load(&bytes).context("the file just made cannot be loaded")?;
    write_whole(&args.out, &bytes)?;
    let beside = args.out.with_extension("toml");
    let card = Card { sha256: sha256(&bytes), ..card };
    write_whole(&beside, toml::to_string_pretty(&card)?.as_bytes())?;
    println!(
        "Wrote {} ({:.0} kB, {} parameters) and {}; quantising cost {cost:+.4} nats a stroke.",
        args.out.display(),
        bytes.len() as f64 / 1e3,
        card.parameters,
        beside.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{P5, stroke_model};
    use super::*;
    use crate::recipes::papers::{Paper, Report};

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
        let mut report = Report::new(&P5.info(), &run).unwrap();
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
