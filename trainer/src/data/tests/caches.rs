//! The data folder, the cache, and what can be wrong with either.

use std::path::Path;

use crate::data::fixtures::*;
use crate::data::prepare::is_fresh;
use crate::data::*;

fn prepared(data: &Path, out: &Path) -> PrepareReport {
    prepare(&PrepareOptions::new(data, out)).unwrap()
}

#[test]
fn songs_come_back_as_they_were_and_the_rest_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("cache"));
    data_folder(&data);
    let report = prepared(&data, &out);

    let web = &report.sets["web"];
    assert_eq!(web.files, 6);
    let left: Vec<(&str, usize)> = web.left_out.iter().map(|(k, &n)| (k.as_str(), n)).collect();
    assert_eq!(
        left,
        [("damaged or not readable", 1), ("fewer than 64 piano notes", 1), ("listed but missing", 1)]
    );
    assert_eq!(report.songs["open-train"], 2);
    assert_eq!(report.bars["research-test"], 28);
    let table = std::fs::read_to_string(out.join("left_out.csv")).unwrap();
    assert!(table.contains("open/missing.mid,web,listed but missing,not in open.tar.zst"), "{table}");
    assert!(report.to_string().contains("web: 3 of 6 files kept"), "{report}");

    let train = load(&out, Tier::Open, Split::Train).unwrap();
    let [b, a] = &train[..] else { panic!("{} songs", train.len()) };
    assert_eq!((b.id.as_str(), a.id.as_str()), ("open/b.mid", "open/pairs/a.mid"), "sorted by id");
    assert_eq!(a.genre.as_deref(), Some("Folk"));
    assert_eq!(b.genre, None);
    assert_eq!((a.lead_in_bars, b.lead_in_bars), (2, 0));
    assert_eq!(b.agreement, Some(0.25));
    assert_eq!((b.bpm, b.steps, b.bars(), b.excerpt), (150.0, 320, 20, false));
    assert_eq!(b.programs, [Some(0), Some(33), Some(25), Some(48)]);
    assert_eq!(b.parts_present, [true; 4]);
    assert_eq!(b.on_grid, 1.0);
    let source = piece(20, 1);
    assert_eq!(b.band.piano, source.tracks[0].notes);
    assert_eq!(b.band.parts[0], source.tracks[4].notes);
    assert_eq!(b.band.parts[3], source.tracks[3].notes);
    // By name: the keys and the melody of the paired sets are in no list.
    assert_eq!(a.band.piano, paired_piece(20, 0).tracks[0].notes);

    assert_eq!(load(&out, Tier::Research, Split::Valid).unwrap()[0].id, "research/c.mid");
    assert_eq!(load(&out, Tier::Research, Split::Test).unwrap()[0].id, "research/d.mid");
    assert!(load(&out, Tier::Research, Split::Train).unwrap().is_empty());
}

#[test]
fn a_cache_is_made_again_only_when_something_changed() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("cache"));
    data_folder(&data);
    let mut options = PrepareOptions::new(&data, &out);
    assert!(!is_fresh(&options).unwrap());
    let first = prepare(&options).unwrap();
    assert!(!first.up_to_date && is_fresh(&options).unwrap());
    let again = prepare(&options).unwrap();
    assert!(again.up_to_date);
    assert_eq!(again.sets, first.sets);

    options.min_agreement = Some(0.5);
    assert!(!is_fresh(&options).unwrap(), "another option is another cache");
    let strict = prepare(&options).unwrap();
    assert_eq!(strict.sets["web"].left_out["bass and piano disagree"], 1);
    assert_eq!(strict.songs["research-test"], 1, "the filter leaves the test split alone");

    let manifest = std::fs::read_to_string(data.join("manifest.csv")).unwrap();
    std::fs::write(data.join("manifest.csv"), manifest.replace("Rock", "Pop")).unwrap();
    assert!(!is_fresh(&options).unwrap(), "another manifest is another cache");

    std::fs::remove_file(data.join("research.tar.zst")).unwrap();
    prepare(&options).unwrap();
    assert!(is_fresh(&options).unwrap());
    data_folder(&dir.path().join("again"));
    std::fs::copy(dir.path().join("again/research.tar.zst"), data.join("research.tar.zst")).unwrap();
    assert!(!is_fresh(&options).unwrap(), "an archive that comes later is noticed");
}

