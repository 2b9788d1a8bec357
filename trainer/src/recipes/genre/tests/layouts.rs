//! Layouts in which labelled music is published.

use std::collections::BTreeMap;
use std::path::Path;

use crate::data::Split;
use crate::data::fixtures::{midi, piece, put, roll};
use crate::recipes::genre::*;

/// Genre and split by id of what is kept of a kind.
fn kept(out: &Path, kind: Kind) -> BTreeMap<String, (String, Split)> {
    let splits = [Split::Train, Split::Valid, Split::Test];
    let items = splits.into_iter().flat_map(|s| load(out, kind, s).unwrap().items);
    items.map(|i| (i.facts.id, (i.facts.genre, i.facts.split))).collect()
}

fn pair(genre: &str, split: Split) -> (String, Split) {
    (genre.to_string(), split)
}

#[test]
fn gtzan_is_split_by_number_or_by_lists() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("gtzan"), dir.path().join("cache"));
    for genre in scheme::GTZAN {
        for n in [0, 9, 89, 90, 99] {
            put(&data, &format!("genres/{genre}/{genre}.{n:05}.wav"), "sound");
        }
    }
    put(&data, "genres/rock/rock.00050.au", "");
    put(&data, "genres/rock/notes.wav", "sound");
    let mut options = PrepareOptions::new(&data, &out);
    let report = prepare(&options).unwrap();
    let found = kept(&out, Kind::Audio);
    assert_eq!(found.len(), 50);
    assert_eq!(found["rock.00000"], pair("rock", Split::Train));
    assert_eq!(found["rock.00089"], pair("rock", Split::Valid));
    assert_eq!(found["rock.00090"], pair("rock", Split::Test));
    assert_eq!(report.left_out()["damaged or not readable"], 1);
    assert_eq!(report.left_out()["bad row of a table"], 1);

    let lists = dir.path().join("lists");
    put(&lists, "train_filtered.txt", "blues/blues.00099.wav\n\nrock/rock.00090.wav\n");
    put(&lists, "valid_filtered.txt", "rock/rock.00000.wav\n");
    put(&lists, "test_filtered.txt", "jazz/jazz.00009.wav\njazz/jazz.00010.wav\n");
    options.gtzan_split = Some(lists);
    let report = prepare(&options).unwrap();
    let found = kept(&out, Kind::Audio);
    assert_eq!(found.len(), 4);
    assert_eq!(found["rock.00090"].1, Split::Train);
    assert_eq!(found["jazz.00009"].1, Split::Test);
    assert_eq!(report.left_out()["not in the lists of the split"], 47);
    assert!(report.warnings[0].contains("1 clips"), "{report}");
    put(dir.path(), "split.csv", "name,genre,split\nrock.00000,rock,test\n");
    options.gtzan_split = Some(dir.path().join("split.csv"));
    prepare(&options).unwrap();
    assert_eq!(kept(&out, Kind::Audio).len(), 1);
}

#[test]
fn fma_has_three_header_rows_and_official_splits() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("fma"), dir.path().join("cache"));
    let table = ",artist,set,set,track\n\
                 ,id,split,subset,genre_top\n\
                 track_id,,,,\n\
                 2,1,training,small,Hip-Hop\n\
                 1005,1,training,small,\n\
                 3,7,validation,small,Rock\n\
                 4,8,test,small,Rock\n\
                 5,9,someday,small,Rock\n\
                 x,9,test,small,Rock\n\
                 6,9,test,small,Folk\n\
                 7,9,test,full,Folk\n";
    put(&data, "fma_metadata/tracks.csv", table);
    for id in [2, 3, 4, 7] {
        put(&data, &format!("fma_small/000/{id:06}.mp3"), "sound");
    }
    let report = prepare(&PrepareOptions::new(&data, &out)).unwrap();
    let found = kept(&out, Kind::Audio);
    assert_eq!(found.len(), 3);
    assert_eq!(found["000002"], pair("Hip-Hop", Split::Train));
    assert_eq!((found["000003"].1, found["000004"].1), (Split::Valid, Split::Test));
    let left: Vec<(&str, usize)> = report.left_out().into_iter().collect();
    assert_eq!(left, [("bad row of a table", 2), ("listed but missing", 1), ("no genre label", 1)]);
    assert_eq!(load(&out, Kind::Audio, Split::Train).unwrap().items[0].facts.group, "artist 1");

    put(&data, "fma_metadata/tracks.csv", "a,b\nc,d\ne,f\n");
    let error = prepare(&PrepareOptions::new(&data, &out)).unwrap_err().to_string();
    assert!(error.contains("set, split"), "{error}");
}

