//! `sideman-trainer analyse`: P1's view of any collection, without training anything.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::Args;

use super::collection::{PieceFacts, View, show_genres, show_incidence, show_programs, united};
use super::tags::{ABOVE, Sets, Tags};
use crate::data::files::stem;
use crate::recipes::papers::{PaperInfo, PaperRun, Size};

/// Shows what a collection is like: genre sets and their overlap, notes of each family, which programs are alike.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Genres come from --tags, or else from labels/genre_votes.csv and the genres of a data folder's \
manifest, or else from the names of the folders below MIDI_FOLDER.

Examples:
  sideman-trainer analyse music            (music/rock/a.mid, music/jazz/b.mid, ...)
  sideman-trainer analyse lmd_matched --tags tags.csv --merge 'house=deep house+hard house+trance'
tags.csv has the columns piece (path, name or MD5 of the file), tag and, if it likes, frequency."
)]
pub struct AnalyseArgs {
    /// Folder of MIDI files, or data folder with a manifest
    #[arg(value_name = "MIDI_FOLDER")]
    pub folder: PathBuf,
    /// Folder of the report
    #[arg(long, value_name = "DIR", default_value = "report/analyse")]
    pub out: PathBuf,
    /// Table of tags
    #[arg(long, value_name = "FILE.csv")]
    pub tags: Option<PathBuf>,
    /// Normalised frequency that a tag must have more than, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = ABOVE)]
    pub above: f64,
    /// One genre for several tags; may be given several times
    #[arg(long, value_name = "NAME=TAG+TAG", value_parser = merge)]
    pub merge: Vec<(String, Vec<String>)>,
    /// Most genres in the matrix of similarities
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub most: usize,
}

/// Reads NAME=TAG+TAG.
fn merge(text: &str) -> Result<(String, Vec<String>), String> {
    let parts = text.split_once('=').map(|(name, tags)| {
        let tags: Vec<String> =
            tags.split('+').map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect();
        (name.trim().to_owned(), tags)
    });
    match parts {
        Some((name, tags)) if !name.is_empty() && !tags.is_empty() => Ok((name, tags)),
        _ => Err(format!("'{text}' is not of the form NAME=TAG+TAG")),
    }
}

/// Runs `analyse`.
///
/// # Errors
/// When the folder cannot be read or holds no music, the table of tags means nothing, or the report cannot be written.
pub fn analyse(args: &AnalyseArgs) -> anyhow::Result<()> {
    ensure!(args.folder.is_dir(), "{} is no folder: name the folder of the music", args.folder.display());
    ensure!((0.0..1.0).contains(&args.above), "--above {} is not at least 0 and below 1", args.above);
    let run = PaperRun {
        data: Some(args.folder.clone()),
        out: args.out.clone(),
        size: Size::Full,
        ..PaperRun::quick(&args.out)
    };
    let table = args.tags.as_deref().map(Tags::table).transpose()?;
    let seen = run.each(&|_| true, &|piece| PieceFacts::of(&piece))?;
    let tags = match &table {
        Some(table) => by_name(&seen, table, args.tags.as_deref())?,
        None => labels(&seen, &args.folder)?,
    };
    let info = PaperInfo {
        id: "analyse",
        title: "what a collection is like, as P1 looks at it",
        what: "",
        data: "",
        quick: "",
        full: "",
    };
    let mut report = run.report(&info)?;
    let tags = united(&seen, &tags);
    let sets = if tags.0.is_empty() {
        report.section(
            "Genres",
            "No piece has a genre: sort the files into folders, or name a table with --tags.",
        );
        Sets::new()
    } else {
        show_genres(&mut report, &tags, &View { above: args.above, merged: &args.merge, most: args.most })?
    };
    let mut groups: Vec<(String, Vec<&PieceFacts>)> = vec![("all files".to_owned(), seen.iter().collect())];
    for name in super::tags::largest(&sets, args.most) {
        let tagged = seen.iter().filter(|s| sets[&name].contains(&s.id)).collect();
        groups.push((name, tagged));
    }
    show_incidence(&mut report, &groups)?;
    show_programs(&mut report, &seen)?;
    let (page, text) = report.finish()?;
    println!("{text}\n{} pieces; the report is {}", seen.len(), page.display());
    Ok(())
}

