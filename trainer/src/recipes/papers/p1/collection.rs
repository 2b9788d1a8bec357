//! P1's description of a collection: the sets of its genres and their overlap, how much each family plays, and what the
//! 128 programs have in common. The paper's run and `analyse` both show it.

use std::collections::BTreeMap;

use anyhow::Result;
use plotters::style::RGBColor;
use rayon::prelude::*;
use sha2::Digest;
use sideman_music::Family;
use sideman_music::encoding::note_cells::{Cells, FAMILIES, FAMILY_NAMES, FEATURES, SEQUENCE, family_of};
use sideman_music::smf::program_name;

use super::dendrogram;
use super::programs::{Programs, Sounding, nearest_within, smallest_with, soundings, ward};
use super::tags::{Sets, Tags, largest, matrix};
use crate::data::source::Meta;
use crate::recipes::papers::music::Piece;
use crate::recipes::papers::{Report, draw};
use crate::report::canvas::{COLOURS, PALE};
use crate::report::table::{Table, number, percent};

/// What the description needs of a piece.
pub(super) struct PieceFacts {
    /// Its id.
    pub(super) id: String,
    /// Its genre, where the collection names one.
    pub(super) genre: Option<String>,
    /// The same for the same notes.
    digest: [u8; 32],
    /// Notes of each family, in the order of [`FAMILIES`].
    notes: [usize; 4],
    /// Length in sequences of 15 s.
    sequences: f64,
    /// What its programs play.
    soundings: Vec<Sounding>,
}

impl PieceFacts {
    /// Measures a piece. Families are those of Figure 5.
    pub(super) fn of(piece: &Piece) -> Self {
        let Piece { meta: Meta { id, genre, .. }, score } = piece;
        let cells = Cells::of(score, family_of);
        let mut notes = cells.counts(0..cells.rows.len());
        notes.iter_mut().zip(cells.crowded).for_each(|(n, more)| *n += more);
        let mut digest = sha2::Sha256::new();
        for track in &score.tracks {
            digest.update([track.program, u8::from(track.is_drums)]);
            for n in &track.notes {
                digest.update(n.onset.to_le_bytes());
                digest.update([n.pitch, n.velocity]);
            }
        }
        Self {
            id: id.clone(),
            genre: genre.clone(),
            digest: digest.finalize().into(),
            notes,
            sequences: cells.rows.len() as f64 / SEQUENCE as f64,
            soundings: soundings(score),
        }
    }

    fn is_whole(&self) -> bool {
        self.notes.iter().all(|&n| n > 0)
    }
}

/// Makes one piece of those with the same notes: tags of any of them become tags of the first.
pub(super) fn united(seen: &[PieceFacts], tags: &Tags) -> Tags {
    let mut first: BTreeMap<[u8; 32], &str> = BTreeMap::new();
    let mut out = Tags::default();
    for piece in seen {
        let name = *first.entry(piece.digest).or_insert(&piece.id);
        for (tag, frequency) in tags.0.get(&piece.id).into_iter().flatten() {
            out.add(name, tag, *frequency);
        }
    }
    out
}

/// How tags are looked at.
pub(super) struct View<'a> {
    /// Normalised frequency that a tag has to have more than.
    pub(super) above: f64,
    /// Genres of several tags: name and tags.
    pub(super) merged: &'a [(String, Vec<String>)],
    /// Most genres of the matrix.
    pub(super) most: usize,
}

/// Shows the genre sets: their sizes (Figure 2) and how they overlap (Figure 3).
pub(super) fn show_genres(report: &mut Report, tags: &Tags, view: &View<'_>) -> Result<Sets> {
    let kept = tags.above(view.above);
    let sets = kept.sets(view.merged);
    let names = largest(&sets, view.most);
    report.section(
        "Genres",
        &format!(
            "{} pieces have {:.2} tags on average, {:.2} with a normalised frequency above {}. A piece is in the global \
             set of every tag that it keeps; the similarity of two sets is the number of pieces in both by the number \
             in any.",
            tags.0.len(),
            tags.mean(),
            kept.mean(),
            view.above
        ),
    );
    let mut table = Table::new("Pieces by genre", ["genre", "pieces"]);
    for name in largest(&sets, usize::MAX) {
        table.push([name.clone(), sets[&name].len().to_string()]);
    }
    report.table("genres", &table)?;
    let sizes: Vec<(String, f64)> = names.iter().map(|n| (n.clone(), sets[n].len() as f64)).collect();
    report.figure(
        "genres",
        "Pieces of the most frequent genres (Figure 2)",
        &draw::bars("Pieces", &sizes)?,
    )?;
    show_overlap(report, "jaccard", "Jaccard index of the most frequent genres (Figure 3)", &sets, &names)?;
    Ok(sets)
}

/// The similarity of some sets with each other.
pub(super) fn show_overlap(
    report: &mut Report,
    file: &str,
    title: &str,
    sets: &Sets,
    names: &[String],
) -> Result<()> {
    let values = matrix(sets, names);
    let mut table = Table::new(title, std::iter::once("").chain(names.iter().map(String::as_str)));
    for (name, row) in names.iter().zip(&values) {
        table.push(std::iter::once(name.clone()).chain(row.iter().map(|v| format!("{v:.2}"))));
    }
    report.table(file, &table)?;
    report.figure(file, title, &draw::heat("Jaccard index", names, &values)?)
}

