//! The data folder, the cache, and what can be wrong with either.

use std::path::Path;

use sideman_music::{Meter, MeterMap, TempoMap};

use crate::data::fixtures::{archive, manifest, midi, npy, npz, paired_piece, piece, put, texts};
use crate::data::{Split, Tier};
use crate::recipes::genre::baseline::mean_and_deviation;
use crate::recipes::genre::*;

/// Three mel images of two columns; the last has a split that means nothing.
fn mels() -> Vec<u8> {
    let pixels: Vec<u8> = (0..3 * 128 * 2).map(|i| (i % 251) as u8).collect();
    npz(&[
        ("X.npy", npy("|u1", "(3, 128, 2)", &pixels)),
        ("y.npy", npy("|u1", "(3,)", &[1, 0, 0])),
        ("genres.npy", texts(&["blues", "rock"])),
        ("names.npy", texts(&["rock.95", "blues.01", "blues.09"])),
        ("split.npy", texts(&["train", "valid", "other"])),
    ])
}

fn data_folder(root: &Path) {
    let rows = [
        ("open/pairs/a_r0.mid", "pairs_mma_pop909", "train", "Folk"),
        ("open/pairs/b_r0.mid", "pairs_mma_openewld", "train", "Rock"),
        ("open/bach.mid", "lieder_piano", "train", "Classical"),
        ("open/fake.mid", "js_fakes", "train", "Chorale"),
        ("open/unlabelled.mid", "clean_multitrack", "train", ""),
        ("research/damaged.mid", "genre_labelled", "train", "Rock"),
        ("research/missing.mid", "genre_labelled", "train", "Rock"),
        ("research/few.mid", "genre_labelled", "valid", "Jazz"),
        ("research/song.mid", "web_multitrack+genre_labelled", "test", "Jazz"),
    ];
    put(root, "manifest.csv", manifest(&rows));
    let open = [
        ("open/pairs/a_r0.mid", midi(&paired_piece(20, 0))),
        ("open/pairs/b_r0.mid", midi(&paired_piece(20, 1))),
        ("open/bach.mid", midi(&piece(9, 2))),
        ("open/fake.mid", midi(&piece(9, 3))),
        ("open/unlabelled.mid", midi(&piece(9, 4))),
    ];
    put(root, "open.tar.zst", archive(&open));
    let mut song = piece(12, 5);
    song.tempos = TempoMap::new(&[(0, 400_000), (4800, 300_000)]);
    song.meters = MeterMap::new(&[(0, Meter::COMMON), (3840, Meter { numerator: 3, denominator: 4 })]);
    let research = [
        ("research/damaged.mid", b"MThd, or so it says".to_vec()),
        ("research/few.mid", midi(&piece(1, 6))),
        ("research/song.mid", midi(&song)),
    ];
    put(root, "research.tar.zst", archive(&research));
    put(root, mels::FILE, mels());
    let votes = "path,md5,label_source,label\n\
                 research/song.mid,0,a,Jazz\nresearch/song.mid,0,b,Rock\nresearch/song.mid,0,c,Jazz\n\
                 open/bach.mid,0,a,Classical\nopen/bach.mid,0,b,Classical\n";
    put(root, "labels/genre_votes.csv", votes);
}

