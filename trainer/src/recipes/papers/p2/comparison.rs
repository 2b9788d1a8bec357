//! The VAE-RNN beside the band that ships, the rule band and people: tables, pictures and MIDI files.

use image::RgbImage;
use indicatif::ProgressBar;
use sideman_inference::papers::p2::{Live, VaeRnn};
use sideman_inference::weights;
use sideman_music::encoding::piano_roll::{PITCHES, RollTrack, Threshold, WINDOW, found, held, notes};
use sideman_music::{Meter, Note, Part, Score, TempoMap, Track};
use sideman_nets::papers::p2::WIDTH;

use super::bands::WindowBand;
use super::data::Music;
use super::predictions::agreement;
use crate::data::Split;
use crate::eval::bands::neural;
use crate::eval::compare::{PEOPLE, SHUFFLED};
use crate::eval::controls::common_velocities;
use crate::eval::page::roll::{Block, Roll};
use crate::eval::report::{headline, tables};
use crate::eval::{Accompanist, EngineBand, EvalSong, Options, Parts, Played, compare, play_all};
use crate::recipes::papers::PaperRun;
use crate::report::table::{Table, number};
use crate::report::write_whole;

/// Bars of a picture.
const BARS: usize = 12;
/// Songs of which there are pictures and files.
const SONGS: usize = 3;

/// The test songs that bands are measured on: people's, 4/4, as `eval band` has them.
fn songs(music: &Music, bars: usize) -> Vec<EvalSong> {
    let mut songs: Vec<EvalSong> = music
        .of(Split::Test)
        .map(|p| &p.song)
        .filter(|s| s.meter == Meter::COMMON)
        .map(|s| EvalSong::new(&s.id, &s.group, &s.band, s.steps, f64::from(s.bpm), s.parts_present, bars))
        .filter(|s| !s.piano.is_empty() && s.bars >= 8 && s.present.contains(&true))
        .collect();
    songs.sort_by(|a, b| a.name.cmp(&b.name));
    songs
}

/// What the comparison with the band that ships gave.
pub(super) struct Comparison {
    pub(super) headline: String,
    pub(super) tables: Vec<Table>,
    pub(super) songs: Vec<EvalSong>,
    pub(super) played: Vec<Played>,
}

/// The VAE-RNN beside the band that ships, the rule band, people and the controls.
pub(super) fn compare_bands(
    run: &PaperRun,
    music: &Music,
    band: &VaeRnn,
    by_f1: &VaeRnn,
) -> anyhow::Result<Comparison> {
    let songs = songs(music, if run.is_quick() { 8 } else { 64 });
    let table = common_velocities(music.of(Split::Train).map(|p| &p.song.band.parts));
    let live = Live { seed: run.seed, temperature: 1.0, ..Live::default() };
    let shipped = weights::embedded()?.clone();
    let name = shipped.card.name.clone();
    let mut bands: Vec<Box<dyn Accompanist>> = vec![
        Box::new(EngineBand::rules(&table, run.seed)),
        Box::new(neural(&name, shipped, run.seed)),
        Box::new(WindowBand::new("vae-rnn", band, live)),
        Box::new(WindowBand::new("vae-rnn, thresholds by F1", by_f1, live)),
        Box::new(WindowBand::new("vae-rnn, no noise", band, Live { temperature: 0.0, ..live })),
        Box::new(WindowBand::new("vae-rnn, piano foreseen", band, Live { hindsight: true, ..live })),
    ];
    let quick = run.is_quick();
    let options = Options {
        shuffles: 5,
        resamples: if quick { 20 } else { 1000 },
        seed: run.seed,
        discrimination: !quick,
        ..Options::default()
    };
    let progress = ProgressBar::hidden();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    run.log("Bands play");
    let played = play_all(&songs, &mut bands, &table, &options, &progress)?;
    run.log("Bands are measured");
    let comparison = compare(&songs, &played, &options, &progress, &pool);
    let mut all = vec![overlap(&songs, &played)];
    all.extend(tables(&comparison));
    if quick {
        // How fast it was differs from run to run.
        all.retain(|t| !t.rows[0].iter().any(|h| h.contains("real time")) && !t.title.contains("real time"));
    }
    Ok(Comparison { headline: headline(&comparison), tables: all, songs, played })
}