#[test]
fn lakh_takes_labels_of_files_or_of_tracks() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out, labels) =
        (dir.path().join("lmd_matched"), dir.path().join("cache"), dir.path().join("labels"));
    let track = |n: u32| format!("A/B/C/TRABC{n:013}");
    put(&data, &format!("{}/aa.mid", track(1)), midi(&piece(9, 1)));
    put(&data, &format!("{}/aa.mid", track(2)), midi(&piece(9, 1)));
    put(&data, &format!("{}/bb.npz", track(3)), roll(9, 2));
    put(&data, &format!("{}/cc.mid", track(4)), midi(&piece(9, 3)));
    put(&data, &format!("{}/dd.mid", track(5)), midi(&piece(9, 4)));
    put(&data, &format!("{}/ee.mid", track(6)), "no music");
    let header = ",Unnamed: 0,file_id,Rap,topmagd\n";
    let rows = "0,0,aa,0,\"['Blues', 'Jazz']\"\n1,1,cc,0,\"['Rap', 'Jazz']\"\n2,2,ee,1,['Rap']\n";
    put(&labels, "topmagd_train.csv", format!("{header}{rows}"));
    put(&labels, "topmagd_test.csv", format!("{header}0,0,bb,0,['Pop_Rock']\n1,1,zz,0,['Rap']\n"));
    let mut options = PrepareOptions::new(&data, &out);
    let error = prepare(&options).unwrap_err().to_string();
    assert!(error.contains("--md5-labels"), "{error}");
    options.md5_labels = Some(labels);
    let report = prepare(&options).unwrap();
    let found = kept(&out, Kind::Symbolic);
    assert_eq!(found.len(), 2, "{report}");
    assert_eq!(found[&format!("{}/aa.mid", track(1))].0, "Blues");
    assert_eq!(found[&format!("{}/bb.npz", track(3))], pair("Pop_Rock", Split::Test));
    let left: Vec<(&str, usize)> = report.left_out().into_iter().collect();
    let expected = [
        ("damaged or not readable", 1),
        ("no genre label", 1),
        ("same music as another item", 1),
        ("several genres", 1),
    ];
    assert_eq!(left, expected);

    let assigned = dir.path().join("masd.cls");
    std::fs::write(&assigned, "# track, genre\nTRABC0000000000001\tJazz_Classic\n").unwrap();
    options.md5_labels = None;
    options.genres = vec![assigned];
    prepare(&options).unwrap();
    let found = kept(&out, Kind::Symbolic);
    assert_eq!(found.into_values().map(|v| v.0).collect::<Vec<_>>(), ["Jazz_Classic"]);
}

#[test]
fn a_tree_of_genres_may_hold_notes_and_sound() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("mine"), dir.path().join("cache"));
    put(&data, "Jazz/bar/a.mid", midi(&piece(9, 0)));
    put(&data, "Jazz/again/b.mid", midi(&piece(9, 0)));
    put(&data, "Polka/c.MID", midi(&piece(9, 1)));
    put(&data, "Polka/d.flac", "sound");
    put(&data, "stray.mid", midi(&piece(9, 2)));
    let report = prepare(&PrepareOptions::new(&data, &out)).unwrap();
    let notes = kept(&out, Kind::Symbolic);
    assert_eq!(notes.keys().collect::<Vec<_>>(), ["Jazz/again/b.mid", "Polka/c.MID"]);
    assert_eq!(notes["Polka/c.MID"].1, Split::by_name("c"));
    assert_eq!(kept(&out, Kind::Audio)["Polka/d.flac"].0, "Polka");
    assert_eq!(report.left_out()["same music as another item"], 1);
    assert!(report.warnings[0].contains("1 files lie in no folder"), "{report}");
    assert_eq!(report.kinds["symbolic"]["mine"]["Jazz"]["again"].kept.iter().sum::<usize>(), 1);
}

#[test]
fn nothing_left_is_an_error_that_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("mine"), dir.path().join("cache"));
    put(&data, "Jazz/a.mid", "no music");
    put(&data, "Rock/b.mid", midi(&piece(1, 0)));
    let error = prepare(&PrepareOptions::new(&data, &out)).unwrap_err().to_string();
    assert!(error.contains("1 damaged or not readable, 1 fewer than 32 notes"), "{error}");
    let error =
        prepare(&PrepareOptions::new(dir.path().join("none").as_path(), &out)).unwrap_err().to_string();
    assert!(error.contains("none"), "{error}");
}
