//! The scrolling piano-roll.

use egui::{
    Align2, Color32, CursorIcon, Painter, Pos2, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2,
    vec2,
};
use sideman_engine::live::{ClockSource, Voice};
use sideman_music::encoding::grid::{DRUM_NAMES, drum_class};
use sideman_music::{PARTS, PULSES_PER_BEAT, Part, Pulse};

use super::scene::Scene;
use super::theme;

/// Share of the width left of the play line.
const PAST: f32 = 0.7;
/// Room for the names of keys and drums.
const GUTTER: f32 = 48.0;
/// Room for bar numbers.
const RULER: f32 = 18.0;
/// Height of a drum's row.
const DRUM_ROW: f32 = 13.0;
/// The drums by their rows, from the top, as their classes.
const DRUM_ROWS: [(&str, &[usize]); 6] = [
    ("cymbal", &[8, 9]),
    ("hat", &[5, 6, 7]),
    ("tom", &[10, 11, 12]),
    ("other", &[13, 14, 15]),
    ("snare", &[1, 2, 3, 4]),
    ("kick", &[0]),
];

/// How the roll is looked at.
pub(crate) struct Roll {
    /// Beats from edge to edge.
    beats: f32,
    /// Lowest and highest pitch shown, on their way to where the notes are.
    low: f32,
    high: f32,
    /// When it was drawn last.
    drawn: f64,
}

impl Default for Roll {
    fn default() -> Self {
        Self { beats: 16.0, low: 34.0, high: 82.0, drawn: f64::NEG_INFINITY }
    }
}

/// A note in the picture.
struct Mark {
    rect: Rect,
    voice: Voice,
    pitch: u8,
    velocity: u8,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Played,
    Decided,
    Expected,
}

/// Where things are in one frame.
struct RollLayout<'a> {
    scene: &'a Scene,
    /// The notes' own area, right of the names.
    keys: Rect,
    drums: Rect,
    line: f32,
    pixels_per_pulse: f64,
    low: f32,
    row: f32,
}

impl RollLayout<'_> {
    fn x(&self, at: f64) -> f32 {
        self.line + ((at - self.scene.now) * self.pixels_per_pulse) as f32
    }

    fn rect(&self, voice: Voice, pitch: u8, onset: Pulse, end: f64) -> Rect {
        let (left, right) = (self.x(onset as f64), self.x(end));
        if voice == Voice::Part(Part::Drums) {
            let row = drum_row(pitch);
            let top = self.drums.top() + row as f32 * DRUM_ROW;
            // A stroke is a moment, however long its note is held.
            return Rect::from_min_size(pos2(left, top + 1.5), vec2(5.0, DRUM_ROW - 3.0));
        }
        let middle = self.keys.bottom() - (f32::from(pitch) - self.low + 0.5) * self.row;
        // Thick enough to be seen in a small window, where rows are thinner than that.
        // Where several play the same key each is seen, the one within the other.
        let share = match voice {
            Voice::Piano => 0.96,
            Voice::Part(Part::Strings) => 0.84,
            Voice::Part(Part::Bass) => 0.72,
            Voice::Part(_) => 0.6,
        };
        let half = (self.row * share).max(3.0) * 0.5;
        Rect::from_min_max(pos2(left, middle - half), pos2(right.max(left + 4.0), middle + half))
    }
}

fn drum_row(key: u8) -> usize {
    let class = drum_class(key);
    DRUM_ROWS.iter().position(|(_, classes)| classes.contains(&class)).unwrap_or(3)
}

impl Roll {
    /// Beats seen left and right of the play line, with a little more.
    pub(crate) fn reach(&self) -> (f32, f32) {
        (self.beats * PAST + 1.0, self.beats * (1.0 - PAST) + 1.0)
    }

    /// Draws the roll. `heard`: the parts that sound; the others are faint.
    pub(crate) fn show(&mut self, ui: &Ui, rect: Rect, scene: &Scene, heard: [bool; PARTS], time: f64) {
        let id = egui::Id::unique("sideman roll");
        let response = ui.interact(rect, id, Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, "Piano roll"));
        self.zoom(ui, &response);

        let painter = ui.painter_at(rect);
        painter.rect_filled(rect, 4.0, theme::PANEL);
        let body =
            Rect::from_min_max(pos2(rect.left() + GUTTER, rect.top() + RULER), rect.max - vec2(0.0, 4.0));
        let drums_high = DRUM_ROWS.len() as f32 * DRUM_ROW;
        let drums = Rect::from_min_max(pos2(body.left(), body.bottom() - drums_high), body.max);
        let keys = Rect::from_min_max(body.min, pos2(body.right(), drums.top() - 6.0));
        self.range(scene, keys, time);
        let line = (body.left() + body.width() * PAST).round();
        let place = RollLayout {
            scene,
            keys,
            drums,
            line,
            pixels_per_pulse: f64::from(body.width()) / (f64::from(self.beats) * PULSES_PER_BEAT as f64),
            low: self.low,
            row: keys.height() / (self.high - self.low + 1.0),
        };

