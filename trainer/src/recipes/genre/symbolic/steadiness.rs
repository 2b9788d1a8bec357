//! How the answer about a piano moves while a piece is played, bar by bar, as in the plugin.

use std::sync::Arc;

use sideman_inference::genre::symbolic::{BarKernel, BarListener, GenreTracker, PHRASE_BARS, Verdict};
use sideman_music::encoding::bar_features::WINDOW_BARS;
use sideman_music::encoding::bar_features::piano::SOUNDING_BARS;

use super::piano::PianoExamples;
use super::recipe::Labels;
use crate::recipes::genre::measure::Calibration;
use crate::report::table::{Table, percent};

/// Counts over all bars of all pieces that follow the first complete window.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Steadiness {
    /// Pieces.
    pub pieces: usize,
    /// Bars.
    pub bars: usize,
    /// Changes of the likeliest class from window to window.
    pub window_changes: usize,
    /// Changes of the verdict shown.
    pub changes: usize,
    /// Of these, changes that do not lie on a phrase boundary.
    pub within_phrases: usize,
    /// Bars with a genre shown.
    pub answered: usize,
    /// Of these, bars whose genre is right.
    pub right: usize,
    /// Windows whose likeliest class is right.
    pub windows_right: usize,
}

/// Plays all pieces to a listener and a tracker.
pub fn steadiness(kernel: &Arc<BarKernel>, calibration: Calibration, labels: &Labels) -> Steadiness {
    let all = PianoExamples::new(&labels.set, &labels.names, &labels.of_items, 1);
    let mut out = Steadiness { pieces: all.pieces.len(), ..Steadiness::default() };
    for piece in &all.pieces {
        let mut listener =
            BarListener::new(kernel.clone(), calibration.temperature, WINDOW_BARS, SOUNDING_BARS);
        let mut tracker = GenreTracker::new(labels.names.len(), calibration.unsure);
        let (mut best_before, mut bar) = (None, 0u32);
        piece.play(0..piece.len(), |figures, sounds| {
            let said = listener.push(figures, sounds);
            let best = said.map(|p| (0..p.len()).fold(0, |b, i| if p[i] > p[b] { i } else { b }));
            let before = tracker.verdict();
            let verdict = tracker.bar(said);
            bar += 1;
            if let Some(best) = best {
                out.bars += 1;
                out.windows_right += usize::from(best == piece.class);
                out.window_changes += usize::from(best_before.is_some_and(|b| b != best));
                best_before = Some(best);
                out.answered += usize::from(matches!(verdict, Verdict::Genre(_)));
                out.right += usize::from(verdict == Verdict::Genre(piece.class));
            }
            // After a long silence phrases are counted anew, from the bar in which it was forgotten what was played.
            if verdict == Verdict::Listening && before != Verdict::Listening {
                bar = 0;
            }
            // The first verdict of a piece, or after silence, is no flip.
            if verdict != before && before != Verdict::Listening && verdict != Verdict::Listening {
                out.changes += 1;
                out.within_phrases += usize::from(!bar.is_multiple_of(PHRASE_BARS));
            }
        });
    }
    out
}

impl Steadiness {
    /// As a table of one line.
    pub fn table(&self, name: &str) -> Table {
        let per = |n: usize| format!("{:.2}", 100.0 * n as f64 / self.bars.max(1) as f64);
        let share = |n: usize, of: usize| percent(n as f64 / of.max(1) as f64);
        let mut table = Table::new(
            "Bar by bar, as it is played: windows as they come, and what is shown",
            [
                "model",
                "pieces",
                "bars",
                "flips / 100 bars",
                "shown flips / 100",
                "within a phrase",
                "right",
                "answered",
                "right of these",
            ],
        );
        table.push([
            name.to_owned(),
            self.pieces.to_string(),
            self.bars.to_string(),
            per(self.window_changes),
            per(self.changes),
            self.within_phrases.to_string(),
            share(self.windows_right, self.bars),
            share(self.answered, self.bars),
            share(self.right, self.answered),
        ]);
        table
    }
}
