//! The whole of P2: trains everything, measures it, and fills the report.

use std::collections::BTreeMap;

use sideman_music::encoding::piano_roll::RollTrack;
use sideman_nets::nn::Parameters;
use sideman_inference::papers::p2::{Cell, VaeRnn};

use super::band::{Chosen, Make, assemble, choose, with_thresholds};
use super::measure::{band_study, gru_study, rnn_table, told_table, vae_table};
use super::music::{Keys, Music};
use super::rnn::{self, Latents};
use super::{Sizes, figures, gru, vae};
use crate::corpus::Split;
use crate::papers::{PaperRun, Report};

/// Tracks that are trained in their own keys, too, and with the other memory, for comparison: each more is a
/// quarter of an hour on a busy core.
pub(super) const COMPARED: [RollTrack; 1] = [RollTrack::Piano];

/// Everything that was trained.
pub(super) struct Trained {
    /// Empty where only the played networks were asked for.
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

/// Trains all networks but the genre CNNs, or finds them trained; or, unless they are to be compared, those that are
/// played alone.
///
/// # Errors
/// When there is no music, or a training fails.
pub(super) fn train(job: &PaperRun, music: &Music, sizes: &Sizes, compared: bool) -> anyhow::Result<Trained> {
    let mut vaes = BTreeMap::new();
    let mut rnns = BTreeMap::new();
    let mut add = |track, keys| -> anyhow::Result<()> {
        vaes.insert(vae::name(track, keys), vae::train(job, music, sizes, track, keys)?);
        Ok(())
    };
    for track in [RollTrack::Piano, RollTrack::Bass, RollTrack::Drums, RollTrack::Guitar, RollTrack::Strings]
    {
        add(track, Keys::One)?;
    }
    let networks: Vec<(RollTrack, Keys, Cell)> =
        RollTrack::ALL.into_iter().map(|t| (t, Keys::One, Cell::Gru)).collect();
    train_rnns(job, music, sizes, &vaes, &networks, &mut rnns)?;
    if !compared {
        return Ok(Trained { gru: Parameters::default(), vaes, rnns });
    }
    let gru = gru::train(job, music, sizes)?;
    let others = COMPARED.map(|t| (t, Keys::One, Cell::Lstm));
    train_rnns(job, music, sizes, &vaes, &others, &mut rnns)?;
    Ok(Trained { gru, vaes, rnns })
}

/// Trains the networks of pieces in their own keys, or finds them trained.
fn train_own(job: &PaperRun, music: &Music, sizes: &Sizes, trained: &mut Trained) -> anyhow::Result<()> {
    for track in COMPARED {
        trained.vaes.insert(vae::name(track, Keys::Own), vae::train(job, music, sizes, track, Keys::Own)?);
    }
    let networks = COMPARED.map(|t| (t, Keys::Own, Cell::Gru));
    train_rnns(job, music, sizes, &trained.vaes, &networks, &mut trained.rnns)
}

fn train_rnns(
    job: &PaperRun,
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

/// Bands of what was trained, those that are compared, with the thresholds that the valid split gives them.
pub(super) struct Bands {
    pub(super) all: Vec<(Make, VaeRnn)>,
    pub(super) chosen: Vec<Vec<Chosen>>,
}

impl Bands {
    /// Of some networks.
    pub(super) fn of(
        job: &PaperRun,
        music: &Music,
        sizes: &Sizes,
        trained: &Trained,
        makes: &[Make],
    ) -> anyhow::Result<Self> {
        let (mut all, mut chosen) = (vec![], vec![]);
        for &make in makes {
            job.say(&format!("Choosing thresholds: {}, {}", make.keys.text(), make.cell.name()));
            let band = assemble(music, sizes, trained, make)?;
            let own = choose(&band, music, sizes, make.keys)?;
            all.push((make, with_thresholds(&band, &own, false)?));
            chosen.push(own);
        }
        Ok(Self { all, chosen })
    }
}

/// Runs the paper.
///
/// # Errors
/// When there is no music, a training fails, or the disk is full.
pub(super) fn run(job: &PaperRun, report: &mut Report) -> anyhow::Result<()> {
    let sizes = Sizes::of(job);
    let music = Music::load(job)?;
    let counts = [Split::Train, Split::Valid, Split::Test].map(|s| music.numbers(s).len());
    job.say(&format!("{} pieces to train on, {} valid, {} test", counts[0], counts[1], counts[2]));
    report.section(
        "Music",
        &format!(
            "Five tracks (drums, piano, guitar, bass, strings) at 24 steps a beat and 128 pitches, velocities normalised by \
             track, of bands with a piano: {} pieces to train on, {} to choose by, {} to test on. The paper has 21,425 \
             rolls of the Lakh collection and no word of a test split.",
            counts[0], counts[1], counts[2]
        ),
    );
    let mut trained = train(job, &music, &sizes, true)?;

    let study = gru_study(job, &music, &sizes, &trained)?;
    report.section(
        "GRU on rolls (section 4.2, Figures 7 and 8)",
        "Reads 640 pitches step by step, windows of 48 in order, the state carried over. Its loss stands beside that of \
         predictors that know nothing of music: if \"as the step before\" comes near, a low loss says little. What it goes on \
         with is measured beside what people go on with.",
    );
    for (i, table) in study.tables.iter().enumerate() {
        report.table(&format!("gru-{}", ["loss", "stillness"][i.min(1)]), table)?;
    }
    report.curves("p2-gru", "GRU, nats a step of 640 cells (Figure 7)", &job.run(gru::NAME))?;
    if let Some([own, people]) = &study.example {
        report.figure(
            "gru-roll",
            "Four bars of people's music, then the GRU's (Figure 8)",
            &figures::joined("GRU", own)?,
        )?;
        report.figure("gru-people", "The same piece as people go on", &figures::joined("people", people)?)?;
    }

    let lstm = Make { cell: Cell::Lstm, ..Make::PLAYED };
    let bands = Bands::of(job, &music, &sizes, &trained, &[Make::PLAYED, lstm])?;
    report.section(
        "VAE-RNN (section 4.3, Figures 9 to 11) and its future work (section 6.3)",
        "One autoencoder a track on windows of 128 steps, 512 latent values; one network tells the piano's next window, one for \
         each other track its window from the piano's. All music is in one key (C major or A minor); the piano's network is \
         also trained with LSTM in place of GRU. Thresholds are those of the valid split.",
    );
    report.table("vae", &vae_table(&music, &sizes, &trained, &bands.all)?)?;
    report.curves(
        "p2-vae-piano",
        "The piano's autoencoder, nats a window (Figure 10, left)",
        &job.run(&vae::name(RollTrack::Piano, Keys::One)),
    )?;
    report.table("rnn", &rnn_table(&music, &sizes, &trained, &networks())?)?;
    let name = rnn::name(RollTrack::Piano, Keys::One, Cell::Gru);
    report.curves(
        "p2-rnn-piano",
        "The piano's RNN, mean squared error (Figure 10, right)",
        &job.run(&name),
    )?;
    report.table("told", &told_table(&music, &sizes, &bands.all, &bands.chosen)?)?;

    let (_, band) = &bands.all[0];
    let by_f1 = with_thresholds(band, &bands.chosen[0], true)?;
    let found = band_study(job, &music, band, &by_f1)?;
    report.section("Accompaniment beside the band that ships", &found.headline);
    for (i, table) in found.tables.iter().enumerate() {
        report.table(&format!("band-{i:02}"), table)?;
    }
    for (name, picture) in figures::bands(&found)? {
        report.figure(
            &name,
            "People, the VAE-RNN and the band that ships to one piano (Figures 1 and 11)",
            &picture,
        )?;
    }
    figures::write_examples(job, &found)?;

    train_own(job, &music, &sizes, &mut trained)?;
    let own = Bands::of(job, &music, &sizes, &trained, &[Make { keys: Keys::Own, ..Make::PLAYED }])?;
    report.section(
        "One key for all, or their own (section 6.3)",
        "The piano's networks trained in the pieces' own keys, as the paper did: beside those in one key above.",
    );
    report.table("vae-own", &vae_table(&music, &sizes, &trained, &own.all)?)?;
    let networks = COMPARED.map(|t| (t, Keys::Own, Cell::Gru));
    report.table("rnn-own", &rnn_table(&music, &sizes, &trained, &networks)?)?;
    report.table("told-own", &told_table(&music, &sizes, &own.all, &own.chosen)?)?;
    // The genre CNNs of section 4.1.
    crate::papers::genre::p2(job, report)
}

/// The recurrent networks in one key.
fn networks() -> Vec<(RollTrack, Keys, Cell)> {
    let played = RollTrack::ALL.into_iter().map(|t| (t, Keys::One, Cell::Gru));
    played.chain(COMPARED.map(|t| (t, Keys::One, Cell::Lstm))).collect()
}
