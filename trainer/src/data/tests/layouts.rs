//! Folders of MIDI files, Lakh MIDI and Lakh piano rolls as published.

use std::path::Path;

use crate::data::fixtures::*;
use crate::data::lakh::TrackLabels;
use crate::data::prepare::is_fresh;
use crate::data::*;

fn all(out: &Path) -> Vec<Song> {
    let mut songs: Vec<Song> = [Split::Train, Split::Valid, Split::Test]
        .into_iter()
        .flat_map(|s| load(out, Tier::Research, s).unwrap())
        .collect();
    songs.sort_by(|a, b| a.id.cmp(&b.id));
    songs
}

#[test]
fn any_folder_of_midi_files() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("my songs"), dir.path().join("cache"));
    put(&data, "rock/One.mid", midi(&piece(20, 0)));
    put(&data, "rock/copy of One.MID", midi(&piece(20, 0)));
    put(&data, "two.midi", midi(&piece(20, 1)));
    put(&data, "deep/er/three.kar", midi(&piece(20, 2)));
    put(&data, "damaged.mid", b"nothing of the kind");
    put(&data, "empty.mid", b"");
    put(&data, "readme.txt", b"not music");
    put(&data, "split.csv", "path,split,genre\ntwo.midi,test,Jazz\nrock/One.mid,train,\ngone.mid,train,\n");
    let report = prepare(&PrepareOptions::new(&data, &out)).unwrap();

    let set = &report.sets["my songs"];
    assert_eq!(set.files, 6);
    assert_eq!(set.left_out["damaged or not readable"], 2);
    assert_eq!(set.left_out["same notes as another file"], 1);
    assert!(report.warnings[0].contains("gone.mid"), "{:?}", report.warnings);
    let songs = all(&out);
    let found: Vec<(&str, Option<&str>)> =
        songs.iter().map(|s| (s.id.as_str(), s.genre.as_deref())).collect();
    assert_eq!(found, [("deep/er/three.kar", None), ("rock/One.mid", None), ("two.midi", Some("Jazz"))]);
    assert_eq!(songs[2].split, Split::Test);
    assert_eq!(songs[1].split, Split::Train);
    assert_eq!(songs[0].split, Split::by_name("three"));

    put(&data, "four.mid", midi(&piece(20, 3)));
    assert!(!is_fresh(&PrepareOptions::new(&data, &out)).unwrap(), "another file is another corpus");
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::create_dir_all(&data).unwrap();
    let error = prepare(&PrepareOptions::new(&data, &out)).unwrap_err().to_string();
    assert!(error.contains("no MIDI files"), "{error}");
}

#[test]
fn splits_by_name_have_their_shares_and_stay() {
    let names: Vec<String> = (0..4000).map(|i| format!("Song {i}")).collect();
    let share = |s: Split| names.iter().filter(|n| Split::by_name(n) == s).count() as f64 / 4000.0;
    assert!((share(Split::Train) - 0.85).abs() < 0.02);
    assert!((share(Split::Valid) - 0.05).abs() < 0.02);
    assert!((share(Split::Test) - 0.10).abs() < 0.02);
    assert!(names.iter().all(|n| Split::by_name(n) == Split::by_name(&n.to_uppercase())));
    // As it is today: another rule would move test songs into training.
    let pinned = ["8", "9", "22", "23", "24", "27"].map(Split::by_name);
    assert_eq!(pinned, [Split::Train, Split::Valid, Split::Train, Split::Valid, Split::Test, Split::Test]);
}

const T1: &str = "TRABCDE128F0000001";
const T2: &str = "TRABCDE128F0000002";
const T3: &str = "TRXYZAA128F0000003";

fn md5(digit: char) -> String {
    digit.to_string().repeat(32)
}

/// Labels as published: comments, several genres, tags with weights as text.
fn labels(root: &Path) -> TrackLabels {
    put(root, "msd_tagtraum_cd1.cls", format!("# comment\n{T1}\tRock\tPop\nnonsense\n"));
    put(root, "msd-topMAGD-genreAssignment.cls", format!("{T1}\tJazz\n{T2}\tCountry\n"));
    let tags = format!(
        r#"{{"artist": "x", "tags": [["Indie", "40"], ["Sad", "7"], ["New Wave", 90]], "track_id": "{T3}"}}"#
    );
    put(root, &format!("lastfm_train/X/Y/Z/{T3}.json"), tags);
    TrackLabels {
        genres: vec![root.join("msd_tagtraum_cd1.cls"), root.join("msd-topMAGD-genreAssignment.cls")],
        tags: Some(root.join("lastfm_train")),
        match_scores: None,
    }
}

