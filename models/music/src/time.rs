//! Musical time: pulses, ticks, 16th steps, tempo and metre.
//!
//! Three resolutions are in use, all counted from the start of the music:
//! - the **pulse**, 480 to a quarter note, in which scores and the engine place notes;
//! - the **tick**, 24 to a quarter note (paper P2, section "Data"), the grid of the encodings;
//! - the **step**, a 16th note of 6 ticks, at which the band decides.

/// Pulses in a quarter note.
pub const PULSES_PER_BEAT: i64 = 480;
/// Ticks in a quarter note (P2's resolution).
pub const TICKS_PER_BEAT: i64 = 24;
/// Pulses in a tick.
pub const PULSES_PER_TICK: i64 = PULSES_PER_BEAT / TICKS_PER_BEAT;
/// Ticks in a step (a 16th note).
pub const STEP_TICKS: i64 = 6;
/// Pulses in a step (a 16th note).
pub const STEP_PULSES: i64 = STEP_TICKS * PULSES_PER_TICK;

/// A time or a duration in pulses of a 480th of a quarter note.
pub type Pulse = i64;
/// A time or a duration in ticks of a 24th of a quarter note.
pub type Tick = i64;

/// Nearest tick of a pulse; halves go up.
pub fn pulse_to_tick(pulse: Pulse) -> Tick {
    (pulse + PULSES_PER_TICK / 2).div_euclid(PULSES_PER_TICK)
}

/// A metre: `numerator` notes of a `denominator`-th a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meter {
    /// Beats in a bar as written, 1 or more.
    pub numerator: u8,
    /// The note value of a written beat: 1, 2, 4, 8, 16, 32 or 64.
    pub denominator: u8,
}

impl Meter {
    /// Four quarter notes a bar.
    pub const COMMON: Self = Self { numerator: 4, denominator: 4 };

    /// Length of a bar in pulses; at least one.
    pub fn bar_pulses(self) -> Pulse {
        (i64::from(self.numerator) * 4 * PULSES_PER_BEAT / i64::from(self.denominator.max(1))).max(1)
    }

    /// Length of a bar in whole 16th steps, rounded down, at least one.
    pub fn bar_steps(self) -> i64 {
        (self.bar_pulses() / STEP_PULSES).max(1)
    }
}

impl std::fmt::Display for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

/// A position inside the bars of a [`MeterMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BarPosition {
    /// Bar number from 0.
    pub bar: i64,
    /// Pulse at which the bar starts.
    pub bar_start: Pulse,
    /// Pulses since the start of the bar.
    pub offset: Pulse,
    /// The metre in force.
    pub meter: Meter,
}

impl BarPosition {
    /// The start of a first bar of four quarter notes.
    pub const START: Self = Self { bar: 0, bar_start: 0, offset: 0, meter: Meter::COMMON };
}

/// Metre changes over time. Never empty: it starts with a metre at pulse 0.
///
/// A change in the middle of a bar ends that bar early, as notation programs read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterMap {
    /// (start pulse, first bar number, metre), ascending, strictly increasing starts.
    changes: Vec<(Pulse, i64, Meter)>,
}

impl Default for MeterMap {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl MeterMap {
    /// A map from (pulse, metre) changes in any order; of several at one pulse the last holds. Before
    /// the first change the metre is 4/4.
    pub fn new(changes: &[(Pulse, Meter)]) -> Self {
        let mut sorted: Vec<(Pulse, Meter)> = vec![(0, Meter::COMMON)];
        sorted.extend(changes.iter().map(|&(at, m)| (at.max(0), m)));
        sorted.sort_by_key(|c| c.0);
        keep_last(&mut sorted);
        let mut out: Vec<(Pulse, i64, Meter)> = Vec::new();
        for (at, meter) in sorted {
            match out.last_mut() {
                Some(last) if last.2 == meter && (at - last.0) % meter.bar_pulses() == 0 => {}
                Some(&mut (start, bar, m)) => {
                    let len = m.bar_pulses();
                    out.push((at, bar + (at - start + len - 1) / len, meter));
                }
                None => out.push((at, 0, meter)),
            }
        }
        Self { changes: out }
    }