/// Shows how much the families play in 15 s, in groups of pieces; only pieces with all four families count.
pub(super) fn show_incidence(report: &mut Report, groups: &[(String, Vec<&PieceFacts>)]) -> Result<()> {
    report.section(
        "Notes of each family in 15 s",
        "Of pieces that have all four families, as the paper leaves the others out. A note fills three cells. The \
         paper's \"note incidence\" (drums 369, guitar 252, piano 160, bass 98) is more than 60 rows of music hold \
         as notes and fits filled cells: 123, 84, 53 and 33 notes in 15 s.",
    );
    let mut head = vec!["pieces of".to_owned(), "all".to_owned(), "whole".to_owned()];
    head.extend(FAMILY_NAMES.iter().flat_map(|n| [format!("{n} notes"), format!("{n} cells")]));
    let mut table = Table::new("Notes and filled cells in 15 s", head);
    let mut bars = vec![];
    for (name, pieces) in groups {
        let whole: Vec<&&PieceFacts> = pieces.iter().filter(|s| s.is_whole()).collect();
        let sequences = whole.iter().map(|s| s.sequences).sum::<f64>().max(1e-9);
        let mut row = vec![name.clone(), pieces.len().to_string(), whole.len().to_string()];
        for (family, what) in FAMILY_NAMES.iter().enumerate() {
            let notes = whole.iter().map(|s| s.notes[family]).sum::<usize>() as f64 / sequences;
            row.extend([number(notes), number(notes * FEATURES as f64)]);
            bars.push((format!("{name}, {what}"), notes * FEATURES as f64));
        }
        table.push(row);
    }
    let paper = [160.16, 251.61, 97.8, 369.21];
    let mut row = vec!["the paper".to_owned(), "-".to_owned(), "-".to_owned()];
    row.extend(paper.iter().flat_map(|c| [number(c / FEATURES as f64), number(*c)]));
    table.push(row);
    report.table("incidence", &table)?;
    report.figure("incidence", "Filled cells in 15 s", &draw::bars("Filled cells in 15 s", &bars)?)
}

fn family_colour(family: Option<Family>) -> RGBColor {
    match family {
        Some(Family::Piano) => COLOURS[0],
        Some(Family::Guitar) => COLOURS[1],
        Some(Family::Bass) => COLOURS[3],
        _ => PALE,
    }
}

/// Shows what the programs play and which are alike (Figure 4).
pub(super) fn show_programs(report: &mut Report, seen: &[PieceFacts]) -> Result<()> {
    let programs = Programs::sum(seen.iter().map(|s| &s.soundings[..]));
    let used = programs.used();
    let points: Vec<Vec<f64>> = used.par_iter().map(|&p| programs.histogram(p)).collect();
    let merges = ward(&points);
    report.section(
        "Instruments by the pitches that they play",
        "A histogram of pitch for each program, weighted by duration in seconds and divided by its sum; Euclidean \
         distance; clusters by Ward's criterion. Programs that never play are left out, drums as well.",
    );
    let mut table = Table::new(
        "Programs: seconds of sound, mean pitch",
        ["program", "name", "family", "seconds", "mean pitch"],
    )
    .names(3);
    for &p in &used {
        let family = Family::of_program(p).filter(|f| FAMILIES.contains(f));
        let mean: f64 = programs.histogram(p).iter().enumerate().map(|(i, share)| i as f64 * share).sum();
        let family = family.map_or("-".to_owned(), |f| format!("{f:?}").to_lowercase());
        let row = [(p + 1).to_string(), program_name(p).to_owned(), family];
        table.push(row.into_iter().chain([format!("{:.0}", programs.seconds(p)), format!("{mean:.1}")]));
    }
    report.table("programs", &table)?;
    let head = std::iter::once("program".to_owned()).chain((0..128).map(|p| p.to_string()));
    let mut histograms = Table::new("Share of time by pitch", head);
    for (&p, point) in used.iter().zip(&points) {
        histograms
            .push(std::iter::once(program_name(p).to_owned()).chain(point.iter().map(|v| format!("{v:.5}"))));
    }
    report.attach("histograms", &histograms)?;
    let all = merges.last().map_or(0.0, |m| m.height).max(1e-12);
    let mut table = Table::new(
        "How far the families of Figure 5 are clusters (heights by that of the whole tree)",
        [
            "family",
            "programs in use",
            "smallest cluster with all",
            "its height",
            "becomes part of a larger at",
            "nearest program of the family",
        ],
    );
    for family in [Family::Piano, Family::Guitar, Family::Bass] {
        let members: Vec<usize> =
            (0..used.len()).filter(|&i| Family::of_program(used[i]) == Some(family)).collect();
        let (size, heights) = smallest_with(&merges, used.len(), &members);
        table.push([
            format!("{family:?}").to_lowercase(),
            members.len().to_string(),
            size.to_string(),
            format!("{:.2}", heights[0] / all),
            format!("{:.2}", heights[1] / all),
            percent(nearest_within(&points, &members)),
        ]);
    }
    report.table("clusters", &table)?;
    let legend = [
        ("piano family", Some(Family::Piano)),
        ("guitar family", Some(Family::Guitar)),
        ("bass family", Some(Family::Bass)),
        ("others", None),
    ];
    let legend = legend.map(|(name, family)| (name.to_owned(), family_colour(family)));
    let leaves: Vec<dendrogram::Leaf> =
        used.iter().map(|&p| (program_name(p).to_owned(), family_colour(Family::of_program(p)))).collect();
    let picture = dendrogram::draw("Programs by their histograms of pitch", &legend, &leaves, &merges)?;
    report.figure("dendrogram", "Dendrogram of the programs (Figure 4)", &picture)
}
