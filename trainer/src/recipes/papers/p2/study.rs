//! The whole of P2: trains everything, measures it, and fills the report.

use sideman_inference::papers::p2::Cell;
use sideman_music::encoding::piano_roll::RollTrack;

use super::bands::{Bands, Variant, with_thresholds};
use super::comparison::{self, compare_bands};
use super::data::{Keys, Music};
use super::gru_study::gru_study;
use super::tables::{prediction_table, rnn_table, vae_table};
use super::training::{COMPARED, Trained};
use super::{Setup, Sizes, gru, rnn, vae};
use crate::data::Split;
use crate::recipes::papers::{PaperRun, Report};

/// Runs the paper.
///
/// # Errors
/// When there is no music, a training fails, or the disk is full.
pub(super) fn run(run: &PaperRun, report: &mut Report) -> anyhow::Result<()> {
    let sizes = Sizes::of(run);
    let music = Music::load(run)?;
    let counts = [Split::Train, Split::Valid, Split::Test].map(|s| music.numbers(s).len());
    run.log(&format!("{} pieces to train on, {} valid, {} test", counts[0], counts[1], counts[2]));
    report.section(
        "Music",
        &format!(
            "Five tracks (drums, piano, guitar, bass, strings) at 24 steps a beat and 128 pitches, velocities normalised by \
             track, of bands with a piano: {} pieces to train on, {} to choose by, {} to test on. The paper has 21,425 \
             rolls of the Lakh collection and no word of a test split.",
            counts[0], counts[1], counts[2]
        ),
    );
    let setup = Setup { run, music: &music, sizes: &sizes };
    let mut trained = Trained::played(setup)?;
    trained.add_compared(setup)?;

    let study = gru_study(setup, &trained)?;
    report.section(
        "GRU on rolls (section 4.2, Figures 7 and 8)",
        "Reads 640 pitches step by step, windows of 48 in order, the state carried over. Its loss stands beside that of \
         predictors that know nothing of music: if \"as the step before\" comes near, a low loss says little. What it goes on \
         with is measured beside what people go on with.",
    );
    for (i, table) in study.tables.iter().enumerate() {
        report.table(&format!("gru-{}", ["loss", "stillness"][i.min(1)]), table)?;
    }
    report.curves("p2-gru", "GRU, nats a step of 640 cells (Figure 7)", &run.training_dir(gru::NAME))?;
    if let Some([own, people]) = &study.example {
        report.figure(
            "gru-roll",
            "Four bars of people's music, then the GRU's (Figure 8)",
            &comparison::joined("GRU", own)?,
        )?;
        report.figure(
            "gru-people",
            "The same piece as people go on",
            &comparison::joined("people", people)?,
        )?;
    }

    let lstm = Variant { cell: Cell::Lstm, ..Variant::PLAYED };
    let bands = Bands::of(setup, &trained, &[Variant::PLAYED, lstm])?;
    report.section(
        "VAE-RNN (section 4.3, Figures 9 to 11) and its future work (section 6.3)",
        "One autoencoder a track on windows of 128 steps, 512 latent values; one network tells the piano's next window, one for \
         each other track its window from the piano's. All music is in one key (C major or A minor); the piano's network is \
         also trained with LSTM in place of GRU. Thresholds are those of the valid split.",
    );
    report.table("vae", &vae_table(setup, &trained, &bands.all)?)?;
    report.curves(
        "p2-vae-piano",
        "The piano's autoencoder, nats a window (Figure 10, left)",
        &run.training_dir(&vae::name(RollTrack::Piano, Keys::One)),
    )?;
    report.table("rnn", &rnn_table(setup, &trained, &networks())?)?;
    let name = rnn::name(RollTrack::Piano, Keys::One, Cell::Gru);
    report.curves(
        "p2-rnn-piano",
        "The piano's RNN, mean squared error (Figure 10, right)",
        &run.training_dir(&name),
    )?;
    report.table("told", &prediction_table(setup, &bands.all, &bands.thresholds)?)?;

    let (_, band) = &bands.all[0];
    let by_f1 = with_thresholds(band, &bands.thresholds[0], true)?;
    let found = compare_bands(run, &music, band, &by_f1)?;
    report.section("Accompaniment beside the band that ships", &found.headline);
    for (i, table) in found.tables.iter().enumerate() {
        report.table(&format!("band-{i:02}"), table)?;
    }
    for (name, picture) in comparison::pictures(&found)? {
        report.figure(
            &name,
            "People, the VAE-RNN and the band that ships to one piano (Figures 1 and 11)",
            &picture,
        )?;
    }
    comparison::write_examples(run, &found)?;

    trained.add_original_keys(setup)?;
    let own = Bands::of(setup, &trained, &[Variant { keys: Keys::Own, ..Variant::PLAYED }])?;
    report.section(
        "One key for all, or their own (section 6.3)",
        "The piano's networks trained in the pieces' own keys, as the paper did: beside those in one key above.",
    );
    report.table("vae-own", &vae_table(setup, &trained, &own.all)?)?;
    let networks = COMPARED.map(|t| (t, Keys::Own, Cell::Gru));
    report.table("rnn-own", &rnn_table(setup, &trained, &networks)?)?;
    report.table("told-own", &prediction_table(setup, &own.all, &own.thresholds)?)?;
    // The genre CNNs of section 4.1.
    crate::recipes::papers::genre::p2(run, report)
}

/// The recurrent networks in one key.
fn networks() -> Vec<(RollTrack, Keys, Cell)> {
    let played = RollTrack::ALL.into_iter().map(|t| (t, Keys::One, Cell::Gru));
    played.chain(COMPARED.map(|t| (t, Keys::One, Cell::Lstm))).collect()
}
