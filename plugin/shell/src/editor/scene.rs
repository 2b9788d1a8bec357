//! The visible part of the editor state, copied under its lock, and the smooth motion of the play line.

use std::collections::VecDeque;
use std::ops::Range;

use sideman_engine::genre::GenreView;
use sideman_engine::live::{ClockSource, EditorState, Expected, RollNote, Shared, Status, TempoPoint, Voice};
use sideman_music::{PULSES_PER_BEAT, Part, Pulse};

/// Longest note that is looked for before the left edge: eight bars of four.
const LONGEST: Pulse = 32 * PULSES_PER_BEAT;
/// Seconds without news from the audio thread after which time is taken to stand. Blocks can be long.
const STANDS: f64 = 0.25;
/// Pulses of disagreement beyond which the play line jumps rather than catching up.
const JUMP: f64 = PULSES_PER_BEAT as f64 / 2.0;

/// What is drawn, as of one frame.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    /// What the engine says of itself.
    pub(crate) status: Status,
    /// Where the play line is, in pulses of the session.
    pub(crate) now: f64,
    /// Whether time passes.
    pub(crate) moving: bool,
    /// Notes that can be seen, by onset.
    pub(crate) notes: Vec<RollNote>,
    /// Notes ahead, by onset.
    pub(crate) ahead: Vec<Expected>,
    /// Tempo and bars that can be seen, the first at or before the left edge.
    pub(crate) tempos: Vec<TempoPoint>,
    /// Whether anything was ever played.
    pub(crate) empty: bool,
    /// Chord, style and engine, see [`EditorState`].
    pub(crate) chord: String,
    pub(crate) style: String,
    pub(crate) engine: String,
    /// What is known of the genre.
    pub(crate) genre: GenreView,
    /// What the user should know, newest last.
    pub(crate) notices: Vec<String>,
    line: PlayLine,
}

impl Scene {
    /// Looks at the engine at a time in seconds. `beats` are seen behind and ahead of the play line.
    pub(crate) fn look(&mut self, shared: &Shared, time: f64, beats: (f32, f32)) {
        self.status = shared.status();
        (self.now, self.moving) = self.line.follow(&self.status, time);
        let pulses = |b: f32| (f64::from(b) * PULSES_PER_BEAT as f64) as Pulse;
        let now = self.now as Pulse;
        let window = now - pulses(beats.0)..now + pulses(beats.1);
        shared.editor_state(|state| self.copy(state, window));
    }

    /// A made-up scene, time passing.
    #[cfg(test)]
    pub(crate) fn of(state: &EditorState, status: Status, beats: (f32, f32)) -> Self {
        let now = status.session;
        let mut scene =
            Self { status, now, moving: status.source != ClockSource::Stopped, ..Self::default() };
        let pulses = |b: f32| (f64::from(b) * PULSES_PER_BEAT as f64) as Pulse;
        scene.copy(state, now as Pulse - pulses(beats.0)..now as Pulse + pulses(beats.1));
        scene
    }

    /// The short part under the lock: buffers are used again, nothing is drawn.
    fn copy(&mut self, state: &EditorState, window: Range<Pulse>) {
        self.notes.clear();
        let first = state.notes.partition_point(|n| n.onset < window.start - LONGEST);
        let seen = state.notes.range(first..).take_while(|n| n.onset < window.end);
        self.notes.extend(seen.filter(|n| n.length.is_none_or(|l| n.onset + l > window.start)));
        self.ahead.clear();
        self.ahead
            .extend(state.ahead.iter().filter(|e| e.note.onset < window.end && e.note.end() > window.start));
        copy_tempos(&state.tempos, &window, &mut self.tempos);
        self.empty = state.notes.is_empty();
        self.chord.clone_from(&state.chord);
        self.style.clone_from(&state.style);
        self.engine.clone_from(&state.engine);
        self.genre.clone_from(&state.genre);
        self.notices.clone_from(&state.notices);
    }

