//! P1: one LSTM for each genre and instrument, and what their losses say ("Comparing RNN performance across musical
//! genres and instrument clusters").
//!
//! Genres: pop rock is people's files that are labelled Rock or Pop, ballad those labelled Ballad, house those labelled
//! Electronic; beside them rule-made bands in styles of Rock and Pop, Ballad, and House-Techno. Of a
//! genre at most [`study::Plan::train`] windows are used, people's first. Both are reported apart, as rules are easier
//! to predict than people.

mod analyse;
mod band;
mod baseline;
mod collection;
mod dendrogram;
mod loss;
mod objective;
mod programs;
mod songs;
mod study;
mod tables;
mod tags;

pub use analyse::{AnalyseArgs, analyse};

use anyhow::Result;
use sideman_music::encoding::note_cells::FAMILY_NAMES;
use sideman_nets::nn::Network;

use self::band::{Player, played};
use self::collection::{PieceFacts, View, show_genres, show_incidence, show_overlap, show_programs, united};
use self::loss::WindowLoss;
use self::songs::{GENRES, Origin, Song, genre_of};
use self::study::{Music, Plan, losses_on, material, run_name, study};
use self::tags::{ABOVE, Tags};
use super::{Paper, PaperInfo, PaperRun, Report};
use crate::data::Split;
use crate::data::source::Meta;
use crate::report::table::{Table, number};

/// Most genres of a matrix of similarities.
const MOST: usize = 12;
/// Sets of files that people made and nobody labelled: they count where genres do not.
const UNLABELLED: &str = "web_multitrack";

/// P1.
pub(super) struct P1;

impl Paper for P1 {
    fn info(&self) -> PaperInfo {
        PaperInfo {
            id: "p1",
            title: "LSTMs by genre and instrument",
            what: "genre sets and their overlap, programs clustered by pitch, twelve LSTMs (piano, guitar, bass and \
                   drums of pop rock, ballad and house), their losses by instrument and feature, and the paper's \
                   future work",
            data: "a data folder with labelled bands",
            quick: "seconds",
            full: "40 minutes with networks of 0.25 M weights; --paper-size has the paper's 21.6 M, which takes days",
        }
    }

    fn run(&self, run: &PaperRun, report: &mut Report) -> Result<()> {
        run.log("Reading");
        let wanted = |m: &Meta| genre_of(m).is_some() || of_people(m);
        let read = run.each(&wanted, &|piece| {
            let seen =
                (of_people(&piece.meta) || genre_of(&piece.meta).is_some()).then(|| PieceFacts::of(&piece));
            (seen, of_people(&piece.meta), Song::of(piece))
        })?;
        let (mut people, mut rules, mut songs) = (vec![], vec![], vec![]);
        for (seen, human, song) in read {
            if human {
                people.extend(seen)
            } else {
                rules.extend(seen)
            }
            songs.extend(song);
        }
        collection(run, report, &people, &rules)?;
        let plan = Plan::of(run);
        let material = material(&songs, &plan, run.seed)?;
        let count = |genre, origin| {
            songs.iter().filter(|s| s.genre == genre && s.origin == origin && s.split != Split::Test).count()
        };
        let mut text = String::from("Songs to learn from, with all four families:");
        for (g, genre) in GENRES.iter().enumerate() {
            let (human, made) = (count(g, Origin::People), count(g, Origin::Rules));
            text += &format!(" {}: {human} of people, {made} of rule-made bands;", genre.name);
        }
        let sizes: Vec<String> =
            material.iter().map(|m| format!("{} {}", GENRES[m.genre].name, m.train.len())).collect();
        report.section(
            "Trainings",
            &format!(
                "{} Windows to train on: {}.\n\nNetworks of {} weights (embedding {}, LSTM {}; the paper has 512 and 2048), \
                 Adam {}, {} epochs, the last weights, as in the paper; batches of {} windows, gradients cut at {}. Seed {}.",
                text.trim_end_matches(';').to_owned() + ".",
                sizes.join(", "),
                plan.network.parameters(),
                plan.network.embedding,
                plan.network.hidden,
                plan.fit.learning_rate,
                plan.fit.epochs,
                plan.fit.batch,
                plan.fit.clip,
                run.seed
            ),
        );
        let study = study(run, &plan, &songs, &material)?;
        let first = Music::Genre(material[0].genre);
        for (family, family_name) in FAMILY_NAMES.iter().enumerate() {
            let name = run_name(first, false, family);
            report.curves(
                &name,
                &format!("Loss of {}, {family_name}", first.name()),
                &run.training_dir(&name),
            )?;
        }
        tables::trainings(report, &study)?;
        tables::losses(report, &study, &material)?;
        tables::people(report, &study, &material)?;
        tables::features(report, &study, &material)?;
        tables::beyond(report, &study, &material)?;
        bands(run, report, &plan, &songs)
    }
}

