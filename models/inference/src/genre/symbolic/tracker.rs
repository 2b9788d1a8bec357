//! A steady answer: what is shown changes at phrase boundaries only, and only when the music has changed.

/// Most classes that are tracked.
pub const MOST_CLASSES: usize = 16;
/// Bars of a phrase.
pub const PHRASE_BARS: u32 = 8;
/// Weight of a new window in the running mean: windows overlap, so that a phrase later a tenth is left of the
/// old ones.
const NEW: f32 = 0.25;
/// How far another genre has to be ahead of the one that is shown, in probability.
const MARGIN: f32 = 0.1;
/// How far above the threshold "unsure" has to get to end, and below it to begin.
const BAND: f32 = 0.05;

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// There was not enough music yet.
    Listening,
    /// Enough music, but no genre is likely enough.
    Unsure,
    /// The class with this number.
    Genre(usize),
}

/// Follows the probabilities of a listener from bar to bar.
///
/// The rule: the probabilities go into a running mean ([`GenreTracker::probabilities`], which moves with every bar
/// and may be shown as such). The verdict is made when the first window is complete, and after that only at
/// phrase boundaries, every [`PHRASE_BARS`] bars from the beginning of the music: the likeliest class takes over
/// when it is 0.1 more probable than the one shown, and "unsure" begins 0.05 below the threshold and ends 0.05
/// above it. So nothing flips within a phrase, and two genres that are equally likely do not alternate. Eight bars
/// without enough music end it: the next verdict is a first one.
///
/// Plain data, deterministic, no allocation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GenreTracker {
    mean: [f32; MOST_CLASSES],
    classes: usize,
    unsure: f32,
    /// Bars since the beginning of the music.
    bars: u32,
    /// Bars since there was enough music last.
    silent: u32,
    shown: Verdict,
}

impl GenreTracker {
    /// Nothing heard yet. `unsure` is the probability below which no genre is shown.
    ///
    /// # Panics
    /// With no classes or more than [`MOST_CLASSES`].
    pub fn new(classes: usize, unsure: f32) -> Self {
        assert!((1..=MOST_CLASSES).contains(&classes), "{classes} classes");
        Self { mean: [0.0; MOST_CLASSES], classes, unsure, bars: 0, silent: 0, shown: Verdict::Listening }
    }

    /// Takes in what a listener says at the end of a bar, and returns what to show from there on.
    ///
    /// # Panics
    /// When there are not as many probabilities as classes.
    pub fn bar(&mut self, said: Option<&[f32]>) -> Verdict {
        self.bars += 1;
        let Some(said) = said else {
            self.silent += 1;
            if self.silent >= PHRASE_BARS && self.shown != Verdict::Listening {
                *self = Self::new(self.classes, self.unsure);
            }
            return self.shown;
        };
        assert_eq!(said.len(), self.classes, "a probability for each class");
        self.silent = 0;
        let first = self.shown == Verdict::Listening;
        let new = if first { 1.0 } else { NEW };
        self.mean.iter_mut().zip(said).for_each(|(m, p)| *m += new * (p - *m));
        if first || self.bars.is_multiple_of(PHRASE_BARS) {
            self.shown = self.decide();
        }
        self.shown
    }

    fn decide(&self) -> Verdict {
        let mut best = 0;
        for c in 1..self.classes {
            if self.mean[c] > self.mean[best] {
                best = c;
            }
        }
        if let Verdict::Genre(shown) = self.shown
            && self.mean[best] < self.mean[shown] + MARGIN
        {
            best = shown;
        }
        let threshold = match self.shown {
            Verdict::Listening => self.unsure,
            Verdict::Unsure => self.unsure + BAND,
            Verdict::Genre(_) => self.unsure - BAND,
        };
        if self.mean[best] >= threshold { Verdict::Genre(best) } else { Verdict::Unsure }
    }

    /// What is shown.
    pub fn verdict(&self) -> Verdict {
        self.shown
    }

    /// The running mean of the probabilities; all 0 before the first window.
    pub fn probabilities(&self) -> &[f32] {
        &self.mean[..self.classes]
    }

    /// Bars left until the verdict may change, 1 to [`PHRASE_BARS`]; also for a style that follows it.
    pub fn bars_to_boundary(&self) -> u32 {
        PHRASE_BARS - self.bars % PHRASE_BARS
    }

    /// Begins anew.
    pub fn reset(&mut self) {
        *self = Self::new(self.classes, self.unsure);
    }
}
