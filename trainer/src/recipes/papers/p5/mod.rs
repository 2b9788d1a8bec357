//! P5: the next note or chord from the hundred before it.
//!
//! The paper's set is 16 piano pieces in common time and C major. `architectures` has its eight networks and the ten
//! songs, `one_song` its program, which trains on the windows of one song; `unseen_songs` has our network on the same
//! categories, and n-gram counts; `stroke_model` the network of strokes that `sideman continue` plays from.

mod architectures;
mod every_step;
mod export;
mod ngram;
mod one_song;
mod roll;
mod settings;
mod songs;
mod stroke_model;
mod strokes;
mod unseen_songs;
mod windows;

pub use export::{ExportArgs, export};

use sideman_nets::papers::NextNote;

use super::{Paper, PaperInfo, PaperRun, Report};
use settings::Settings;

/// P5: next-note LSTM with convolution.
pub struct P5;

impl Paper for P5 {
    fn info(&self) -> PaperInfo {
        PaperInfo {
            id: "p5",
            title: "Next-note LSTM with convolution",
            what: "eight builds that name the next note or chord, what their losses measure, and a network that goes on \
                   from where a pianist stopped",
            data: "a data folder with the paper's 16 pieces and piano music under open licences",
            quick: "a minute",
            full: "1 hour on one core; the paper's own protocol would take weeks",
        }
    }

    fn run(&self, run: &PaperRun, report: &mut Report) -> anyhow::Result<()> {
        std::fs::create_dir_all(&run.out)?;
        let settings = if run.is_quick() { Settings::quick() } else { Settings::full() };
        let settings = Settings::of(&run.out, settings)?;
        let songs = songs::paper_songs(run)?;
        architectures::songs(&settings, &songs, report)?;
        architectures::sizes(report)?;
        one_song::one_song(run, &settings, &songs, report)?;
        unseen_songs::unseen_songs(run, &settings, &songs, report)?;
        architectures::ten_songs(run, &settings, &songs, report)?;
        stroke_model::strokes(run, &settings, &songs, report)
    }
}

/// Train and test loss of figure 2, by build.
const PAPER: [(f64, f64); 8] = [
    (0.0139, 0.8535),
    (0.0097, 0.7092),
    (0.0139, 0.7834),
    (0.0078, 0.8375),
    (0.0035, 0.7902),
    (0.0186, 0.7539),
    (0.0028, 0.8724),
    (0.0017, 0.6984),
];

/// A build's short name, for folders.
fn short(number: usize) -> String {
    if number == 0 { "baseline".into() } else { format!("build-{number}") }
}

/// A build's name in tables.
fn long(number: usize) -> &'static str {
    NextNote::NAMES[number.min(7)]
}
