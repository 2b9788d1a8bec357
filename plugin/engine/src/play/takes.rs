//! What the parts played in their last whole bars, so that locked ones can repeat it.

use sideman_inference::band::{Decision, Forced, StepPosition};
use sideman_music::{BandStep, PARTS, Part};

use crate::play::feel::Half;

/// Longest bar that is remembered as a whole, in steps; longer ones are remembered in pieces of
/// [`PIECE`] steps.
pub(super) const LONGEST: u16 = 32;
const PIECE: u16 = 16;
/// Bars that are remembered of each part: the last two whole ones, and the one that is being played.
const BARS: usize = 3;

/// Where a step lies in its bar, or in its piece of a very long bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    /// Steps since it began.
    pub(super) at: u16,
    /// Its length in steps, as far as is known.
    pub(super) length: u16,
}

impl Spot {
    pub(super) fn of(place: &StepPosition) -> Self {
        let (at, length) = (place.in_bar, place.bar_steps.max(1));
        if length <= LONGEST {
            return Self { at, length };
        }
        let begun = at / PIECE * PIECE;
        Self { at: at - begun, length: (length - begun.min(length - 1)).min(PIECE) }
    }
}

/// What was played in a step: on it or after it, and ahead of it, decided in the step before.
#[derive(Debug, Clone, Copy)]
struct Take {
    what: Decision,
    /// How far each part strayed from the grid, by half.
    strays: [[f64; 2]; PARTS],
}

const NOTHING: Take =
    Take { what: Decision { now: BandStep::EMPTY, early: BandStep::EMPTY }, strays: [[0.0; 2]; PARTS] };

/// What is remembered of a part. `order` holds the numbers of its bars: of the last but one, the last, and
/// the one that is being played.
#[derive(Debug, Clone, Copy)]
struct Track {
    order: [u8; BARS],
    /// Steps of each bar by number; 0 for none.
    lengths: [u16; BARS],
    /// Whether the present bar was played from its beginning without a gap.
    whole: bool,
    repeating: Option<Repeating>,
}

/// How a locked part repeats.
#[derive(Debug, Clone, Copy)]
struct Repeating {
    /// Bars of the pattern, 1 or 2.
    bars: u8,
    /// Which of them is being played.
    turn: u8,
}

impl Track {
    const EMPTY: Self = Self { order: [0, 1, 2], lengths: [0; BARS], whole: false, repeating: None };

    fn length(&self, age: usize) -> u16 {
        self.lengths[usize::from(self.order[age])]
    }

    /// A bar begins.
    fn turn(&mut self) {
        if let Some(r) = &mut self.repeating {
            r.turn = (r.turn + 1) % r.bars;
        } else if self.whole && self.length(2) > 0 {
            self.order.rotate_left(1);
        }
        self.lengths[usize::from(self.order[2])] = 0;
        self.whole = true;
    }

    fn lock(&mut self, locked: bool) {
        match self.repeating {
            None if locked && self.length(1) > 0 => {
                let alike = self.length(0) == self.length(1);
                self.repeating = Some(Repeating { bars: 1 + u8::from(alike), turn: 0 });
            }
            Some(_) if !locked => self.repeating = None,
            _ => {}
        }
    }

    /// Bar and step in it that are to be repeated at a step of the present bar, or of the next one.
    fn source(&self, at: u16, next_bar: bool) -> Option<(usize, usize)> {
        let Repeating { bars, turn } = self.repeating?;
        let turn = (turn + u8::from(next_bar)) % bars;
        let bar = usize::from(self.order[usize::from(2 - bars + turn)]);
        Some((bar, usize::from(at % self.lengths[bar].max(1))))
    }
}

/// The last bars of all parts. No allocation after construction.
#[derive(Debug, Clone)]
pub(super) struct Takes {
    bars: Box<[[Take; LONGEST as usize]; BARS]>,
    tracks: [Track; PARTS],
    /// What is played ahead of the coming step.
    lead: Take,
    /// The present step, and where it lies.
    step: Option<i64>,
    spot: Spot,
}

impl Default for Takes {
    fn default() -> Self {
        Self {
            bars: Box::new([[NOTHING; LONGEST as usize]; BARS]),
            tracks: [Track::EMPTY; PARTS],
            lead: NOTHING,
            step: None,
            spot: Spot { at: 0, length: 16 },
        }
    }
}