    /// How loud a part is just now, 0 to 1, for its meter.
    pub(crate) fn activity(&self, part: Part) -> f32 {
        let seconds = |pulses: f64| pulses / PULSES_PER_BEAT as f64 * 60.0 / self.status.bpm.max(20.0);
        let mut loudest = 0.0_f32;
        for n in self.notes.iter().filter(|n| n.voice == Voice::Part(part)) {
            let since = self.now - n.onset as f64;
            let sounds = n.length.is_none_or(|l| ((n.onset + l) as f64) > self.now);
            if since < 0.0 || !self.moving {
                continue;
            }
            // A stroke dies away; what is held falls to a third.
            let rest = if sounds && part != Part::Drums { 0.35 } else { 0.0 };
            let share = ((-seconds(since) * 6.0).exp() as f32).max(rest);
            loudest = loudest.max(share * f32::from(n.velocity) / 127.0);
        }
        loudest
    }

    /// Keys of the piano that are down.
    pub(crate) fn held(&self) -> Vec<u8> {
        let down = self.notes.iter().filter(|n| n.voice == Voice::Piano && n.length.is_none());
        down.map(|n| n.pitch).collect()
    }

    /// Calls with the session pulse and number of every bar line, and with that of every beat within a bar
    /// without number, of those that can be seen up to `until`.
    pub(crate) fn lines(&self, from: Pulse, until: Pulse, mut each: impl FnMut(Pulse, Option<i64>)) {
        for (i, t) in self.tempos.iter().enumerate() {
            let end = self.tempos.get(i + 1).map_or(until, |next| next.at.min(until));
            let begin = if i == 0 { from } else { t.at.max(from) };
            let bar = t.meter.bar_pulses();
            let beats = i64::from(t.meter.numerator.max(1));
            let beat = (bar / beats).max(1);
            let first = (begin - t.bar_start).div_euclid(beat);
            let last = (end - t.bar_start).div_euclid(beat);
            // A view cannot hold more; a damaged state must not hang the editor.
            for k in first..=last.min(first + 2000) {
                let at = t.bar_start + k * beat;
                if at >= begin && at < end {
                    let number = (k.rem_euclid(beats) == 0).then(|| t.bar + k.div_euclid(beats));
                    each(at, number);
                }
            }
        }
    }

    /// Places where the host's position jumped: the start of a loop, for instance.
    pub(crate) fn jumps(&self) -> impl Iterator<Item = Pulse> + '_ {
        self.tempos.windows(2).filter_map(|w| {
            let expected = w[0].position + (w[1].at - w[0].at);
            ((w[1].position - expected).abs() > PULSES_PER_BEAT / 8).then_some(w[1].at)
        })
    }
}

fn copy_tempos(all: &VecDeque<TempoPoint>, window: &Range<Pulse>, into: &mut Vec<TempoPoint>) {
    into.clear();
    let first = all.partition_point(|t| t.at <= window.start).saturating_sub(1);
    into.extend(all.range(first.min(all.len())..).take_while(|t| t.at < window.end).take(4096));
}

/// The play line moves with the picture, not with the audio blocks.
#[derive(Debug, Default)]
struct PlayLine {
    at: f64,
    reported: f64,
    /// When the report last changed, and when it was last looked at.
    news: Option<f64>,
    seen: Option<f64>,
}

