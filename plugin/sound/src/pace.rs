//! From the rate at which a source can sound well to the host's.

/// Most frames of the source for one of the host's.
const MOST: usize = 4;
/// Taps of the low-pass for each of those frames.
const TAPS: usize = 24;

/// How the source's frames become the host's.
#[derive(Debug)]
pub(crate) enum Pace {
    /// As they are.
    Same,
    /// Several frames of the source to one.
    Down(Box<Down>),
    /// Two frames for one of the source, on straight lines: the source is far above hearing already.
    Double {
        last: [f32; 2],
        /// What comes next, if the frame just made was the one in between.
        next: Option<[f32; 2]>,
    },
}

/// A low-pass before frames are left out.
#[derive(Debug)]
pub(crate) struct Down {
    each: usize,
    taps: [f32; MOST * TAPS],
    /// The source's last frames, the newest at the end.
    heard: [[f32; MOST * TAPS]; 2],
    /// Frames made since the source became silent.
    idle: usize,
}

impl Pace {
    /// A pace with `each` frames of the source (1 to 4) to one of the host.
    pub(crate) fn down(each: usize) -> Self {
        let each = each.clamp(1, MOST);
        if each == 1 {
            return Self::Same;
        }
        let length = each * TAPS;
        let mut taps = [0.0f32; MOST * TAPS];
        for (i, tap) in taps.iter_mut().rev().take(length).enumerate() {
            let x = i as f32 - (length - 1) as f32 / 2.0;
            // Cut at 0.42 of the host's rate, with Blackman's window.
            let w = std::f32::consts::TAU * 0.42 / each as f32;
            let sinc = if x == 0.0 { w } else { (w * x).sin() / x };
            let turn = std::f32::consts::TAU * (i as f32 + 0.5) / length as f32;
            *tap = sinc * (0.42 - 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos());
        }
        let sum: f32 = taps.iter().sum();
        taps.iter_mut().for_each(|t| *t /= sum);
        Self::Down(Box::new(Down { each, taps, heard: [[0.0; MOST * TAPS]; 2], idle: TAPS }))
    }

    /// A pace with two frames of the host to one of the source.
    pub(crate) fn double() -> Self {
        Self::Double { last: [0.0; 2], next: None }
    }

    /// Makes the next frames from `source`, which returns how many frames it made before it fell silent.
    /// Returns how many frames were made before all was silent.
    pub(crate) fn run(
        &mut self,
        mut source: impl FnMut(&mut [f32], &mut [f32]) -> usize,
        left: &mut [f32],
        right: &mut [f32],
    ) -> usize {
        match self {
            Self::Same => source(left, right),
            Self::Down(down) => {
                let frames = left.iter_mut().zip(right);
                let mut made = 0;
                for (left, right) in frames {
                    let Some(frame) = down.next(&mut source) else { break };
                    [*left, *right] = frame;
                    made += 1;
                }
                made
            }
            Self::Double { last, next } => {
                let mut made = 0;
                for (left, right) in left.iter_mut().zip(right) {
                    if let Some(whole) = next.take() {
                        [*left, *right] = whole;
                        *last = whole;
                    } else {
                        let (mut l, mut r) = ([0.0], [0.0]);
                        if source(&mut l, &mut r) == 0 && *last == [0.0; 2] {
                            break;
                        }
                        let whole = [l[0], r[0]];
                        [*left, *right] = [0.5 * (last[0] + l[0]), 0.5 * (last[1] + r[0])];
                        *next = Some(whole);
                    }
                    made += 1;
                }
                made
            }
        }
    }

    /// Whether nothing of the source is still to come.
    pub(crate) fn is_idle(&self) -> bool {
        match self {
            Self::Same => true,
            Self::Down(down) => down.idle >= TAPS,
            Self::Double { last, next } => next.is_none() && *last == [0.0; 2],
        }
    }
}

impl Down {
    fn next(&mut self, source: &mut impl FnMut(&mut [f32], &mut [f32]) -> usize) -> Option<[f32; 2]> {
        let (mut left, mut right) = ([0.0; MOST], [0.0; MOST]);
        let made = source(&mut left[..self.each], &mut right[..self.each]);
        self.idle = if made == 0 { self.idle + 1 } else { 0 };
        if self.idle > TAPS {
            self.idle = TAPS;
            return None;
        }
        // What lies beyond the silence is nothing, whatever the source left there.
        left[made..].fill(0.0);
        right[made..].fill(0.0);
        for (heard, new) in self.heard.iter_mut().zip([left, right]) {
            heard.copy_within(self.each.., 0);
            let end = heard.len() - self.each;
            heard[end..].copy_from_slice(&new[..self.each]);
        }
        Some([0, 1].map(|side| self.heard[side].iter().zip(&self.taps).map(|(x, t)| x * t).sum()))
    }
}
