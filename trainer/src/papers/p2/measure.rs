//! P2's tables.

use indicatif::ProgressBar;
use sideman_inference::weights;
use sideman_music::Meter;
use sideman_music::encoding::piano_roll::{RollTrack, WINDOW, held};
use sideman_nets::nn::Network;
use sideman_inference::papers::p2::{Cell, Live, VaeRnn};
use sideman_nets::papers::p2::WIDTH;

use super::band::{Chosen, Make, WindowBand};
use super::gru::{self, Choose, Stillness, Trivial, generate, joined};
use super::music::{Keys, Music};
use super::rnn::{Latents, ahead, errors};
use super::rolls::{self, Way, agreement, as_read, tally, told};
use super::study::{COMPARED, Trained};
use super::{Sizes, vae};
use crate::bands::neural;
use crate::corpus::Split;
use crate::evaluate::compare::{PEOPLE, SHUFFLED};
use crate::evaluate::controls::common_velocities;
use crate::evaluate::report::{headline, tables};
use crate::evaluate::table::{Table, number};
use crate::evaluate::{Accompanist, EngineBand, EvalSong, Options, Played, compare, play_all};
use crate::papers::PaperRun;

/// Steps of the prelude and of what the GRU goes on with: four bars and eight.
const PRELUDE: usize = 384;
const GOES_ON: usize = 768;
/// Pieces that the GRU goes on with.
const PRELUDES: usize = 12;

/// What the GRU's study found.
pub(super) struct GruStudy {
    pub(super) tables: Vec<Table>,
    /// A prelude with what the network went on with, and with what people did: (steps, 640).
    pub(super) example: Option<[Vec<f32>; 2]>,
}

/// The GRU against predictors that know nothing, and how far its music stands still.
pub(super) fn gru_study(
    job: &PaperRun,
    music: &Music,
    sizes: &Sizes,
    trained: &Trained,
) -> anyhow::Result<GruStudy> {
    let trivial = Trivial::learn(music);
    let mut losses = Table::new(
        "GRU: nats of binary cross-entropy, a step of 640 cells, and a thousandth of a nat a cell (the paper's L)",
        ["predictor", "valid", "test", "test, 1/1000 a cell"],
    );
    let valid = gru::told(music, sizes.gru, &trained.gru, Split::Valid)?;
    let test = gru::told(music, sizes.gru, &trained.gru, Split::Test)?;
    let mean = |told: &[gru::Told]| told.iter().map(gru::Told::nats).sum::<f64>() / told.len().max(1) as f64;
    let ([alone, again], [alone_test, again_test]) = (trivial.nats(&valid), trivial.nats(&test));
    for (name, a, b) in [
        ("how often each pitch sounds at all", alone, alone_test),
        ("as the step before (two frequencies a track)", again, again_test),
        ("GRU", mean(&valid), mean(&test)),
    ] {
        losses.push([name.to_owned(), number(a), number(b), number(b / WIDTH as f64 * 1e3)]);
    }

    // Thresholds by what the network tells of the valid split, step by step.
    let mut all = rolls::Cells::default();
    valid.iter().for_each(|t| all.add(&t.probability, &t.truth));
    let by_f1 = all.by_f1();
    let by_density = all.by_density();
    let mut still = Table::new(
        "GRU: what it goes on with after four bars of test pieces, eight bars, beside what people do",
        [
            "music",
            "steps unchanged",
            "cells kept",
            "notes > 4 beats",
            "onsets a beat",
            "pitches",
            "cells a step",
        ],
    );
    let mut made: Vec<(String, Vec<Stillness>)> = vec![("people".to_owned(), vec![])];
    let ways = [
        (format!("GRU, threshold {by_f1:.3} (by F1)"), Choose::Threshold(by_f1)),
        (format!("GRU, threshold {by_density:.3} (by density)"), Choose::Threshold(by_density)),
        ("GRU, threshold 0.5".to_owned(), Choose::Threshold(0.5)),
        ("GRU, every cell drawn".to_owned(), Choose::Draw),
    ];
    made.extend(ways.iter().map(|(name, _)| (name.clone(), vec![])));
    let mut example = None;
    let most = if job.is_quick() { 1 } else { PRELUDES };
    let long = |p: &&super::music::Piece| p.rolls(Keys::Own).steps >= PRELUDE + GOES_ON;
    for piece in music.of(Split::Test).filter(long).take(most) {
        let cells = joined(piece.rolls(Keys::Own), 0, PRELUDE + GOES_ON);
        let (prelude, people) = cells.split_at(PRELUDE * WIDTH);
        made[0].1.push(Stillness::of(people));
        for (i, (_, choose)) in ways.iter().enumerate() {
            let own = generate(sizes.gru, &trained.gru, prelude, GOES_ON, *choose, job.seed)?;
            made[i + 1].1.push(Stillness::of(&own));
            if example.is_none() && i == 0 {
                example = Some([[prelude, &own].concat(), cells.clone()]);
            }
        }
    }
    for (name, found) in &made {
        let s = Stillness::mean(found);
        let share = |v: f64| format!("{:.3}", v);
        still.push([
            name.clone(),
            share(s.unchanged),
            share(s.kept),
            share(s.long),
            share(s.onsets),
            number(s.pitches),
            number(s.cells),
        ]);
    }
    Ok(GruStudy { tables: vec![losses, still], example })
}