#[test]
fn a_truncated_archive_costs_its_files_and_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("cache"));
    data_folder(&data);
    let whole = std::fs::read(data.join("research.tar.zst")).unwrap();
    for length in [0, 3, whole.len() / 2] {
        std::fs::write(data.join("research.tar.zst"), &whole[..length]).unwrap();
        let report = prepare(&PrepareOptions { force: true, ..PrepareOptions::new(&data, &out) }).unwrap();
        assert_eq!(report.songs["open-train"], 2);
        let missing = report.sets["web"].left_out["listed but missing"];
        assert_eq!(missing, 3, "two of research and the one that open never had; cut to {length}");
        assert!(report.warnings[0].contains("2 listed files"), "{:?}", report.warnings);
    }
}

#[test]
fn an_unpacked_tier_is_read_in_place_of_its_archive() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("cache"));
    data_folder(&data);
    std::fs::remove_file(data.join("research.tar.zst")).unwrap();
    let report = prepared(&data, &out);
    assert_eq!(report.sets["web"].left_out["listed but missing"], 3);
    put(&data, "research/c.mid", midi(&piece(24, 2)));
    let options = PrepareOptions { force: true, ..PrepareOptions::new(&data, &out) };
    assert_eq!(prepare(&options).unwrap().songs["research-valid"], 1);
}

#[test]
fn a_faulty_manifest_is_named_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "manifest.csv", manifest(&[("open/a.mid", "s", "training", "")]));
    let error = Dataset::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("manifest.csv, line 2: unknown split 'training'"), "{error}");
    put(dir.path(), "manifest.csv", "path,set\nx,y\n");
    let error = Dataset::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("missing field `tier`"), "{error}");
    std::fs::remove_file(dir.path().join("manifest.csv")).unwrap();
    let error = Dataset::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("manifest.csv, open.tar.zst"), "{error}");
}

#[test]
fn damaged_and_foreign_caches_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("cache"));
    data_folder(&data);
    let fault = || load(&out, Tier::Open, Split::Train).unwrap_err();
    assert!(matches!(fault(), CacheError::None { .. }));
    prepared(&data, &out);
    let file = song_cache::file(&out, Tier::Open, Split::Train);
    let good = std::fs::read(&file).unwrap();
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };

    std::fs::write(&file, b"RIFF....WAVE").unwrap();
    assert!(matches!(fault(), CacheError::Foreign { .. }));
    std::fs::write(&file, with(8, 99)).unwrap();
    assert!(matches!(fault(), CacheError::Version { found: 99, .. }));
    std::fs::write(&file, with(12, !good[12])).unwrap();
    assert!(matches!(fault(), CacheError::Stale { .. }), "a fingerprint that cache.json does not have");
    let last = good.len() - 1;
    std::fs::write(&file, with(last, !good[last])).unwrap();
    assert!(matches!(fault(), CacheError::Damaged { .. }));
    for length in [9, 30, 80, good.len() / 2, last] {
        std::fs::write(&file, &good[..length]).unwrap();
        assert!(
            matches!(fault(), CacheError::Foreign { .. } | CacheError::Damaged { .. }),
            "cut to {length}"
        );
    }
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(fault(), CacheError::Io { .. }));
    std::fs::write(&file, &good).unwrap();
    assert_eq!(load(&out, Tier::Open, Split::Train).unwrap().len(), 2);

    let index = std::fs::read_to_string(out.join(song_cache::SONGS.index)).unwrap();
    std::fs::write(out.join(song_cache::SONGS.index), "{}").unwrap();
    assert!(matches!(fault(), CacheError::Foreign { .. }));
    let older = index.replace(&format!("\"format\": {}", song_cache::SONGS.version), "\"format\": 0");
    std::fs::write(out.join(song_cache::SONGS.index), older).unwrap();
    let error = fault();
    assert!(matches!(error, CacheError::Version { found: 0, .. }));
    assert!(error.to_string().contains("run `sideman-trainer prepare` again"), "{error}");
}