#[test]
fn lakh_matched_keeps_the_best_match_of_each_track() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("lakh"), dir.path().join("cache"));
    let matched = |track: &str, file: char| {
        let letters: Vec<String> = track[2..5].chars().map(String::from).collect();
        format!("lmd_matched/{}/{track}/{}.mid", letters.join("/"), md5(file))
    };
    put(&data, &matched(T1, 'a'), midi(&piece(20, 0)));
    put(&data, &matched(T1, 'b'), midi(&piece(20, 1)));
    // The same file for two tracks; it fits the second better.
    put(&data, &matched(T1, 'c'), midi(&piece(20, 2)));
    put(&data, &matched(T2, 'c'), midi(&piece(20, 2)));
    put(&data, &matched(T3, 'd'), b"damaged");
    put(&data, &matched(T3, 'e'), midi(&piece(20, 4)));
    let scores = format!(
        r#"{{"{T1}": {{"{}": 0.5, "{}": 0.7, "{}": 0.8}}, "{T2}": {{"{}": 0.9}}, "{T3}": {{"{}": 0.6, "{}": 0.7}}}}"#,
        md5('a'),
        md5('b'),
        md5('c'),
        md5('c'),
        md5('d'),
        md5('e')
    );
    put(&data, "match_scores.json", scores);
    let options = PrepareOptions { labels: labels(dir.path()), ..PrepareOptions::new(&data, &out) };
    let report = prepare(&options).unwrap();
    assert_eq!(report.sets["lmd_matched"].files, 3);
    let songs = all(&out);
    let facts: Vec<(String, &str, Option<&str>)> = songs
        .iter()
        .map(|s| (s.id[s.id.len() - 5..].to_string(), s.group.as_str(), s.genre.as_deref()))
        .collect();
    let expected = [
        ("b.mid".to_string(), T1, Some("Rock")),
        ("c.mid".to_string(), T2, Some("Country")),
        ("e.mid".to_string(), T3, Some("new wave")),
    ];
    assert_eq!(facts, expected);
    assert!(songs.iter().all(|s| s.split == Split::by_name(&s.group)));

    // Without scores the first by name stands for its track, here a damaged one: counted, not fatal.
    std::fs::remove_file(data.join("match_scores.json")).unwrap();
    let report = prepare(&options).unwrap();
    assert_eq!(report.sets["lmd_matched"].left_out["damaged or not readable"], 1);
    assert_eq!(all(&out).len(), 2);
}

#[test]
fn lakh_full_finds_its_tracks_by_the_scores() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("lakh"), dir.path().join("cache"));
    put(&data, &format!("lmd_full/a/{}.mid", md5('a')), midi(&piece(20, 0)));
    put(&data, &format!("lmd_full/b/{}.mid", md5('b')), midi(&piece(20, 1)));
    let options = PrepareOptions { labels: labels(dir.path()), ..PrepareOptions::new(&data, &out) };
    prepare(&options).unwrap();
    assert_eq!(all(&out).iter().map(|s| s.genre.clone()).collect::<Vec<_>>(), [None, None]);

    put(dir.path(), "scores.json", format!(r#"{{"{T2}": {{"{}": 0.9}}}}"#, md5('b')));
    let mut options = options;
    options.labels.match_scores = Some(dir.path().join("scores.json"));
    prepare(&options).unwrap();
    let songs = all(&out);
    assert_eq!(songs.len(), 1, "files without a track are left behind once there are tracks");
    assert_eq!((songs[0].group.as_str(), songs[0].genre.as_deref()), (T2, Some("Country")));

    put(dir.path(), "scores.json", "[1, 2]");
    let error = prepare(&options).unwrap_err().to_string();
    assert!(error.contains("scores.json") && error.contains("expected"), "{error}");
}

#[test]
fn lpd_5_cleansed() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("lpd"), dir.path().join("cache"));
    let path = |track: &str, file: char| format!("lpd_5/lpd_5_cleansed/A/B/C/{track}/{}.npz", md5(file));
    put(&data, &path(T1, 'a'), roll(20, 0));
    put(&data, &path(T2, 'b'), b"PK, or not");
    let whole = roll(20, 1);
    put(&data, &path(T3, 'c'), &whole[..whole.len() / 2]);
    let options = PrepareOptions { labels: labels(dir.path()), ..PrepareOptions::new(&data, &out) };
    let report = prepare(&options).unwrap();
    assert_eq!(report.sets["lpd_5_cleansed"].left_out["damaged or not readable"], 2);
    let songs = all(&out);
    assert_eq!(songs.len(), 1);
    let song = &songs[0];
    assert_eq!((song.genre.as_deref(), song.bars(), song.bpm), (Some("Rock"), 20, 100.0));
    assert_eq!(song.programs, [Some(0), Some(32), Some(24), Some(48)]);
    assert_eq!(song.band.piano.len(), 80);
}