/// The autoencoders on the test split.
pub(super) fn vae_table(
    music: &Music,
    sizes: &Sizes,
    trained: &Trained,
    bands: &[(Make, VaeRnn)],
) -> anyhow::Result<Table> {
    let mut t = Table::new(
        "VAE: a window that sounds, encoded and decoded, test split (nats a window; F1 of cells at the threshold of the \
         valid split)",
        ["track", "keys", "parameters", "nats of cells", "divergence", "F1", "cells over people's", "silence's nats"],
    )
    .names(2);
    for (make, band) in bands.iter().filter(|b| b.0.cell == Cell::Gru) {
        for track in RollTrack::ALL {
            if *make != Make::PLAYED && !COMPARED.contains(&track) {
                continue;
            }
            let parameters = trained.vae(track, make.keys);
            let (cells, divergence) = vae::cost(music, sizes, parameters, (track, make.keys, Split::Test))?;
            let limits = (sizes.pieces, sizes.windows);
            let all = told(band, music, (Split::Test, make.keys), (track, Way::Again), limits)?;
            let (f1, density) = as_read(&all, band.voice(track).head.decoded);
            let silent: Vec<rolls::Told> = all
                .into_iter()
                .map(|t| rolls::Told { told: vec![share_of(&t.truth); t.truth.len()], truth: t.truth })
                .collect();
            t.push([
                track.name().to_owned(),
                make.keys.text().to_owned(),
                sizes.vae.parameters().to_string(),
                number(cells),
                number(divergence),
                number(f1),
                number(density),
                number(tally(&silent).nats()),
            ]);
        }
    }
    Ok(t)
}

fn share_of(cells: &[f32]) -> f32 {
    cells.iter().filter(|c| **c > 0.0).count() as f32 / cells.len().max(1) as f32
}

