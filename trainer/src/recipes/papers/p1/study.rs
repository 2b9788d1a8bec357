//! The trainings of P1, and their losses on the test split.

use anyhow::{Context, ensure};
use sha2::Digest;
use sideman_music::encoding::note_cells::FAMILY_NAMES;
use sideman_nets::papers::P1Lstm;

use super::baseline::{Baseline, Baselines};
use super::loss::{WindowLoss, losses};
use super::objective::NextSequence;
use super::songs::{GENRES, Origin, Song, Window, drawn_windows, windows};
use crate::data::Split;
use crate::recipes::papers::PaperRun;
use crate::train::{Choice, FitCheckpoint, FitConfig, Outcome, learn};

/// Sizes of the trainings.
pub(super) struct Plan {
    pub(super) network: P1Lstm,
    /// Most windows of a genre to train on.
    pub(super) train: usize,
    /// Most windows of a genre to validate on, and to test on.
    pub(super) held: [usize; 2],
    pub(super) fit: FitConfig,
    /// Families that the experiments beyond the paper's twelve networks are made with.
    pub(super) beyond: &'static [usize],
}

impl Plan {
    /// That of a job.
    pub(super) fn of(run: &PaperRun) -> Self {
        let fit = FitConfig {
            seed: run.seed,
            epochs: 4,
            batch: 8,
            learning_rate: 0.005,
            clip: 1.0,
            choice: Choice::Last,
            ..FitConfig::default()
        };
        if run.is_quick() {
            let network = P1Lstm { embedding: 8, hidden: 8, narrow: None };
            let fit = FitConfig { epochs: 1, batch: 2, ..fit };
            return Self { network, train: 4, held: [2, 2], fit, beyond: &[3] };
        }
        let beyond = &[0, 1, 2, 3];
        if run.paper_size {
            return Self { network: P1Lstm::paper(), train: usize::MAX, held: [64, 400], fit, beyond };
        }
        Self { network: P1Lstm::small(), train: 1200, held: [64, 320], fit, beyond }
    }
}

/// What a network is trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Music {
    /// A genre: one of the paper's networks.
    Genre(usize),
    /// All genres at once, with as many windows an epoch as one genre has.
    All,
}

impl Music {
    /// A name for files and tables.
    pub(super) fn name(self) -> String {
        match self {
            Self::Genre(g) => GENRES[g].name.to_owned(),
            Self::All => "all genres".to_owned(),
        }
    }
}

/// Windows of a genre.
pub(super) struct Material {
    /// Index in [`GENRES`].
    pub(super) genre: usize,
    pub(super) train: Vec<Window>,
    valid: Vec<Window>,
    pub(super) test: Vec<Window>,
}

/// The windows of each genre that has some in every split.
pub(super) fn material(songs: &[Song], plan: &Plan, seed: u64) -> anyhow::Result<Vec<Material>> {
    let of = |genre| Material {
        genre,
        train: drawn_windows(songs, genre, Split::Train, plan.train, seed),
        valid: drawn_windows(songs, genre, Split::Valid, plan.held[0], seed),
        test: drawn_windows(songs, genre, Split::Test, plan.held[1], seed),
    };
    let all: Vec<Material> = (0..GENRES.len()).map(of).collect();
    let found: Vec<Material> =
        all.into_iter().filter(|m| m.train.len() > 1 && !m.valid.is_empty() && !m.test.is_empty()).collect();
    ensure!(
        !found.is_empty(),
        "no genre has songs of 30 s with piano, guitar, bass and drums in each split: P1 needs labelled bands"
    );
    Ok(found)
}

/// A network that was trained, and what it does on test windows of a genre.
pub(super) struct Scored {
    pub(super) music: Music,
    /// Whether it was trained on cells of notes alone.
    pub(super) onsets: bool,
    /// Index in [`sideman_music::encoding::note_cells::FAMILIES`].
    pub(super) family: usize,
    /// The genre that is tested.
    pub(super) genre: usize,
    pub(super) found: Vec<WindowLoss>,
}

/// A training as the report lists it.
pub(super) struct Trained {
    pub(super) name: String,
    pub(super) windows: usize,
    pub(super) outcome: Outcome,
}

/// All trainings and what came of them.
pub(super) struct Study<'a> {
    pub(super) songs: &'a [Song],
    pub(super) scored: Vec<Scored>,
    pub(super) trained: Vec<Trained>,
}

