//! Labelled MIDI into clips of audio, through a soundfont of one sine.

use std::sync::Arc;

use rustysynth::SoundFont;

use crate::data::Split;
use crate::data::fixtures::{midi, piece, put};
use crate::recipes::genre::render::{CLIP, find_soundfont, play, read_clip};
use crate::recipes::genre::*;

fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [name.as_slice(), &(content.len() as u32).to_le_bytes(), content].concat()
}

fn shorts(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// A record of a SoundFont's table: a name in 20 bytes, then the rest.
fn record(name: &str, rest: &[u8]) -> Vec<u8> {
    let mut out = name.as_bytes().to_vec();
    out.resize(20, 0);
    out.extend_from_slice(rest);
    out
}

/// The smallest SoundFont 2 that sounds: a looped sine as program 0 and as drums.
pub(super) fn font() -> Vec<u8> {
    let wave: Vec<u16> = (0..400u16)
        .map(|i| ((f64::from(i) * std::f64::consts::TAU / 50.0).sin() * 15_000.0) as i16 as u16)
        .collect();
    let header = |bank: u16, bag: u16| [shorts(&[0, bank, bag]), vec![0; 12]].concat();
    let mut sample: Vec<u8> = [0u32, 300, 50, 250, 22_050].iter().flat_map(|v| v.to_le_bytes()).collect();
    sample.extend([69, 0, 0, 0, 1, 0]);
    let tables: [(&[u8; 4], Vec<u8>); 9] = [
        (
            b"phdr",
            [record("p", &header(0, 0)), record("d", &header(128, 1)), record("EOP", &header(0, 2))].concat(),
        ),
        (b"pbag", shorts(&[0, 0, 1, 0, 2, 0])),
        (b"pmod", vec![0; 10]),
        // Generator 41: the instrument.
        (b"pgen", shorts(&[41, 0, 41, 0, 0, 0])),
        (b"inst", [record("i", &shorts(&[0])), record("EOI", &shorts(&[1]))].concat()),
        (b"ibag", shorts(&[0, 0, 2, 0])),
        (b"imod", vec![0; 10]),
        // 54: looped; 53: the sample.
        (b"igen", shorts(&[54, 1, 53, 0, 0, 0])),
        (b"shdr", [record("s", &sample), record("EOS", &[0; 26])].concat()),
    ];
    let pdta: Vec<u8> = tables.iter().flat_map(|(name, content)| chunk(name, content)).collect();
    let info = chunk(b"LIST", &[b"INFO".to_vec(), chunk(b"ifil", &shorts(&[2, 1]))].concat());
    let data = chunk(b"LIST", &[b"sdta".to_vec(), chunk(b"smpl", &shorts(&wave))].concat());
    let pdta = chunk(b"LIST", &[b"pdta".to_vec(), pdta].concat());
    chunk(b"RIFF", &[b"sfbk".to_vec(), info, data, pdta].concat())
}

/// A piece of 40 bars at 150 beats a minute, 64 s, that begins two bars late.
pub(super) fn late_piece() -> sideman_music::Score {
    let mut score = piece(40, 0);
    for note in score.tracks.iter_mut().flat_map(|t| &mut t.notes) {
        note.onset += 2 * 1920;
    }
    score
}

#[test]
fn a_clip_begins_with_the_music_and_has_its_length() {
    let font = Arc::new(SoundFont::new(&mut &font()[..]).unwrap());
    let clip = play(&midi(&late_piece()), &font).unwrap();
    assert_eq!(clip.len(), CLIP);
    assert!(clip[..2000].iter().any(|s| s.abs() > 100), "it begins with the music");
    let peak = clip.iter().map(|s| i32::from(*s).abs()).max().unwrap();
    assert!((29_489..=29_491).contains(&peak), "{peak}");
    // 150 beats a minute: what sounds a beat apart is 8820 samples apart.
    let energy = |at: usize| clip[at..at + 4000].iter().map(|&s| f64::from(s).powi(2)).sum::<f64>();
    assert!(energy(8820) > 3.0 * energy(8820 + 4700), "struck on the beat, at rest after an eighth");

    assert_eq!(play(&midi(&piece(8, 0)), &font), Err(LeftOut::Short(12)));
    assert_eq!(play(&midi(&sideman_music::Score::default()), &font), Err(LeftOut::Silent));
    assert!(matches!(play(b"no music", &font), Err(LeftOut::Unreadable(_))));
}

#[test]
fn a_collection_is_rendered_once_and_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out, sf2) = (dir.path().join("mine"), dir.path().join("out"), dir.path().join("font.sf2"));
    put(&data, "Jazz/a.mid", midi(&late_piece()));
    put(&data, "Jazz/short.mid", midi(&piece(8, 0)));
    put(&data, "Polka/b.mid", midi(&late_piece()));
    std::fs::write(&sf2, font()).unwrap();
    let mut options = RenderOptions { soundfont: Some(sf2.clone()), ..RenderOptions::new(&data, &out) };
    let report = render(&options).unwrap();
    assert_eq!((report.kept(), report.left_out()["shorter than a clip"]), (1, 1));
    let items: Vec<Labelled> = [Split::Train, Split::Valid, Split::Test]
        .into_iter()
        .flat_map(|s| load(&out, Kind::Audio, s).unwrap().items)
        .collect();
    let [item] = &items[..] else { panic!("{} items", items.len()) };
    assert_eq!((item.facts.id.as_str(), item.facts.genre.as_str()), ("Jazz/a.mid", "Jazz"));
    let Content::Audio(path) = &item.content else { panic!("no audio") };
    let clip = read_clip(path).unwrap();
    let made = std::fs::metadata(path).unwrap().modified().unwrap();
    assert_eq!(clip.len(), CLIP);
    render(&options).unwrap();
    assert_eq!(std::fs::metadata(path).unwrap().modified().unwrap(), made, "what is there is kept");
    // Each class has its own quota.
    options.scheme = Scheme::Own;
    options.per_class = Some(1);
    assert_eq!(render(&options).unwrap().kinds["audio"]["mine"].len(), 2);

    std::fs::write(path, "no sound").unwrap();
    assert!(format!("{:#}", read_clip(path).unwrap_err()).contains("cannot read"));
    std::fs::write(&sf2, "no font").unwrap();
    assert!(render(&options).unwrap_err().to_string().contains("name another"));
}

#[test]
fn without_a_soundfont_the_error_says_what_to_install() {
    let dir = tempfile::tempdir().unwrap();
    let error = find_soundfont(None, dir.path()).unwrap_err().to_string();
    assert!(error.contains("fluid-soundfont-gm") && error.contains("--soundfont"), "{error}");
    let named = dir.path().join("mine.sf2");
    assert!(find_soundfont(Some(&named), dir.path()).unwrap_err().to_string().contains("no soundfont at"));
    put(dir.path(), "zz.sf2", "x");
    put(dir.path(), "TimGM6mb.sf2", "x");
    assert!(find_soundfont(None, dir.path()).unwrap().ends_with("TimGM6mb.sf2"));
}