/// The recurrent networks on the test split, in shares of the latent values' variance.
pub(super) fn rnn_table(
    music: &Music,
    sizes: &Sizes,
    trained: &Trained,
    networks: &[(RollTrack, Keys, Cell)],
) -> anyhow::Result<Table> {
    let mut t = Table::new(
        "RNN: squared error of the latent values told, test split, over their variance (1: telling their mean)",
        ["track", "keys", "memory", "parameters", "error", "the piano's last window again"],
    )
    .names(3);
    for &(track, keys, cell) in networks {
        let of = |track| Latents::of(music, sizes, trained.vae(track, keys), (track, keys, Split::Test));
        let piano = of(RollTrack::Piano)?;
        let target = if track == RollTrack::Piano { None } else { Some(of(track)?) };
        let target = target.as_ref().unwrap_or(&piano);
        let rnn = sideman_inference::papers::p2::LatentRnn { cell, ..sizes.rnn };
        let (sum, count) = errors(rnn, trained.rnn(track, keys, cell), ahead(track), &piano, target)?;
        let (mean, again) = simple(target);
        t.push([
            track.name().to_owned(),
            keys.text().to_owned(),
            cell.name().to_owned(),
            rnn.parameters().to_string(),
            number(sum / count.max(1) as f64 / mean),
            if track == RollTrack::Piano { number(again / mean) } else { "-".to_owned() },
        ]);
    }
    Ok(t)
}

/// Variance of latent values about their means, and the squared difference of neighbours, a value.
fn simple(latents: &Latents) -> (f64, f64) {
    let wide = latents.latent;
    let (mut sums, mut squares, mut count) = (vec![0f64; wide], vec![0f64; wide], 0usize);
    let (mut steps, mut pairs) = (0f64, 0usize);
    for piece in &latents.pieces {
        for row in piece.chunks_exact(wide) {
            count += 1;
            for (i, &v) in row.iter().enumerate() {
                sums[i] += f64::from(v);
                squares[i] += f64::from(v).powi(2);
            }
        }
        for (a, b) in piece.iter().zip(piece.iter().skip(wide)) {
            steps += f64::from(a - b).powi(2);
            pairs += 1;
        }
    }
    let n = count.max(1) as f64;
    let variance = (0..wide).map(|i| squares[i] / n - (sums[i] / n).powi(2)).sum::<f64>() / wide as f64;
    (variance.max(1e-12), steps / pairs.max(1) as f64)
}

/// Thresholds of the valid split, and what is told at them on the test split.
pub(super) fn told_table(
    music: &Music,
    sizes: &Sizes,
    bands: &[(Make, VaeRnn)],
    chosen: &[Vec<Chosen>],
) -> anyhow::Result<Table> {
    let mut t = Table::new(
        "Told rolls against people's, test split: nats a window, F1 of cells and cells over people's, at thresholds by the \
         valid split",
        [
            "track", "keys, memory", "nats", "threshold by F1", "F1", "cells", "by density", "F1", "cells",
            "F1 told the piano's next window", "F1 of people's last window again",
        ],
    )
    .names(2);
    for ((make, band), chosen) in bands.iter().zip(chosen) {
        for c in chosen {
            if *make != Make::PLAYED && !COMPARED.contains(&c.track) {
                continue;
            }
            let limits = (sizes.pieces, sizes.windows);
            let of = |way| told(band, music, (Split::Test, make.keys), (c.track, way), limits);
            let live = of(Way::Live)?;
            let rule = band.voice(c.track).head.threshold;
            let at = |all: &[rolls::Told], start: f32| {
                as_read(all, sideman_music::encoding::piano_roll::Threshold { start, ..rule })
            };
            let (by_f1, by_density) = (at(&live, c.by_f1), at(&live, c.by_density));
            let known = if c.track == RollTrack::Piano {
                "-".to_owned()
            } else {
                number(at(&of(Way::Hindsight)?, c.by_density).0)
            };
            t.push([
                c.track.name().to_owned(),
                format!("{}, {}", make.keys.text(), make.cell.name()),
                number(tally(&live).nats()),
                number(f64::from(c.by_f1)),
                number(by_f1.0),
                number(by_f1.1),
                number(f64::from(c.by_density)),
                number(by_density.0),
                number(by_density.1),
                known,
                number(again(&live)),
            ]);
        }
    }
    Ok(t)
}

