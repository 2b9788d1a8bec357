//! P2's pictures of rolls, and the music that is seen in them.

use image::RgbImage;
use sideman_music::encoding::piano_roll::{PITCHES, RollTrack, Threshold, found, notes};
use sideman_music::family::Part;
use sideman_music::score::Note;
use sideman_music::{Score, TempoMap, Track};
use sideman_nets::papers::p2::WIDTH;

use super::measure::BandStudy;
use crate::evaluate::compare::PEOPLE;
use crate::evaluate::page::roll::{Block, Roll};
use crate::evaluate::{EvalSong, Parts, write_whole};
use crate::papers::PaperRun;

/// Bars of a picture.
const BARS: usize = 12;
/// Songs of which there are pictures and files.
const SONGS: usize = 3;

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
fn chosen(study: &BandStudy) -> Vec<(usize, &EvalSong)> {
    let mut all: Vec<(usize, &EvalSong)> = study.songs.iter().enumerate().collect();
    all.sort_by_key(|(_, s)| std::cmp::Reverse((s.present.iter().filter(|p| **p).count(), s.bars.min(24))));
    all.into_iter().take(SONGS).collect()
}

/// Rows that are drawn: people's, the band that ships, and the VAE-RNN.
fn rows(study: &BandStudy) -> Vec<&crate::evaluate::Played> {
    let wanted = |name: &str| name == PEOPLE || name == "vae-rnn" || name.starts_with("band");
    study.played.iter().filter(|p| wanted(&p.name)).collect()
}

/// Bands to one piano, under one another.
pub(super) fn bands(study: &BandStudy) -> anyhow::Result<Vec<(String, RgbImage)>> {
    let mut out = vec![];
    for (n, (i, song)) in chosen(study).into_iter().enumerate() {
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
pub(super) fn write_examples(job: &PaperRun, study: &BandStudy) -> anyhow::Result<()> {
    let folder = job.out.join("examples");
    std::fs::create_dir_all(&folder)?;
    for (n, (i, song)) in chosen(study).into_iter().enumerate() {
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