        self.ground(&painter, &place);
        let inside = painter.with_clip_rect(Rect::from_min_max(pos2(body.left(), rect.top()), body.max));
        // What is to come lies on a lighter ground.
        let ahead = Rect::from_min_max(pos2(line, keys.top()), drums.max);
        inside.rect_filled(ahead, 0.0, Color32::from_white_alpha(7));
        grid(&inside, &place, rect.top());
        let marks = marks(&place);
        for mark in &marks {
            paint(&inside, mark, &place, heard);
        }
        inside.vline(line, rect.top() + 2.0..=body.bottom(), Stroke::new(1.5, theme::TEXT));
        theme::triangle(&inside, pos2(line, rect.top() + 6.0), 5.0, false, theme::TEXT);

        let pointed = response.hover_pos().filter(|p| body.contains(*p));
        let under = pointed.and_then(|p| marks.iter().rev().find(|m| m.rect.expand(1.5).contains(p)));
        if let Some(mark) = under {
            inside.rect_stroke(mark.rect.expand(1.5), 2.0, Stroke::new(1.5, theme::TEXT), StrokeKind::Middle);
            ui.ctx().set_cursor_icon(CursorIcon::Crosshair);
            response.show_tooltip_text(describe(mark));
        } else if response.hover_pos().is_some_and(|p| !body.contains(p)) {
            response.on_hover_text_at_pointer("Wheel, or + and - while focused: more or fewer bars");
        }
        if scene.empty && scene.ahead.is_empty() {
            hint(&painter, keys.with_max_x(line), scene.status.source);
        }
    }

    /// The wheel, and + and - while focused, change how much is seen.
    fn zoom(&mut self, ui: &Ui, response: &egui::Response) {
        let mut factor = 1.0_f32;
        if response.hovered() {
            let wheel: f32 = ui.input(|i| {
                i.events
                    .iter()
                    .map(|e| match e {
                        egui::Event::MouseWheel { unit: egui::MouseWheelUnit::Point, delta, .. } => {
                            delta.y / 40.0
                        }
                        egui::Event::MouseWheel { delta, .. } => delta.y,
                        _ => 0.0,
                    })
                    .sum()
            });
            factor *= 1.15_f32.powf(-wheel.clamp(-8.0, 8.0));
        }
        if response.has_focus() {
            theme::focus_ring(ui.painter(), response.rect.shrink(2.0));
            ui.input(|i| {
                for e in &i.events {
                    match e {
                        egui::Event::Text(t) if t == "+" => factor /= 1.25,
                        egui::Event::Text(t) if t == "-" => factor *= 1.25,
                        _ => {}
                    }
                }
            });
        }
        self.beats = (self.beats * factor).clamp(4.0, 64.0);
    }

    /// Lets the range of pitches follow the notes, without haste.
    fn range(&mut self, scene: &Scene, keys: Rect, time: f64) {
        let pitched = scene.notes.iter().filter(|n| n.voice != Voice::Part(Part::Drums)).map(|n| n.pitch);
        let to_come = scene.ahead.iter().filter(|e| e.part != Part::Drums).map(|e| e.note.pitch);
        let (mut low, mut high) = (f32::MAX, f32::MIN);
        for pitch in pitched.chain(to_come).map(f32::from) {
            (low, high) = (low.min(pitch - 2.0), high.max(pitch + 2.0));
        }
        if low > high {
            (low, high) = (34.0, 82.0);
        }
        // Rows become no thicker than can be told from a block of colour.
        let least = (keys.height() / 14.0).clamp(24.0, 88.0);
        if high - low < least {
            let more = (least - (high - low)) * 0.5;
            (low, high) = (low - more, high + more);
        }
        let passed = (time - self.drawn).clamp(0.0, 10.0);
        self.drawn = time;
        let share = 1.0 - (-passed * 3.0).exp() as f32;
        self.low += (low - self.low) * share;
        self.high += (high - self.high) * share;
    }

    /// Black and white keys, the names of the octaves and of the drums.
    fn ground(&self, painter: &Painter, place: &RollLayout<'_>) {
        let (keys, drums) = (place.keys, place.drums);
        painter.rect_filled(keys, 0.0, theme::mix(theme::PANEL, theme::BACK, 0.6));
        painter.rect_filled(drums, 0.0, theme::mix(theme::PANEL, theme::BACK, 0.6));
        let clip =
            painter.with_clip_rect(Rect::from_min_max(pos2(keys.left() - GUTTER, keys.top()), keys.max));
        // The piano has no strip: its colour is named here.
        let swatch = Rect::from_center_size(
            pos2(keys.left() - GUTTER + 9.0, keys.top() - RULER * 0.5),
            vec2(7.0, 7.0),
        );
        painter.rect_filled(swatch, 2.0, theme::voice(Voice::Piano));
        let name =
            Rect::from_min_max(pos2(swatch.right() + 4.0, keys.top() - RULER), pos2(keys.left(), keys.top()));
        theme::line(painter, name, Align2::LEFT_CENTER, "Piano", theme::font(theme::SMALL), theme::DIM);
        let mut last = f32::INFINITY;
        for pitch in self.low.floor() as i32..=self.high.ceil() as i32 {
            let bottom = keys.bottom() - (pitch as f32 - self.low) * place.row;
            if matches!(pitch.rem_euclid(12), 1 | 3 | 6 | 8 | 10) {
                let row =
                    Rect::from_min_max(pos2(keys.left(), bottom - place.row), pos2(keys.right(), bottom));
                clip.rect_filled(row, 0.0, theme::BACK);
            }
            if pitch.rem_euclid(12) == 0 {
                clip.hline(keys.x_range(), bottom, Stroke::new(1.0, theme::RAISED));
                let middle = bottom - place.row * 0.5;
                let fits =
                    middle - 7.0 >= keys.top() && middle + 7.0 <= keys.bottom() && last - middle >= 15.0;
                if fits && (0..128).contains(&pitch) {
                    let name = Rect::from_min_max(
                        pos2(keys.left() - GUTTER, middle - 7.0),
                        pos2(keys.left() - 6.0, middle + 7.0),
                    );
                    theme::line(
                        painter,
                        name,
                        Align2::RIGHT_CENTER,
                        &note_name(pitch as u8),
                        theme::font(theme::SMALL),
                        theme::DIM,
                    );
                    last = middle;
                }
            }
        }
        for (i, (name, _)) in DRUM_ROWS.iter().enumerate() {
            let top = drums.top() + i as f32 * DRUM_ROW;
            let row = Rect::from_min_max(
                pos2(drums.left() - GUTTER + 4.0, top),
                pos2(drums.left() - 6.0, top + DRUM_ROW),
            );
            theme::line(painter, row, Align2::RIGHT_CENTER, name, theme::font(theme::SMALL), theme::DIM);
            if i > 0 {
                painter.hline(
                    drums.x_range(),
                    top,
                    Stroke::new(1.0, theme::mix(theme::RAISED, theme::BACK, 0.5)),
                );
            }
        }
    }
}