impl Study<'_> {
    /// What a network does on a genre's test windows.
    pub(super) fn found(
        &self,
        music: Music,
        onsets: bool,
        family: usize,
        genre: usize,
    ) -> Option<&[WindowLoss]> {
        let same = |s: &&Scored| (s.music, s.onsets, s.family, s.genre) == (music, onsets, family, genre);
        self.scored.iter().find(same).map(|s| &s.found[..])
    }

    /// Those of windows that are of an origin; all with none.
    pub(super) fn of_origin<'a>(
        &'a self,
        found: &'a [WindowLoss],
        origin: Option<Origin>,
    ) -> impl Iterator<Item = &'a WindowLoss> {
        found.iter().filter(move |w| origin.is_none_or(|o| self.songs[w.song].origin == o))
    }
}

/// Folder of a training.
pub(super) fn run_name(music: Music, onsets: bool, family: usize) -> String {
    let music = music.name().replace(' ', "-");
    format!("{music}-{}{}", FAMILY_NAMES[family], if onsets { "-onsets" } else { "" })
}

/// Trains everything, or resumes it, and scores it.
///
/// # Errors
/// When a training fails or its folder holds another.
pub(super) fn study<'a>(
    run: &PaperRun,
    plan: &Plan,
    songs: &'a [Song],
    material: &[Material],
) -> anyhow::Result<Study<'a>> {
    let mut wanted: Vec<(Music, bool, usize)> = vec![];
    for m in material {
        wanted.extend((0..4).map(|family| (Music::Genre(m.genre), false, family)));
    }
    wanted.extend(plan.beyond.iter().map(|&f| (Music::Genre(material[0].genre), true, f)));
    wanted.extend(plan.beyond.iter().map(|&f| (Music::All, false, f)));
    let mut study = Study { songs, scored: vec![], trained: vec![] };
    let count = wanted.len();
    for (number, (music, onsets, family)) in wanted.into_iter().enumerate() {
        let used: Vec<&Material> = material.iter().filter(|m| fits(music, m.genre)).collect();
        let gather = |of: fn(&Material) -> &Vec<Window>| -> Vec<Window> {
            used.iter().flat_map(|m| of(m)).copied().collect()
        };
        let (train, valid) = (gather(|m| &m.train), gather(|m| &m.valid));
        let name = run_name(music, onsets, family);
        if run.progress {
            let plain =
                Baselines::count(songs, &train, family).losses(Baseline::Column, songs, &valid, family);
            let plain =
                if onsets { WindowLoss::of_onsets(&plain, None) } else { WindowLoss::mean(&plain, None) };
            let plain = plain.unwrap_or(f64::NAN);
            let (number, windows) = (number + 1, train.len());
            run.log(&format!(
                "{name} ({number} of {count}): {windows} windows; shares by column: valid {plain:.4}"
            ));
        }
        let recipe = serde_json::json!({
            "paper": "p1", "network": plan.network, "music": music.name(), "onsets": onsets,
            "family": FAMILY_NAMES[family], "windows": digest(songs, &train),
        });
        let windows = train.len();
        let objective = NextSequence { network: &plan.network, songs, train, valid, family, onsets };
        let fit = match music {
            Music::Genre(_) => plan.fit.clone(),
            Music::All => FitConfig { examples: Some(plan.train), ..plan.fit.clone() },
        };
        let outcome = learn(&objective, &fit, &recipe, &run.options(&name))
            .with_context(|| format!("the training {name} failed"))?;
        let parameters = FitCheckpoint::best_of(&run.training_dir(&name))?.parameters;
        for m in used {
            let found = losses(&plan.network, &parameters, songs, &m.test, family, plan.fit.batch)?;
            study.scored.push(Scored { music, onsets, family, genre: m.genre, found });
        }
        study.trained.push(Trained { name, windows, outcome });
    }
    Ok(study)
}

/// Whether a genre's windows belong to what a network is trained on.
fn fits(music: Music, genre: usize) -> bool {
    match music {
        Music::Genre(g) => g == genre,
        Music::All => true,
    }
}

/// The losses of a finished training on other songs, over all their windows.
///
/// # Errors
/// When there is no such training.
pub(super) fn losses_on(
    run: &PaperRun,
    plan: &Plan,
    (music, family): (Music, usize),
    songs: &[Song],
) -> anyhow::Result<Vec<WindowLoss>> {
    let parameters = FitCheckpoint::best_of(&run.training_dir(&run_name(music, false, family)))?.parameters;
    losses(&plan.network, &parameters, songs, &windows(songs, |_| true), family, plan.fit.batch)
}

/// The same for the same windows of the same songs.
fn digest(songs: &[Song], windows: &[Window]) -> String {
    let mut digest = sha2::Sha256::new();
    for w in windows {
        digest.update(songs[w.song].id.as_bytes());
        digest.update((w.start as u64).to_le_bytes());
    }
    digest.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect()
}
