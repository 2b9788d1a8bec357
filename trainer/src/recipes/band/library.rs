//! Songs on the grid, and the lanes drawn from them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use sideman_music::encoding::grid;
use sideman_music::{Meter, Part, listen};
use sideman_nets::band::{Batch, GridSong, HistoryCorruption, Lane, statistics};

use super::TrainConfig;
use crate::data::{self, Song, Split, Tier};

/// Songs that end in fewer steps than this share of a batch give way to another.
const LEAST_LEFT: f64 = 0.5;

/// A song as the network sees it, or none when its metre is not on the 16th grid.
pub fn grid_song(song: &Song) -> Option<GridSong> {
    let (bar_steps, half_steps) = match song.meter {
        Meter { numerator: 4, denominator: 4 } => (16, 8),
        Meter { numerator: 2, denominator: 4 } => (8, 8),
        Meter { numerator: 3, denominator: 4 } => (12, 12),
        Meter { numerator: 6, denominator: 8 } => (12, 6),
        Meter { numerator: 12, denominator: 8 } => (24, 12),
        _ => return None,
    };
    Some(GridSong {
        frames: listen::frames(&song.band.piano, song.steps),
        band: grid::encode(&song.band, song.steps),
        parts: song.parts_present,
        bpm: song.bpm,
        tier: if song.tier == Tier::Research || !song.set.starts_with("pairs_mma") && song.set != "mma_synth"
        {
            1.0
        } else {
            0.0
        },
        bar_steps,
        half_steps,
    })
}

/// The songs of a run and their statistics, made alike in scale.
pub struct Library {
    /// Songs.
    pub songs: Vec<Arc<GridSong>>,
    /// Where each song comes from.
    pub origins: Vec<Song>,
    /// Normalised statistics, one row a song.
    pub statistics: Vec<Vec<f32>>,
    /// Mean of each statistic over the training songs.
    pub mean: Vec<f32>,
    /// Deviation of each statistic over the training songs, at least 0.05.
    pub deviation: Vec<f32>,
    /// For each entry of the mix: its songs, and the share of draws up to and including it.
    tiers: Vec<(Vec<u32>, f64)>,
}

impl Library {
    /// Loads the songs of a split that a configuration asks for. The scale of the statistics is taken from
    /// these songs, or from `scale` when it is given.
    ///
    /// # Errors
    /// When the cache cannot be read or holds no fitting song.
    pub fn load(
        cache: &Path,
        config: &TrainConfig,
        split: Split,
        scale: Option<(&[f32], &[f32])>,
    ) -> anyhow::Result<Self> {
        ensure!(split != Split::Test, "the test split is for evaluation alone");
        let (mut songs, mut origins, mut tiers, mut drummers) = (vec![], vec![], vec![], vec![]);
        let mut rng = Pcg64::seed_from_u64(config.seed ^ 0x0D21_77E5);
        let total: f64 = config.mix.iter().map(|m| m.weight).sum();
        let mut share = 0.0;
        for mix in &config.mix {
            let first = songs.len() as u32;
            for mut song in data::load(cache, mix.tier, split)? {
                let fits = song.on_grid >= config.min_on_grid
                    && song.agreement.is_none_or(|a| a >= config.min_agreement);
                let wanted = mix.sets.is_empty() || mix.sets.contains(&song.set);
                if !wanted {
                    continue;
                }
                let Some(mut grid) = grid_song(&song).filter(|_| fits) else { continue };
                if mix.people {
                    grid.tier = 1.0;
                }
                if song.band.piano.is_empty() {
                    drummers.push(songs.len());
                }
                song.band = Default::default();
                songs.push(Arc::new(grid));
                origins.push(song);
            }
            share += mix.weight / total;
            ensure!(songs.len() as u32 > first, "no song of tier {:?} can be used", mix.tier);
            tiers.push(((first..songs.len() as u32).collect(), share));
        }
        for i in drummers {
            let (song, other) = with_a_band(&songs, i, &mut rng);
            songs[i] = Arc::new(song);
            let programs: [Option<u8>; 4] = origins[other].programs;
            origins[i].programs[1..].copy_from_slice(&programs[1..]);
        }
        let mut rows: Vec<Vec<f32>> = songs.iter().map(|s| statistics(s)).collect();
        let (mean, deviation) = match scale {
            Some((m, d)) => (m.to_vec(), d.to_vec()),
            None => scale_of(&rows).context("no songs")?,
        };
        for row in &mut rows {
            for ((v, m), d) in row.iter_mut().zip(&mean).zip(&deviation) {
                *v = (*v - m) / d;
            }
        }
        Ok(Self { songs, origins, statistics: rows, mean, deviation, tiers })
    }