/// Bar lines with their numbers, beats, and where the host jumped.
fn grid(painter: &Painter, place: &RollLayout<'_>, top: f32) {
    let scene = place.scene;
    let pulses = |x: f32| scene.now as Pulse + (f64::from(x - place.line) / place.pixels_per_pulse) as Pulse;
    let (from, until) = (pulses(place.keys.left()) - 1, pulses(place.keys.right()) + 1);
    let bottom = place.drums.bottom();
    let beat_wide = place.pixels_per_pulse * PULSES_PER_BEAT as f64;
    let mut free = f32::MIN;
    scene.lines(from, until, |at, number| {
        let x = place.x(at as f64);
        match number {
            Some(number) => {
                painter.vline(x, top + 4.0..=bottom, Stroke::new(1.0, theme::EDGE));
                // The number must not run into the next one, nor out at the right.
                if x >= free && x + 26.0 < place.keys.right() {
                    let room = Rect::from_min_size(pos2(x + 4.0, top + 1.0), vec2(40.0, RULER - 2.0));
                    let text = (number + 1).to_string();
                    let at = theme::line(
                        painter,
                        room,
                        Align2::LEFT_CENTER,
                        &text,
                        theme::font(theme::SMALL),
                        theme::DIM,
                    );
                    free = at.right() + 8.0;
                }
            }
            None if beat_wide > 12.0 => {
                painter.vline(
                    x,
                    top + RULER..=bottom,
                    Stroke::new(1.0, theme::mix(theme::RAISED, theme::BACK, 0.75)),
                );
            }
            None => {}
        }
    });
    for at in scene.jumps() {
        let x = place.x(at as f64);
        painter.vline(x, top + 2.0..=bottom, Stroke::new(2.0, theme::mix(theme::ACCENT, theme::BACK, 0.7)));
    }
}