/// Cells of what bands play against people's, from the second window on.
fn overlap(songs: &[EvalSong], played: &[Played]) -> Table {
    let tracks = [RollTrack::Drums, RollTrack::Bass, RollTrack::Guitar, RollTrack::Strings];
    let head = tracks.iter().flat_map(|t| [format!("{} F1", t.name()), "cells".to_owned()]);
    let title = "P2's test rolls: F1 of the cells that sound with people's, and cells over people's";
    let mut t = Table::new(title, std::iter::once("band".to_owned()).chain(head));
    for p in played.iter().filter(|p| p.name != PEOPLE && p.name != SHUFFLED) {
        let mut row = vec![p.name.clone()];
        for track in tracks {
            let Some(part) = track.part() else { continue };
            let (mut right, mut own, mut people) = (0.0, 0.0, 0.0);
            for (song, parts) in songs.iter().zip(&p.parts).filter(|(s, _)| s.has(part)) {
                let of = |notes| held(track, notes, None);
                let to = song.bars as i64 * 96;
                let (a, b) = (of(&parts[part.index()]), of(&song.people[part.index()]));
                let (r, o, q) = agreement(&a, &b, (WINDOW as i64, to));
                (right, own, people) = (right + r, own + o, people + q);
            }
            row.push(number(2.0 * right / f64::max(own + people, 1.0)));
            row.push(number(own / f64::max(people, 1.0)));
        }
        t.push(row);
    }
    t
}

/// Notes of a track of joined cells (steps, 640).
fn track(cells: &[f32], track: RollTrack) -> Vec<Note> {
    let at = track.index() * PITCHES;
    let own: Vec<f32> =
        cells.chunks_exact(WIDTH).flat_map(|row| row[at..at + PITCHES].iter().copied()).collect();
    notes(&found(&own, 0, Threshold::plain(0.5)), 90)
}

/// Joined cells as a picture.
pub(super) fn joined(name: &str, cells: &[f32]) -> anyhow::Result<RgbImage> {
    let parts: Parts = Part::ALL.map(|p| track(cells, RollTrack::of_part(p)));
    let piano = track(cells, RollTrack::Piano);
    let bars = (cells.len() / WIDTH / 96).max(1);
    let title = format!("{name}: four bars of a test piece, then what follows");
    Roll { title: &title, piano: &piano, blocks: &[Block { name, parts: &parts }], first: 0, bars }.draw()
}

/// Songs whose band has many parts, and their numbers.
fn thresholds(study: &Comparison) -> Vec<(usize, &EvalSong)> {
    let mut all: Vec<(usize, &EvalSong)> = study.songs.iter().enumerate().collect();
    all.sort_by_key(|(_, s)| std::cmp::Reverse((s.present.iter().filter(|p| **p).count(), s.bars.min(24))));
    all.into_iter().take(SONGS).collect()
}

/// Rows that are drawn: people's, the band that ships, and the VAE-RNN.
fn rows(study: &Comparison) -> Vec<&Played> {
    let wanted = |name: &str| name == PEOPLE || name == "vae-rnn" || name.starts_with("band");
    study.played.iter().filter(|p| wanted(&p.name)).collect()
}

/// Bands to one piano, under one another.
pub(super) fn pictures(study: &Comparison) -> anyhow::Result<Vec<(String, RgbImage)>> {
    let mut out = vec![];
    for (n, (i, song)) in thresholds(study).into_iter().enumerate() {
        let blocks: Vec<Block> =
            rows(study).iter().map(|p| Block { name: &p.name, parts: &p.parts[i] }).collect();
        let first = if song.bars >= 8 + BARS { 8 } else { 0 };
        let bars = BARS.min(song.bars - first);
        let title: String = song.name.chars().take(90).collect();
        out.push((
            format!("bands-{}", n + 1),
            Roll { title: &title, piano: &song.piano, blocks: &blocks, first, bars }.draw()?,
        ));
    }
    Ok(out)
}

/// Writes the music of the pictures as MIDI files into the report's folder.
pub(super) fn write_examples(run: &PaperRun, study: &Comparison) -> anyhow::Result<()> {
    let folder = run.out.join("examples");
    std::fs::create_dir_all(&folder)?;
    for (n, (i, song)) in thresholds(study).into_iter().enumerate() {
        for p in rows(study) {
            let piano = Track { notes: song.piano.clone(), ..Track::default() };
            let own = Part::ALL.map(|part| Track {
                name: part.name().to_owned(),
                channel: part.channel(),
                program: [0, 33, 25, 48][part.index()],
                is_drums: part == Part::Drums,
                notes: p.parts[i][part.index()].clone(),
                ..Track::default()
            });
            let tempos = TempoMap::new(&[(0, (60e6 / song.bpm.clamp(4.0, 6e6)) as u32)]);
            let score =
                Score { tempos, tracks: std::iter::once(piano).chain(own).collect(), ..Score::default() };
            let name: String = p.name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
            write_whole(&folder.join(format!("{}-{name}.mid", n + 1)), &sideman_music::smf::write(&score))?;
        }
    }
    Ok(())
}