#[test]
fn a_data_folder_comes_back_and_the_rest_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("cache"));
    data_folder(&data);
    let report = prepare(&PrepareOptions::new(&data, &out)).unwrap();
    assert_eq!(report.kept(), 5);
    let left: Vec<(&str, usize)> = report.left_out().into_iter().collect();
    let expected = [
        ("bad row of a table", 1),
        ("damaged or not readable", 1),
        ("fewer than 32 notes", 1),
        ("genre of the band's style", 1),
        ("listed but missing", 1),
        ("written by a model", 1),
    ];
    assert_eq!(left, expected);

    let train = load(&out, Kind::Symbolic, Split::Train).unwrap();
    let found: Vec<(&str, &str, &str)> = train
        .items
        .iter()
        .map(|i| (i.facts.id.as_str(), i.facts.genre.as_str(), i.facts.source.as_str()))
        .collect();
    assert_eq!(found, [("open/bach.mid", "Classical", "x"), ("open/pairs/a_r0.mid", "Pop", "x")]);
    // Of a rule-made band only the human's piano counts.
    let Content::Score(pop) = &train.items[1].content else { panic!("no score") };
    assert_eq!((pop.tracks.len(), pop.tracks[0].notes.len()), (1, 80));
    assert_eq!(
        (train.items[0].facts.tier, train.items[0].facts.group.as_str()),
        (Tier::Open, "g-open/bach.mid")
    );

    // Notes, tempos and metres survive as they were read.
    let test = load(&out, Kind::Symbolic, Split::Test).unwrap();
    let Content::Score(song) = &test.items[0].content else { panic!("no score") };
    let mut read = sideman_music::smf::read(&midi(song)).unwrap();
    for (i, track) in read.tracks.iter_mut().enumerate() {
        track.name.clear();
        track.source_track = i;
    }
    assert_eq!(**song, read);
    assert!(test.items[0].facts.doubtful && !train.items[0].facts.doubtful);
    assert_eq!(song.tempos.changes().collect::<Vec<_>>(), [(0, 400_000), (4800, 300_000)]);
    assert_eq!(song.meters.position(3840 + 1440).bar, 3);
    assert_eq!(report.kinds["symbolic"]["web_multitrack+genre_labelled"]["Jazz"]["x"].piano, [0, 0, 1]);

    let mut images = load(&out, Kind::Mel, Split::Train).unwrap();
    let Content::Mel(image) = &images.items[0].content else { panic!("no image") };
    assert_eq!((image.columns, image.values.len(), image.values[3]), (2, 256, 3));
    let figures = mean_and_deviation(image);
    assert!((figures[1] - 2.5 / 255.0).abs() < 1e-6 && (figures[129] - 0.5 / 255.0).abs() < 1e-6);
    // By P3's protocol the clip numbered 95 is for test.
    gtzan::split_last_ten(&mut images);
    assert_eq!(images.items[0].facts.split, Split::Test);

    assert!(prepare(&PrepareOptions::new(&data, &out)).unwrap().up_to_date);
    put(&data, mels::FILE, npz(&[]));
    let error = prepare(&PrepareOptions::new(&data, &out)).unwrap_err().to_string();
    assert!(error.contains("expected the arrays X"), "{error}");
}

#[test]
fn a_damaged_cache_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("cache"));
    let error = load(&out, Kind::Symbolic, Split::Train).unwrap_err().to_string();
    assert!(error.contains("genre prepare --data DIR"), "{error}");
    data_folder(&data);
    prepare(&PrepareOptions::new(&data, &out)).unwrap();
    let path = cache::file(&out, Kind::Symbolic, Split::Train);
    let whole = std::fs::read(&path).unwrap();
    let refusal = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        load(&out, Kind::Symbolic, Split::Train).unwrap_err().to_string()
    };
    assert!(refusal(&whole[..whole.len() - 1]).contains("checksum"));
    assert!(refusal(&whole[..50]).contains("header"));
    assert!(refusal(b"something else").contains("not a cache of labelled music"));
    let mut other = whole.clone();
    other[8] = 99;
    assert!(refusal(&other).contains("format 99"));
    other = whole.clone();
    other[12] ^= 1;
    assert!(refusal(&other).contains("other data or options"));
    // Every prefix of a record is refused, none panics.
    std::fs::write(&path, &whole).unwrap();
    let item = load(&out, Kind::Symbolic, Split::Train).unwrap().items.remove(0);
    let record = codec::encode(&item);
    assert_eq!(codec::decode(&record).as_ref(), Some(&item));
    assert!((0..record.len()).all(|n| codec::decode(&record[..n]).is_none()));
}
