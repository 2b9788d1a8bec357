//! Small corpora made by code, for the tests.

use std::path::Path;

use crate::recipes::papers::fixtures;
pub(crate) use crate::recipes::papers::fixtures::{npy, texts};
use sideman_music::{Meter, MeterMap, Note, Score, TempoMap, Track};

/// A note an eighth long.
pub(crate) fn note(onset: i64, pitch: u8) -> Note {
    Note { onset, pitch, length: 200, velocity: 80 }
}

/// A track with a note on every beat.
fn beats(name: &str, channel: u8, program: u8, pitch: u8, beats: i64) -> Track {
    Track {
        name: name.to_string(),
        source_track: usize::from(channel) + 1,
        channel,
        program,
        is_drums: channel == 9,
        notes: (0..beats).map(|b| note(b * 480, pitch + (b % 3) as u8)).collect(),
    }
}

/// A piece of a piano and a full band, long enough to teach, one note a beat in every part. `seed` makes
/// pieces different.
pub(crate) fn piece(bars: i64, seed: u8) -> Score {
    let n = bars * 4;
    Score {
        tempos: TempoMap::new(&[(0, 400_000)]),
        meters: MeterMap::new(&[(0, Meter::COMMON)]),
        markers: Vec::new(),
        tracks: vec![
            beats("PIANO", 0, 4, 60 + seed, n),
            beats("BASS", 1, 33, 36 + seed, n),
            beats("GUITAR", 2, 25, 50 + seed, n),
            beats("STRINGS", 3, 48, 60 + seed, n),
            beats("DRUMS", 9, 0, 36, n),
        ],
    }
}

/// The same with the tracks that the paired sets have beside the band.
pub(crate) fn paired_piece(bars: i64, seed: u8) -> Score {
    let mut score = piece(bars, seed);
    score.tracks.push(beats("TEACHER_KEYS", 4, 4, 30, bars * 4));
    score.tracks.push(beats("MELODY", 5, 53, 80, bars * 4));
    score
}

/// The bytes of a Standard MIDI File.
pub(crate) fn midi(score: &Score) -> Vec<u8> {
    sideman_music::smf::write(score)
}

/// A member of an archive.
pub(crate) type Member<'a> = (&'a str, Vec<u8>);