    fn draw(&self, steps: usize, spoil: &HistoryCorruption, rng: &mut Pcg64) -> Lane {
        let at: f64 = rng.random();
        let tier = self.tiers.iter().find(|t| at < t.1).unwrap_or(&self.tiers[self.tiers.len() - 1]);
        let which = tier.0[rng.random_range(0..tier.0.len())];
        let song = self.songs[which as usize].clone();
        let bar = usize::from(song.bar_steps);
        let bars = (song.band.len().saturating_sub(steps) / bar).max(1);
        let start = if rng.random_bool(0.5) { rng.random_range(0..bars) * bar } else { 0 };
        let key = rng.random_range(-5..=6);
        Lane::new(song, key, which, start, spoil, rng)
    }

    /// The batches of a segment, each a function of the configuration's seed and its number alone.
    pub fn segment<'a>(
        &'a self,
        config: &'a TrainConfig,
        segment: usize,
    ) -> impl Iterator<Item = Batch> + 'a {
        let mut rng =
            Pcg64::seed_from_u64(config.seed.wrapping_mul(0x9E37_79B9).wrapping_add(segment as u64));
        let spoil = HistoryCorruption::from(config.spoil);
        let steps = config.steps;
        let mut lanes: Vec<Lane> = (0..config.lanes).map(|_| self.draw(steps, &spoil, &mut rng)).collect();
        (0..config.segment).map(move |_| {
            for lane in &mut lanes {
                if (lane.left() as f64) < steps as f64 * LEAST_LEFT {
                    *lane = self.draw(steps, &spoil, &mut rng);
                }
            }
            Batch::next(&mut lanes, steps, &spoil, &mut rng)
        })
    }

    /// Number of tiers, and the share of draws of each.
    pub fn shares(&self) -> Vec<f64> {
        let mut before = 0.0;
        self.tiers.iter().map(|t| t.1 - std::mem::replace(&mut before, t.1)).collect()
    }

    /// All songs of a tier from their start, unspoilt and in their own key, `lanes` at a time, up to
    /// `limit` steps.
    pub fn walk(
        &self,
        tier: usize,
        lanes: usize,
        steps: usize,
        limit: usize,
    ) -> impl Iterator<Item = Vec<Batch>> + '_ {
        self.tiers[tier].0.chunks(lanes).map(move |group| {
            let mut rng = Pcg64::seed_from_u64(0);
            let mut group: Vec<Lane> = group
                .iter()
                .map(|&i| {
                    Lane::new(self.songs[i as usize].clone(), 0, i, 0, &HistoryCorruption::NONE, &mut rng)
                })
                .collect();
            let longest = group.iter().map(Lane::left).max().unwrap_or(0).min(limit);
            let batches = longest.div_ceil(steps);
            (0..batches).map(|_| Batch::next(&mut group, steps, &HistoryCorruption::NONE, &mut rng)).collect()
        })
    }
}

/// A drummer alone, set over the piano and the rest of the band of another song of about the tempo, from its
/// start over and over. Returns that song's number, too; the drummer's own where there is none.
fn with_a_band(songs: &[Arc<GridSong>], drummer: usize, rng: &mut Pcg64) -> (GridSong, usize) {
    let drums = &songs[drummer];
    let away = |other: &GridSong| (other.bpm.max(1.0) / drums.bpm.max(1.0)).ln().abs();
    let other = (0..64)
        .map(|_| rng.random_range(0..songs.len()))
        .filter(|&i| songs[i].bar_steps == drums.bar_steps && songs[i].parts[1])
        .filter(|&i| songs[i].frames.iter().any(|f| f.keys > 0))
        .min_by(|&a, &b| away(&songs[a]).total_cmp(&away(&songs[b])));
    let mut song = GridSong::clone(drums);
    let Some(which) = other else { return (song, drummer) };
    let other = &songs[which];
    song.frames = other.frames.iter().copied().cycle().take(drums.band.len()).collect();
    let both = drums.band.iter().zip(other.band.iter().cycle());
    song.band = both
        .map(|(drums, rest)| {
            let mut step = *rest;
            step.copy(Part::Drums, drums);
            step
        })
        .collect();
    song.parts = [true, other.parts[1], other.parts[2], other.parts[3]];
    (song, which)
}

/// Mean and deviation by column.
fn scale_of(rows: &[Vec<f32>]) -> Option<(Vec<f32>, Vec<f32>)> {
    let (n, width) = (rows.len() as f32, rows.first()?.len());
    let mean: Vec<f32> = (0..width).map(|i| rows.iter().map(|r| r[i]).sum::<f32>() / n).collect();
    let deviation = (0..width)
        .map(|i| (rows.iter().map(|r| (r[i] - mean[i]).powi(2)).sum::<f32>() / n).sqrt() + 0.05)
        .collect();
    Some((mean, deviation))
}