impl PlayLine {
    /// Where the line is at a time in seconds, and whether it moves.
    fn follow(&mut self, status: &Status, time: f64) -> (f64, bool) {
        let passed = self.seen.map_or(0.0, |seen| (time - seen).clamp(0.0, 1.0));
        let first = self.seen.is_none();
        self.seen = Some(time);
        if status.session != self.reported {
            // What an editor sees when it opens is no movement yet.
            self.news = (!first).then_some(time);
            self.reported = status.session;
        }
        let since = self.news.map(|news| time - news).filter(|&s| s < STANDS);
        let moving = since.is_some() && status.source != ClockSource::Stopped;
        let rate = if moving { status.bpm.clamp(1.0, 1000.0) / 60.0 * PULSES_PER_BEAT as f64 } else { 0.0 };
        let goal = self.reported + rate * since.unwrap_or(0.0);
        self.at += rate * passed;
        let apart = goal - self.at;
        self.at = if apart.abs() > JUMP { goal } else { self.at + apart * (passed * 6.0).min(1.0) };
        (self.at, moving)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sideman_music::Meter;

    fn point(at: Pulse, position: Pulse, bar_start: Pulse, bar: i64, meter: (u8, u8)) -> TempoPoint {
        let meter = Meter { numerator: meter.0, denominator: meter.1 };
        TempoPoint { at, position, bar_start, bar, meter, bpm: 120.0 }
    }

    #[test]
    fn bars_change_with_the_metre_and_a_loop_is_seen() {
        let scene = Scene {
            tempos: vec![
                point(0, 0, 0, 0, (4, 4)),
                point(1920, 1920, 1920, 1, (3, 4)),
                point(1920 + 1440, 0, 3360, 0, (4, 4)),
            ],
            ..Scene::default()
        };
        let (mut bars, mut beats) = (Vec::new(), 0);
        scene.lines(-100, 5280, |at, number| match number {
            Some(n) => bars.push((at, n)),
            None => beats += 1,
        });
        assert_eq!(bars, [(0, 0), (1920, 1), (3360, 0)]);
        assert_eq!(beats, 3 + 2 + 3);
        assert_eq!(scene.jumps().collect::<Vec<_>>(), [3360]);
    }

    #[test]
    fn the_play_line_is_smooth_between_blocks_and_follows_jumps() {
        let mut line = PlayLine::default();
        let mut status = Status { bpm: 120.0, source: ClockSource::Host, ..Status::default() };
        let (mut last, mut worst) = (0.0, 0.0_f64);
        for frame in 0..600 {
            let time = f64::from(frame) / 60.0;
            // Blocks of 4096 samples at 48 kHz: news every 85 ms only.
            status.session = (time / 0.08533).floor() * 0.08533 * 960.0;
            let (at, _) = line.follow(&status, time);
            if frame > 60 {
                worst = worst.max((at - last - 16.0).abs());
            }
            last = at;
        }
        assert!(worst < 8.0, "a step of {worst} pulses off 16");
        assert!((last - 599.0 / 60.0 * 960.0).abs() < 90.0, "{last}");
        status.session += 50_000.0;
        let (at, moving) = line.follow(&status, 10.0);
        assert!(moving && (at - status.session).abs() < 1.0);
        // No new position for a while: it stays at the last one.
        for frame in 0..120 {
            line.follow(&status, 10.0 + f64::from(frame) / 60.0);
        }
        let (at, moving) = line.follow(&status, 12.1);
        assert!(!moving && (at - status.session).abs() < 1.0, "{at}");
    }

    #[test]
    fn only_what_can_be_seen_is_copied() {
        let mut state = EditorState::default();
        for i in 0..1000 {
            let voice = Voice::Part(Part::Bass);
            state.notes.push_back(RollNote {
                voice,
                onset: i * 480,
                length: Some(240),
                pitch: 40,
                velocity: 90,
            });
        }
        state.notes.push_back(RollNote {
            voice: Voice::Piano,
            onset: 1000 * 480,
            length: None,
            pitch: 60,
            velocity: 80,
        });
        let mut scene = Scene::default();
        scene.copy(&state, 500 * 480..510 * 480);
        assert_eq!(scene.notes.len(), 10);
        // A note that still sounds is seen however long ago it began, within reason.
        scene.copy(&state, 1020 * 480..1030 * 480);
        assert_eq!(scene.notes.len(), 1);
    }
}