/// F1 of a window with the one before it, of people's.
fn again(all: &[rolls::Told]) -> f64 {
    let (mut right, mut sum) = (0.0, 0.0);
    for t in all {
        let windows: Vec<&[f32]> = t.truth.chunks_exact(sideman_music::encoding::piano_roll::CELLS).collect();
        for pair in windows.windows(2) {
            for (&a, &b) in pair[0].iter().zip(pair[1]) {
                right += f64::from(u8::from(a > 0.0 && b > 0.0));
                sum += f64::from(u8::from(a > 0.0)) + f64::from(u8::from(b > 0.0));
            }
        }
    }
    2.0 * right / f64::max(sum, 1.0)
}

/// The test songs that bands are measured on: people's, 4/4, as `eval band` has them.
pub(super) fn songs(music: &Music, bars: usize) -> Vec<EvalSong> {
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
pub(super) struct BandStudy {
    pub(super) headline: String,
    pub(super) tables: Vec<Table>,
    pub(super) songs: Vec<EvalSong>,
    pub(super) played: Vec<Played>,
}

/// The VAE-RNN beside the band that ships, the rule band, people and the controls.
pub(super) fn band_study(
    job: &PaperRun,
    music: &Music,
    band: &VaeRnn,
    by_f1: &VaeRnn,
) -> anyhow::Result<BandStudy> {
    let songs = songs(music, if job.is_quick() { 8 } else { 64 });
    let table = common_velocities(music.of(Split::Train).map(|p| &p.song.band.parts));
    let live = Live { seed: job.seed, temperature: 1.0, ..Live::default() };
    let shipped = weights::embedded()?.clone();
    let name = shipped.card.name.clone();
    let mut bands: Vec<Box<dyn Accompanist>> = vec![
        Box::new(EngineBand::rules(&table, job.seed)),
        Box::new(neural(&name, shipped, job.seed)),
        Box::new(WindowBand::new("vae-rnn", band, live)),
        Box::new(WindowBand::new("vae-rnn, thresholds by F1", by_f1, live)),
        Box::new(WindowBand::new("vae-rnn, no noise", band, Live { temperature: 0.0, ..live })),
        Box::new(WindowBand::new("vae-rnn, piano foreseen", band, Live { hindsight: true, ..live })),
    ];
    let quick = job.is_quick();
    let options = Options {
        shuffles: 5,
        resamples: if quick { 20 } else { 1000 },
        seed: job.seed,
        told_apart: !quick,
        ..Options::default()
    };
    let progress = ProgressBar::hidden();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    job.say("Bands play");
    let played = play_all(&songs, &mut bands, &table, &options, &progress)?;
    job.say("Bands are measured");
    let comparison = compare(&songs, &played, &options, &progress, &pool);
    let mut all = vec![overlap(&songs, &played)];
    all.extend(tables(&comparison));
    if quick {
        // How fast it was differs from run to run.
        all.retain(|t| !t.rows[0].iter().any(|h| h.contains("real time")) && !t.title.contains("real time"));
    }
    Ok(BandStudy { headline: headline(&comparison), tables: all, songs, played })
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

/// Milliseconds of what the band does at the edge of a window, the median of some.
pub(super) fn edge_milliseconds(band: &VaeRnn) -> anyhow::Result<f64> {
    let piano = band.voice(RollTrack::Piano);
    let mut cells = vec![0.0; sideman_music::encoding::piano_roll::CELLS];
    (0..24).for_each(|i| cells[i * 5 * 128 + 60 + i % 7] = 0.7);
    let mut times = vec![];
    let mut states: Vec<_> = RollTrack::ALL.map(|t| band.voice(t).blank()).to_vec();
    for _ in 0..30 {
        let began = std::time::Instant::now();
        let code = piano.encode(&cells)?;
        let next = piano.predict(&code, &mut states[RollTrack::Piano.index()])?;
        for track in RollTrack::ALL.into_iter().filter(|&t| t != RollTrack::Piano) {
            let voice = band.voice(track);
            voice.predict(&code, &mut states[track.index()])?;
            let z = voice.predict(&next, &mut states[track.index()].clone())?;
            std::hint::black_box(voice.decode(&z)?);
        }
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