/// The tags of the pieces by their path, their file's name, or that without its ending (as Lakh's MD5 are).
fn by_name(seen: &[PieceFacts], table: &Tags, path: Option<&Path>) -> anyhow::Result<Tags> {
    let mut tags = Tags::default();
    for piece in seen {
        let file = Path::new(&piece.id);
        let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let found = [piece.id.clone(), name, stem(file)].into_iter().find_map(|n| table.0.get(&n));
        for (tag, frequency) in found.into_iter().flatten() {
            tags.add(&piece.id, tag, *frequency);
        }
    }
    let first = || table.0.keys().next().cloned().unwrap_or_default();
    ensure!(
        !tags.0.is_empty(),
        "no file is called as a piece of {}, such as {}: a piece is the path within the folder, the file's name, or \
         that without its ending",
        path.unwrap_or(Path::new("the table")).display(),
        first()
    );
    Ok(tags)
}

/// The tags of the pieces where no table is named.
fn labels(seen: &[PieceFacts], folder: &Path) -> anyhow::Result<Tags> {
    let votes = Tags::votes(folder).context("the votes of the data folder cannot be used")?;
    let known = seen.iter().any(|s| s.genre.is_some());
    let mut tags = Tags::default();
    for piece in seen {
        if let Some(voted) = votes.0.get(&piece.id) {
            voted.iter().for_each(|(tag, n)| tags.add(&piece.id, tag, *n));
        } else if let Some(genre) = &piece.genre {
            tags.add(&piece.id, genre, 1.0);
        } else if let (false, Some((genre, _))) = (known, piece.id.split_once('/')) {
            tags.add(&piece.id, genre, 1.0);
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipes::papers::music::small;

    fn args(folder: &Path) -> AnalyseArgs {
        AnalyseArgs {
            folder: folder.to_owned(),
            out: folder.join("../report"),
            tags: None,
            above: ABOVE,
            merge: vec![],
            most: 12,
        }
    }

    fn put(path: &Path, bytes: &[u8]) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// The small collection as folders of genres, with a file that cannot be read and one that is in two of them.
    fn collection(folder: &Path) {
        for (i, piece) in small().iter().enumerate().filter(|(i, _)| i % 5 < 2) {
            let genre = piece.meta.genre.clone().unwrap();
            let bytes = sideman_music::smf::write(&piece.score);
            put(&folder.join(&genre).join(format!("{i}.mid")), &bytes);
            if i == 0 {
                put(&folder.join("Ballad/copy.mid"), &bytes);
            }
        }
        put(&folder.join("Rock/broken.mid"), b"MThd, or so it says");
    }

    fn table(out: &Path, name: &str) -> String {
        std::fs::read_to_string(out.join("tables").join(format!("{name}.csv"))).unwrap()
    }

    #[test]
    fn folders_are_genres_and_a_piece_in_two_is_in_both_sets() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("music");
        collection(&folder);
        let args = args(&folder);
        analyse(&args).unwrap();
        let genres = table(&args.out, "genres");
        assert!(genres.contains("Ballad,3") && genres.contains("Rock,2"), "{genres}");
        // One common piece of four.
        assert!(table(&args.out, "jaccard").contains("0.25"));
        assert!(table(&args.out, "programs").contains("Acoustic Grand Piano"));
        assert!(
            table(&args.out, "histograms").lines().count() == 5,
            "piano, guitar, bass, strings and the head"
        );
        assert!(std::fs::read_to_string(args.out.join("index.html")).unwrap().contains("Dendrogram"));
        assert!(args.out.join("figures/dendrogram.png").is_file());
    }

    #[test]
    fn tags_of_a_table_are_filtered_and_merged() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("music");
        collection(&folder);
        let tags = dir.path().join("tags.csv");
        std::fs::write(&tags, "piece,tag,frequency\n0,trance,5\n0,deep house,5\n0,noise,1\n6.mid,noise,2\n")
            .unwrap();
        let args = AnalyseArgs {
            tags: Some(tags.clone()),
            merge: vec![merge("house=trance+deep house").unwrap()],
            ..args(&folder)
        };
        analyse(&args).unwrap();
        assert_eq!(table(&args.out, "genres"), "genre,pieces\nhouse,1\nnoise,1\n");
        std::fs::write(&tags, "piece,tag\nnobody,rock\n").unwrap();
        assert!(analyse(&args).unwrap_err().to_string().contains("such as nobody"));
        assert!(merge("house").is_err() && merge("=a").is_err() && merge("a=+").is_err());
    }

    #[test]
    fn folders_without_music_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("music");
        assert!(analyse(&args(&folder)).unwrap_err().to_string().contains("is no folder"));
        std::fs::create_dir_all(&folder).unwrap();
        assert!(format!("{:#}", analyse(&args(&folder)).unwrap_err()).contains("no MIDI files"));
        put(&folder.join("broken.mid"), b"not music");
        assert!(analyse(&args(&folder)).unwrap_err().to_string().contains("no music for this"));
        let wide = AnalyseArgs { above: 1.5, ..args(&folder) };
        assert!(analyse(&wide).unwrap_err().to_string().contains("--above"));
    }
}