/// Whether people made a file, with a label or without.
fn of_people(m: &Meta) -> bool {
    m.set.starts_with(UNLABELLED) || m.set == "genre_labelled"
}

/// Everything that needs no network.
fn collection(
    run: &PaperRun,
    report: &mut Report,
    people: &[PieceFacts],
    rules: &[PieceFacts],
) -> Result<()> {
    let mut tags = match &run.data {
        Some(data) => Tags::votes(data)?,
        None => Tags::default(),
    };
    if tags.0.is_empty() {
        people.iter().for_each(|s| tags.add(&s.id, s.genre.as_deref().unwrap_or_default(), 1.0));
    }
    let tags = united(people, &tags);
    show_genres(report, &tags, &View { above: ABOVE, merged: &[], most: MOST })?;
    let merged: Vec<(String, Vec<String>)> = GENRES
        .iter()
        .map(|g| (g.name.to_owned(), g.labels.iter().map(|l| (*l).to_owned()).collect()))
        .collect();
    let names: Vec<String> = merged.iter().map(|m| m.0.clone()).collect();
    let title = "Jaccard index of the genres that are trained (Table 1: 0.29, 0.05, 0.06)";
    show_overlap(report, "table-1", title, &tags.above(ABOVE).sets(&merged), &names)?;
    let mut groups: Vec<(String, Vec<&PieceFacts>)> =
        vec![("people's files".to_owned(), people.iter().collect())];
    for genre in &GENRES {
        let of =
            |seen: &'_ &PieceFacts, names: &[&str]| seen.genre.as_deref().is_some_and(|g| names.contains(&g));
        let labelled: Vec<&PieceFacts> = people.iter().filter(|s| of(s, genre.labels)).collect();
        groups.push((format!("people's {}", genre.name), labelled));
        let made: Vec<&PieceFacts> = rules.iter().filter(|s| of(s, genre.styles)).collect();
        groups.push((format!("rule-made {}", genre.name), made));
    }
    groups.retain(|g| !g.1.is_empty());
    show_incidence(report, &groups)?;
    show_programs(report, people)
}

/// Bands to people's test pianos, as networks of people's songs see them.
fn bands(run: &PaperRun, report: &mut Report, plan: &Plan, songs: &[Song]) -> Result<()> {
    let chosen: Vec<&Song> = songs.iter().filter(|s| s.genre == 0 && s.score.is_some()).collect();
    let families = 1..FAMILY_NAMES.len();
    let ready = |f: usize| run.training_dir(&run_name(Music::Genre(0), false, f)).exists();
    if chosen.is_empty() || !families.clone().all(ready) {
        return Ok(());
    }
    run.log("Playing to people's pianos");
    report.section(
        "The band that ships, seen by P1's networks",
        "The band has no distribution over P1's cells, so it has no loss in P1's sense. Here P1's networks of pop \
         rock read people's songs of the test split, once as people made them, once with another band to the same piano, and say \
         how unlikely they find what that band plays: low is typical, not good; a band that plays less is easier to \
         guess, so the notes stand beside it.",
    );
    let mut table = Table::new(
        format!("Loss of what is played to {} pianos of people's pop rock, nats a cell", chosen.len()),
        ["instrument", "who plays", "all cells", "cells with a note", "notes in 15 s"],
    )
    .names(2);
    let people = chosen.iter().map(|s| s.with_cells(s.origin, s.cells.clone())).collect::<Vec<Song>>();
    let mut takes = vec![("people", people)];
    for player in Player::ALL {
        takes.push((player.name(), played(&chosen, player, run.seed)?));
    }
    for family in families {
        for (who, songs) in &takes {
            let found = losses_on(run, plan, (Music::Genre(0), family), songs)?;
            let notes = found.iter().map(|w| w.notes).sum::<usize>() as f64 / found.len().max(1) as f64;
            let shown = |v: Option<f64>| v.map_or("-".to_owned(), number);
            table.push([
                FAMILY_NAMES[family].to_owned(),
                (*who).to_owned(),
                shown(WindowLoss::mean(&found, None)),
                shown(WindowLoss::of_onsets(&found, None)),
                number(notes),
            ]);
        }
    }
    report.table("bands", &table)
}
