//! `sideman-trainer export`: from a checkpoint to a weights file and its card.

mod audition;
pub(crate) mod styles;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use self::audition::Audition;
use anyhow::{Context, ensure};
use candle_core::Device;
use sideman_inference::band::{Sampling, StepNetwork};
use sideman_inference::weights::{self, Card};
use sideman_music::encoding::grid::VelocityTable;
use sideman_nets::band::Network;

use crate::data::{self, Split, Tier};
use crate::eval::controls::common_velocities;
use crate::export::{self, Origin};
use crate::recipes::band::{Checkpoint, Library, TrainConfig, network_of, score, style_codes};

/// Most nats a 16th that storing the matrices in 8 bits may cost.
const MOST_QUANTISATION_LOSS: f64 = 0.01;

/// Quantises a checkpoint, measures what that costs, and writes the weights file and its card.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// Folder of the run
    #[arg(long, default_value = "runs/band")]
    pub run: PathBuf,
    /// Which checkpoint: best on the valid split, or last
    #[arg(long, value_enum, default_value_t = Which::Best)]
    pub checkpoint: Which,
    /// Cache made by `prepare`, the one the run was trained on
    #[arg(long, default_value = "cache")]
    pub cache: PathBuf,
    /// Weights file to write; the card goes beside it, ending in .toml
    #[arg(long, default_value = "models/weights/band-full.gguf")]
    pub out: PathBuf,
    /// Where the weights come from, for the card
    #[command(flatten)]
    pub origin: Origin,
    /// How the band draws, as a JSON object; settings left out have their defaults
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub sampling: String,
    /// A line about scores measured elsewhere, such as those of `eval band`
    #[arg(long = "score", value_name = "LINE")]
    pub scores: Vec<String>,
}

/// A checkpoint of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Which {
    /// The one with the least loss on the valid split
    Best,
    /// The one that the run ended with: the loss of velocities may rise on the valid split while that of
    /// what is played still falls
    Last,
}

/// Runs the export.
///
/// # Errors
/// When the run, the cache or the disk do not allow it, or quantising costs too much.
pub fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let file = match args.checkpoint {
        Which::Best => "best.safetensors",
        Which::Last => "last.safetensors",
    };
    let checkpoint = Checkpoint::load(&args.run.join(file))?;
    let config = &checkpoint.config;
    let sampling: Sampling =
        serde_json::from_str(&args.sampling).context("--sampling is not a JSON object of its settings")?;
    let scale = Some((&checkpoint.mean[..], &checkpoint.deviation[..]));
    let train = Library::load(&args.cache, config, Split::Train, scale)?;
    let valid = Library::load(&args.cache, config, Split::Valid, scale)?;
    let network = network_of(&checkpoint)?;
    let codes: Vec<Vec<f32>> = style_codes(&network, &train.statistics, &Device::Cpu)?.to_vec2()?;
    let velocities = velocities(&args.cache, config)?;

    let mut stored = BTreeMap::new();
    for spec in config.network.tensors().into_iter().filter(|s| !s.training_only) {
        let tensor = checkpoint.tensors.get(&format!("p.{}", spec.name));
        stored.insert(
            spec.name.clone(),
            tensor.with_context(|| format!("the checkpoint lacks {}", spec.name))?.clone(),
        );
    }
    let tensors = export::shaped(&stored)?;
    let kernel =
        StepNetwork::new(config.network, &tensors.iter().map(|(k, t)| (k.clone(), t.1.clone())).collect())
            .map_err(anyhow::Error::msg)?;
    let styles = styles::choose(&train, &codes, &Audition::new(&train, kernel, sampling));
    ensure!(
        !styles.is_empty(),
        "no song of the run is clean enough to lend its style: 4/4, 32 bars or more, on the grid, in tune with its bass"
    );
    let parameters = tensors.values().map(|t| t.1.len()).sum();

    let before = score(&network, &valid, config, &Device::Cpu)?;
    let mut all = checkpoint.under("p.");
    all.extend(export::rounded(&tensors)?);
    let quantised = Network::new(config.network, all, &Device::Cpu)?;
    let after = score(&quantised, &valid, config, &Device::Cpu)?;
    let cost = export::cost(before.total, after.total, MOST_QUANTISATION_LOSS, "16th")?;

    let mut scores = vec![format!(
        "valid split, {} songs: {:.4} nats a 16th for all parts together, {:.4} quantised",
        valid.songs.len(),
        before.total,
        after.total
    )];
    scores.extend(args.scores.iter().cloned());
    let card = Card {
        description: "Drums, bass, guitar and strings to a piano, decided every 16th".into(),
        parameters,
        licence: licence(config).into(),
        data: data_lines(&train, config),
        seed: config.seed,
        training: format!(
            "{} updates, {:.1} million 16ths, {:.0} minutes on two CPU cores that other work shared",
            checkpoint.updates,
            checkpoint.seen as f64 / 1e6,
            checkpoint.seconds / 60.0
        ),
        scores,
        ..args.origin.card(&args.out)
    };
    let bytes = weights::write(&config.network, &tensors, &styles, &velocities, &sampling, &card)?;
    weights::load(&bytes).context("the file just made cannot be loaded")?;
    let note = format!("{} styles; quantising cost {cost:+.4} nats a 16th", styles.len());
    export::save(&args.out, &bytes, card, &note)
}

fn licence(config: &TrainConfig) -> &'static str {
    if config.mix.iter().any(|m| m.tier == Tier::Research) {
        export::RESEARCH_LICENCE
    } else {
        "MIT OR Apache-2.0; trained on openly licensed music alone, credits in the data list"
    }
}

fn data_lines(train: &Library, config: &TrainConfig) -> Vec<String> {
    let mut sets: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
    for song in &train.origins {
        let entry = sets.entry((song.tier.name().to_owned(), song.set.clone())).or_default();
        *entry = (entry.0 + 1, entry.1 + song.bars());
    }
    let mut lines: Vec<String> = config
        .mix
        .iter()
        .map(|m| {
            let sets = if m.sets.is_empty() { "all sets".to_owned() } else { m.sets.join(", ") };
            format!("tier {}, {sets}: drawn with weight {}", m.tier.name(), m.weight)
        })
        .collect();
    lines.extend(sets.into_iter().map(|((tier, set), (songs, bars))| {
        format!("tier {tier}, set {set}: {songs} songs of the train split, {bars} bars{}", credit(&set))
    }));
    lines
}

/// Whom the licence of a set asks to name.
fn credit(set: &str) -> &'static str {
    match set {
        "groove" => "; Groove MIDI Dataset, Google Magenta, CC BY 4.0, set over other songs",
        "clean_multitrack" => "; in part by Tanner Helland and of the EasyRPG RTP, CC BY 4.0",
        "pairs_mma_pop909" => "; pianos of POP909, Music X Lab, MIT; bands made with MMA",
        "pairs_mma_openewld" => "; songs of OpenEWLD, MIT; bands made with MMA",
        "mma_synth" => "; made with MMA",
        _ => "",
    }
}

/// The most common velocity of each bin in the training music, by part: people's music where there is any.
fn velocities(cache: &Path, config: &TrainConfig) -> anyhow::Result<VelocityTable> {
    let mut songs = vec![];
    for mix in &config.mix {
        songs.extend(data::load(cache, mix.tier, Split::Train)?);
    }
    let people = |s: &&data::Song| config.mix.len() == 1 || !s.set.starts_with("pairs_mma");
    Ok(common_velocities(songs.iter().filter(people).map(|s| &s.band.parts)))
}