/// A tar.zst.
pub(crate) fn archive(members: &[Member<'_>]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    let plain = tar.into_inner().unwrap();
    ruzstd::encoding::compress_to_vec(&plain[..], ruzstd::encoding::CompressionLevel::Fastest)
}

/// A row of a manifest: path, set, split, genre.
pub(crate) type Row<'a> = (&'a str, &'a str, &'a str, &'a str);

/// The text of a manifest with the columns of the published one.
pub(crate) fn manifest(rows: &[Row<'_>]) -> String {
    let mut text = "path,set,tier,licence,source,md5,group,split,genre,style,title,ticks_per_beat,\
                    tempo_median,time_signature,bars,n_piano,n_keys,n_guitar,n_bass,n_strings,n_drums,\
                    paired_piano\n"
        .to_string();
    for (path, set, split, genre) in rows {
        let tier = path.split('/').next().unwrap();
        text += &format!("{path},{set},{tier},\"a, b\",x@1,00,g-{path},{split},{genre},,t,480,150,4/4,20,");
        text += "80,0,80,80,80,80,1\n";
    }
    text
}

/// Writes a file and the folders above it.
pub(crate) fn put(root: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// A data folder with one song in each split and each kind of fault.
pub(crate) fn data_folder(root: &Path) {
    let short = midi(&piece(8, 0));
    let rows: [Row<'_>; 7] = [
        ("open/pairs/a.mid", "pairs_mma_test", "train", "Folk"),
        ("open/b.mid", "web", "train", ""),
        ("open/damaged.mid", "web", "train", ""),
        ("open/short.mid", "web", "train", ""),
        ("open/missing.mid", "web", "train", ""),
        ("research/c.mid", "web", "valid", "Rock"),
        ("research/d.mid", "web", "test", "Rock"),
    ];
    put(root, "manifest.csv", manifest(&rows));
    put(
        root,
        "open.tar.zst",
        archive(&[
            ("open/LICENSES/MIT.txt", b"not music".to_vec()),
            ("open/pairs/a.mid", midi(&paired_piece(20, 0))),
            ("open/b.mid", midi(&piece(20, 1))),
            ("open/damaged.mid", b"MThd, or so it says".to_vec()),
            ("open/short.mid", short),
            ("open/unlisted.mid", midi(&piece(20, 9))),
        ]),
    );
    put(
        root,
        "research.tar.zst",
        archive(&[("research/c.mid", midi(&piece(24, 2))), ("research/d.mid", midi(&piece(28, 3)))]),
    );
    put(root, "labels/pairs.csv", "path,song,lead_in_bars\nopen/pairs/a.mid,x,2\n");
    put(
        root,
        "labels/bass_piano_agreement.csv",
        "path,downbeats,bass_in_piano_half_bar,bass_is_lowest_piano_pc\n\
         open/b.mid,20,0.25,0.1\nresearch/d.mid,20,0.25,0.1\n",
    );
}

/// A file in the form that numpy and pypianoroll write.
pub(crate) fn npz(members: &[Member<'_>]) -> Vec<u8> {
    fixtures::npz(members).unwrap()
}

/// The arrays of a sparse roll of `steps` time steps from (step, pitch, velocity) cells.
pub(crate) fn sparse(index: usize, steps: i64, cells: &[(i32, u8, u8)]) -> Vec<(String, Vec<u8>)> {
    let mut sorted = cells.to_vec();
    sorted.sort_by_key(|c| (c.1, c.0));
    let data: Vec<u8> = sorted.iter().map(|c| c.2).collect();
    let rows: Vec<u8> = sorted.iter().flat_map(|c| c.0.to_le_bytes()).collect();
    let bounds: Vec<u8> = (0..=128usize)
        .flat_map(|p| (sorted.iter().filter(|c| usize::from(c.1) < p).count() as i32).to_le_bytes())
        .collect();
    let shape: Vec<u8> = [steps, 128].iter().flat_map(|n| n.to_le_bytes()).collect();
    let n = sorted.len();
    let name = |what: &str| format!("pianoroll_{index}_csc_{what}.npy");
    vec![
        (name("data"), npy("|u1", &format!("({n},)"), &data)),
        (name("indices"), npy("<i4", &format!("({n},)"), &rows)),
        (name("indptr"), npy("<i4", "(129,)", &bounds)),
        (name("shape"), npy("<i8", "(2,)", &shape)),
    ]
}

/// A roll of the five tracks of lpd-5 in the manner of pypianoroll 0.x, one cell or run a beat and part.
pub(crate) fn roll(bars: i32, seed: u8) -> Vec<u8> {
    let steps = i64::from(bars) * 96;
    let info = r#"{"beat_resolution": 24, "name": "x",
        "0": {"program": 0, "is_drum": true, "name": "Drums"},
        "1": {"program": 0, "is_drum": false, "name": "Piano"},
        "2": {"program": 24, "is_drum": false, "name": "Guitar"},
        "3": {"program": 32, "is_drum": false, "name": "Bass"},
        "4": {"program": 48, "is_drum": false, "name": "Strings"}}"#;
    let mut members = vec![("info.json".to_string(), info.as_bytes().to_vec())];
    for (index, pitch, length) in [(0, 36, 1), (1, 60 + seed, 20), (2, 50, 12), (3, 36, 22), (4, 62, 6)] {
        let cells: Vec<(i32, u8, u8)> = (0..bars * 4)
            .flat_map(|beat| {
                (0..length).map(move |i| (beat * 24 + i, pitch, if i < length / 2 { 90 } else { 70 }))
            })
            .collect();
        members.extend(sparse(index, steps, &cells));
    }
    let tempo: Vec<u8> = (0..steps).flat_map(|_| 100f64.to_le_bytes()).collect();
    let downbeat: Vec<u8> = (0..steps).map(|s| u8::from(s % 96 == 0)).collect();
    members.push(("tempo.npy".to_string(), npy("<f8", &format!("({steps},)"), &tempo)));
    members.push(("downbeat.npy".to_string(), npy("|b1", &format!("({steps},)"), &downbeat)));
    let borrowed: Vec<Member<'_>> = members.iter().map(|m| (m.0.as_str(), m.1.clone())).collect();
    npz(&borrowed)
}
