//! Musical form as far as it can be heard: where the piano played before what it plays now.
//!
//! Songs come back to themselves at lags that no fixed look back covers: the second verse is the first
//! one eight or sixteen bars later, often note for note. For every lag of whole bars a running likeness of
//! the piano to itself is kept, and the band gets its own past at the best of them as a fourth source to
//! copy from (docs/band.md).

use sideman_music::PianoFrame;

/// Farthest lag in bars.
const MOST_BARS: usize = 32;
/// Farthest lag in steps.
pub(super) const REACH: usize = 512;
/// Lags that the band looks back at in any case.
const FIXED: [usize; 3] = [1, 2, 4];
/// Share of a running likeness that a new step makes up: about a bar and a half.
const NEWEST: f32 = 1.0 / 24.0;
/// Least likeness that counts.
const ENOUGH: f32 = 0.5;
/// What another lag must be better by to take over.
const BETTER: f32 = 0.06;

/// The running likeness of the piano to its past. No allocation.
#[derive(Debug, Clone)]
pub(super) struct Form {
    /// By lag in bars, from 1.
    likeness: [f32; MOST_BARS],
    /// The lag that is followed, in bars.
    lag: Option<usize>,
    bar: usize,
}

impl Default for Form {
    fn default() -> Self {
        Self { likeness: [0.0; MOST_BARS], lag: None, bar: 16 }
    }
}

/// How alike two steps of the piano are, 0 to 1; none when both are silent.
fn likeness(a: &PianoFrame, b: &PianoFrame) -> Option<f32> {
    let any = (a.sounding | b.sounding).count_ones();
    if any == 0 {
        return None;
    }
    let common = (a.sounding & b.sounding).count_ones() as f32 / any as f32;
    let low = f32::from(u8::from(a.lowest != 255 && b.lowest != 255 && a.lowest % 12 == b.lowest % 12));
    let struck = f32::from(u8::from((a.struck_count > 0) == (b.struck_count > 0)));
    Some(0.6 * common + 0.2 * low + 0.2 * struck)
}

/// What a lag gains because phrases are four and eight bars long.
fn phrase(bars: usize) -> f32 {
    match bars {
        b if b.is_multiple_of(8) => 0.04,
        b if b.is_multiple_of(4) => 0.02,
        _ => 0.0,
    }
}

impl Form {
    /// Takes in a step of a bar of `bar` steps; `then` gives the frame some steps ago, none where nothing was
    /// heard yet. The lag is chosen anew only where `chooses` holds, so that a bar has one source.
    pub(super) fn hear<'a>(
        &mut self,
        now: &PianoFrame,
        bar: usize,
        chooses: bool,
        then: impl Fn(usize) -> Option<&'a PianoFrame>,
    ) {
        if bar != self.bar {
            *self = Self { bar, ..Self::default() };
        }
        let mut best: Option<(usize, f32)> = None;
        for (i, running) in self.likeness.iter_mut().enumerate() {
            let bars = i + 1;
            let Some(frame) = (bars * bar <= REACH).then(|| then(bars * bar)).flatten() else { break };
            if let Some(alike) = likeness(now, frame) {
                *running += NEWEST * (alike - *running);
            }
            let score = *running + phrase(bars);
            if !FIXED.contains(&bars) && *running >= ENOUGH && best.is_none_or(|b| score > b.1) {
                best = Some((bars, score));
            }
        }
        if !chooses {
            return;
        }
        let kept = self.lag.map(|l| self.likeness[l - 1] + phrase(l));
        match (best, kept) {
            (Some((_, score)), Some(kept)) if score < kept + BETTER => {}
            (best, _) => self.lag = best.map(|b| b.0),
        }
    }

    /// The lag in steps at which the piano played what it plays now, if there is one.
    pub(super) fn lag(&self) -> Option<usize> {
        self.lag.map(|l| l * self.bar)
    }

    /// How alike the piano then was, 0 to 1; 0 when nothing is.
    pub(super) fn likeness(&self) -> f32 {
        self.lag.map_or(0.0, |l| self.likeness[l - 1])
    }

    /// How alike the piano was one, two and four bars ago.
    pub(super) fn fixed(&self) -> [f32; 3] {
        FIXED.map(|l| self.likeness[l - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(root: u8) -> PianoFrame {
        let pcs = 1 << root | 1 << ((root + 4) % 12) | 1 << ((root + 7) % 12);
        PianoFrame {
            sounding: pcs,
            struck: pcs,
            lowest: 36 + root,
            highest: 60,
            struck_lowest: 36 + root,
            struck_highest: 60,
            struck_count: 3,
            velocity: 80,
            keys: 3,
        }
    }

    /// Walks bars of one chord each and returns the lag in bars after every bar.
    fn walk(bars: &[u8]) -> Vec<Option<usize>> {
        let (mut form, mut heard) = (Form::default(), Vec::<PianoFrame>::new());
        bars.iter()
            .map(|&root| {
                for step in 0..16 {
                    heard.push(chord(root));
                    let n = heard.len() - 1;
                    form.hear(&heard[n], 16, step == 14, |ago| n.checked_sub(ago).map(|i| &heard[i]));
                }
                form.lag().map(|l| l / 16)
            })
            .collect()
    }

    #[test]
    fn a_verse_that_comes_back_is_found() {
        let verse = [0, 5, 9, 7, 2, 4, 11, 6];
        let bridge = [1, 3, 8, 10, 1, 8];
        let song: Vec<u8> = [&verse[..], &bridge, &verse].concat();
        let lags = walk(&song);
        // Two bars into the second verse it is clear: 14 bars ago.
        assert_eq!(&lags[16..], &[Some(14); 6]);
    }

    #[test]
    fn what_never_came_before_has_no_lag() {
        let lags = walk(&[0, 1, 2, 3, 4, 5, 6, 7]);
        assert!(lags.iter().all(Option::is_none), "{lags:?}");
    }

    #[test]
    fn of_equal_lags_that_of_the_phrase_is_followed() {
        let lags = walk(&[0, 5, 9, 7].repeat(6));
        assert_eq!(lags[23], Some(8));
    }
}