impl Takes {
    /// Forgets what was played, but not what is being repeated: what is locked stays so over a stop or jump.
    pub(super) fn reset(&mut self) {
        (self.step, self.lead) = (None, NOTHING);
        for track in &mut self.tracks {
            track.whole = false;
            match &mut track.repeating {
                // From the first bar of the pattern on, once a bar begins.
                Some(r) => r.turn = r.bars - 1,
                None => *track = Track::EMPTY,
            }
        }
    }

    /// Goes on to a step. Returns what the locked parts play in it, if any do.
    pub(super) fn begin(&mut self, place: &StepPosition, locked: [bool; PARTS]) -> Option<Forced> {
        let spot = Spot::of(place);
        let gap = self.step.is_none_or(|s| s + 1 != place.step);
        (self.step, self.spot) = (Some(place.step), spot);
        let lead = std::mem::replace(&mut self.lead, NOTHING);
        let mut forced = Forced::default();
        for (part, locked) in Part::ALL.into_iter().zip(locked) {
            let track = &mut self.tracks[part.index()];
            track.whole &= !gap;
            if spot.at == 0 {
                track.turn();
            }
            track.lock(locked);
            if let Some(take) = self.bars[usize::from(track.order[2])].get_mut(usize::from(spot.at)) {
                take.what.early.copy(part, &lead.what.early);
                take.strays[part.index()] = lead.strays[part.index()];
            }
            for half in [Half::Now, Half::Early] {
                let Some((bar, at)) = self.source(part, half) else { continue };
                let take = &self.bars[bar][at].what;
                forced.parts[part.index()] = true;
                match half {
                    Half::Now => forced.what.now.copy(part, &take.now),
                    Half::Early => forced.what.early.copy(part, &take.early),
                }
            }
        }
        forced.parts.contains(&true).then_some(forced)
    }

    /// Bar and step from which a part repeats half of the present step.
    fn source(&self, part: Part, half: Half) -> Option<(usize, usize)> {
        let track = &self.tracks[part.index()];
        match half {
            Half::Now => track.source(self.spot.at, false),
            Half::Early if self.spot.at + 1 < self.spot.length => track.source(self.spot.at + 1, false),
            Half::Early => track.source(0, true),
        }
    }

    /// Remembers what a part plays in the present step; `played` is false where it does not count, because
    /// the band rests or the part is off.
    pub(super) fn record(&mut self, part: Part, what: &Decision, played: bool) {
        let track = &mut self.tracks[part.index()];
        let bar = usize::from(track.order[2]);
        self.lead.what.early.copy(part, &what.early);
        let Some(take) = self.bars[bar].get_mut(usize::from(self.spot.at)) else {
            track.whole = false;
            return;
        };
        track.whole &= played;
        track.lengths[bar] = self.spot.at + 1;
        take.what.now.copy(part, &what.now);
    }

    /// How far a part that repeats strayed when it played half of the present step first; `None` when it
    /// does not repeat.
    pub(super) fn stray(&self, part: Part, half: Half) -> Option<f64> {
        let (bar, at) = self.source(part, half)?;
        Some(self.bars[bar][at].strays[part.index()][half as usize])
    }

    /// Remembers how far a part strays in the present step, after [`Takes::record`].
    pub(super) fn strays(&mut self, part: Part, half: Half, stray: f64) {
        let bar = usize::from(self.tracks[part.index()].order[2]);
        let take = match half {
            Half::Now => self.bars[bar].get_mut(usize::from(self.spot.at)),
            Half::Early => Some(&mut self.lead),
        };
        if let Some(take) = take {
            take.strays[part.index()][half as usize] = stray;
        }
    }

    /// Steps of the last whole bars of a part, the last one last.
    pub(super) fn last_bars(&self, part: Part) -> impl Iterator<Item = &Decision> {
        let track = &self.tracks[part.index()];
        [0, 1].into_iter().flat_map(move |age| {
            let length = usize::from(track.length(age));
            self.bars[usize::from(track.order[age])][..length].iter().map(|take| &take.what)
        })
    }
}