    /// The changes as (pulse, metre), the first at pulse 0.
    pub fn changes(&self) -> impl Iterator<Item = (Pulse, Meter)> + '_ {
        self.changes.iter().map(|c| (c.0, c.2))
    }

    /// Where a pulse lies; negative pulses lie in bars before bar 0 of the first metre.
    pub fn position(&self, pulse: Pulse) -> BarPosition {
        let i = self.changes.partition_point(|c| c.0 <= pulse).saturating_sub(1);
        let (start, first_bar, meter) = self.changes[i];
        let len = meter.bar_pulses();
        let bars = (pulse - start).div_euclid(len);
        let bar_start = start + bars * len;
        BarPosition { bar: first_bar + bars, bar_start, offset: pulse - bar_start, meter }
    }
}

/// Tempo changes over time. Never empty: it starts with a tempo at pulse 0.
#[derive(Debug, Clone, PartialEq)]
pub struct TempoMap {
    /// (start pulse, seconds at that pulse, microseconds a quarter note).
    changes: Vec<(Pulse, f64, u32)>,
}

impl Default for TempoMap {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl TempoMap {
    /// A map from (pulse, microseconds a quarter note) changes in any order; of several at one pulse the
    /// last holds. Before the first change the tempo is 120 beats a minute. A tempo of 0 counts as 1 µs.
    pub fn new(changes: &[(Pulse, u32)]) -> Self {
        let mut sorted: Vec<(Pulse, u32)> = vec![(0, 500_000)];
        sorted.extend(changes.iter().map(|&(at, t)| (at.max(0), t.max(1))));
        sorted.sort_by_key(|c| c.0);
        keep_last(&mut sorted);
        let mut out: Vec<(Pulse, f64, u32)> = Vec::new();
        for (at, tempo) in sorted {
            match out.last_mut() {
                Some(&mut (start, secs, t)) => {
                    if t != tempo {
                        out.push((at, secs + seconds(at - start, t), tempo));
                    }
                }
                None => out.push((at, 0.0, tempo)),
            }
        }
        Self { changes: out }
    }

    /// The changes as (pulse, microseconds a quarter note), the first at pulse 0.
    pub fn changes(&self) -> impl Iterator<Item = (Pulse, u32)> + '_ {
        self.changes.iter().map(|c| (c.0, c.2))
    }

    /// Beats (quarter notes) a minute at a pulse.
    pub fn bpm_at(&self, pulse: Pulse) -> f64 {
        let i = self.changes.partition_point(|c| c.0 <= pulse).saturating_sub(1);
        60e6 / f64::from(self.changes[i].2)
    }

    /// Median tempo from `start` to `end` in quarter notes a minute, weighted by duration in quarter notes; the first
    /// tempo where nothing lies between them.
    pub fn median_bpm(&self, start: Pulse, end: Pulse) -> f32 {
        let mut spans: Vec<(u32, Pulse)> = Vec::with_capacity(self.changes.len());
        for (i, &(at, _, tempo)) in self.changes.iter().enumerate() {
            let until = self.changes.get(i + 1).map_or(end, |c| c.0.min(end));
            spans.push((tempo, (until - at.max(start)).max(0)));
        }
        spans.sort_unstable();
        let half = spans.iter().map(|s| s.1).sum::<Pulse>() / 2;
        let mut sum = 0;
        let tempo = spans.iter().find(|s| {
            sum += s.1;
            sum > half
        });
        (60e6 / f64::from(tempo.map_or(self.changes[0].2, |s| s.0))) as f32
    }

    /// Seconds from pulse 0.
    pub fn seconds_at(&self, pulse: Pulse) -> f64 {
        let i = self.changes.partition_point(|c| c.0 <= pulse).saturating_sub(1);
        let (start, secs, tempo) = self.changes[i];
        secs + seconds(pulse - start, tempo)
    }
}

/// Of several changes at one pulse keeps the last; the list is sorted by pulse.
fn keep_last<T: Copy>(changes: &mut Vec<(Pulse, T)>) {
    changes.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 = later.1;
        }
        same
    });
}

fn seconds(pulses: Pulse, micros_per_beat: u32) -> f64 {
    pulses as f64 * f64::from(micros_per_beat) / (1e6 * PULSES_PER_BEAT as f64)
}