/// All notes of the picture, those that lie on top last.
fn marks(place: &RollLayout<'_>) -> Vec<Mark> {
    let scene = place.scene;
    let played = scene.notes.iter().map(|n| {
        let end = n.length.map_or(scene.now.max(n.onset as f64), |l| (n.onset + l) as f64);
        let rect = place.rect(n.voice, n.pitch, n.onset, end);
        Mark { rect, voice: n.voice, pitch: n.pitch, velocity: n.velocity, kind: Kind::Played }
    });
    let ahead = scene.ahead.iter().map(|e| {
        let (voice, n) = (Voice::Part(e.part), e.note);
        let rect = place.rect(voice, n.pitch, n.onset, n.end() as f64);
        let kind = if e.decided { Kind::Decided } else { Kind::Expected };
        Mark { rect, voice, pitch: n.pitch, velocity: n.velocity, kind }
    });
    let mut all: Vec<Mark> = played.chain(ahead).collect();
    // The thick ones first, and of each the long ones.
    let layer = |voice| match voice {
        Voice::Piano => 0,
        Voice::Part(Part::Strings) => 1,
        Voice::Part(Part::Bass) => 2,
        Voice::Part(Part::Guitar | Part::Drums) => 3,
    };
    all.sort_by_key(|m| (layer(m.voice), -(m.rect.width() as i32)));
    all
}

fn paint(painter: &Painter, mark: &Mark, place: &RollLayout<'_>, heard: [bool; PARTS]) {
    let mut colour = theme::voice(mark.voice);
    if let Voice::Part(part) = mark.voice
        && !heard[part.index()]
    {
        colour = theme::mix(colour, theme::BACK, 0.3);
    }
    let rect = mark.rect;
    let loud = f32::from(mark.velocity.clamp(1, 127)) / 127.0;
    let sounds = mark.kind == Kind::Played && rect.left() <= place.line && rect.right() >= place.line;
    match mark.kind {
        Kind::Expected => {
            let edge = Stroke::new(1.0, theme::mix(colour, theme::BACK, 0.75));
            painter.rect_stroke(rect, 2.0, edge, StrokeKind::Inside);
        }
        Kind::Played | Kind::Decided => {
            let share = if sounds { 1.0 } else { 0.5 + 0.45 * loud };
            let fill = theme::mix(colour, theme::BACK, share);
            let fill = if sounds { theme::mix(Color32::WHITE, fill, 0.25) } else { fill };
            painter.rect_filled(rect, 2.0, fill);
        }
    }
}

fn note_name(pitch: u8) -> String {
    const NAMES: [&str; 12] = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
    format!("{}{}", NAMES[usize::from(pitch % 12)], i32::from(pitch / 12) - 1)
}

fn describe(mark: &Mark) -> String {
    let (who, what) = match mark.voice {
        Voice::Part(Part::Drums) => ("Drums", DRUM_NAMES[drum_class(mark.pitch)].to_owned()),
        Voice::Part(part) => (part.name(), note_name(mark.pitch)),
        Voice::Piano => ("Piano", note_name(mark.pitch)),
    };
    let when = match mark.kind {
        Kind::Played => "",
        Kind::Decided => ", decided",
        Kind::Expected => ", expected",
    };
    format!("{who} {what}, velocity {}{when}", mark.velocity)
}

/// What to do while there are no notes yet.
fn hint(painter: &Painter, keys: Rect, source: ClockSource) {
    let more: &[&str] = match source {
        ClockSource::Host => &["The host's clock runs."],
        ClockSource::Own => &["The internal clock runs."],
        ClockSource::CountIn => &["Play four even notes: they count the band in."],
        ClockSource::Stopped => {
            &["Start the host, or simply play:", "The internal clock starts with the first note."]
        }
    };
    let place: Pos2 = keys.center();
    let line = |y: f32| Rect::from_center_size(pos2(place.x, place.y + y), vec2(keys.width() - 20.0, 22.0));
    theme::line(
        painter,
        line(-18.0),
        Align2::CENTER_CENTER,
        "Play the piano",
        theme::font(18.0),
        theme::TEXT,
    );
    for (i, text) in more.iter().enumerate() {
        let room = line(5.0 + 18.0 * i as f32);
        theme::line(painter, room, Align2::CENTER_CENTER, text, theme::font(theme::MIDDLE), theme::DIM);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_drum_has_its_row() {
        let mut classes: Vec<usize> = DRUM_ROWS.iter().flat_map(|(_, c)| c.iter().copied()).collect();
        classes.sort_unstable();
        assert_eq!(classes, (0..DRUM_NAMES.len()).collect::<Vec<_>>());
        assert_eq!(DRUM_ROWS[drum_row(36)].0, "kick");
        assert_eq!(DRUM_ROWS[drum_row(51)].0, "cymbal");
    }

    #[test]
    fn middle_c_is_c4() {
        assert_eq!(note_name(60), "C4");
        assert_eq!(note_name(0), "C-1");
        assert_eq!(note_name(127), "G9");
    }
}
