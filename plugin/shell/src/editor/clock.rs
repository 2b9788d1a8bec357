//! The bar with the chord, the clock and the capture.

use egui::{Align2, Rect, Ui, pos2, vec2};
use sideman_engine::live::{ClockSource, Status};
use sideman_music::PULSES_PER_BEAT;

use super::button;
use super::dial::field;
use super::param_access::{Control, is_on};
use super::theme;
use super::touch::Touch;

/// Height of the bar.
pub(crate) const HEIGHT: f32 = 62.0;
/// Width of the group of clock controls.
const CONTROLS: f32 = 262.0;
/// Width of the display of bar and beat.
const POSITION: f32 = 132.0;
/// Width that is left for the capture.
const CAPTURE: f32 = 204.0;

/// Draws the chord, where the music is, and the clock's controls; returns the room that is left at the right.
pub(crate) fn show(ui: &Ui, touch: &mut Touch<'_>, rect: Rect) -> Rect {
    let painter = ui.painter();
    let part = |x: f32, w: f32| Rect::from_min_size(pos2(x, rect.top()), vec2(w, rect.height()));
    let gap = 6.0;
    let chord = part(rect.left(), rect.width() - POSITION - CONTROLS - CAPTURE - 3.0 * gap);
    painter.rect_filled(chord, 4.0, theme::PANEL);
    self::chord(ui, touch, chord);

    let place = part(chord.right() + gap, POSITION);
    painter.rect_filled(place, 4.0, theme::PANEL);
    position(ui, place, &touch.scene.status);

    let controls = part(place.right() + gap, CONTROLS);
    painter.rect_filled(controls, 4.0, theme::PANEL);
    clock(ui, touch, controls.shrink2(vec2(6.0, 7.0)));
    Rect::from_min_max(pos2(controls.right() + gap, rect.top()), rect.max)
}

/// The chord, big, and where there is room the keys that are down.
fn chord(ui: &Ui, touch: &Touch<'_>, rect: Rect) {
    let painter = ui.painter();
    let label = Rect::from_min_size(rect.min + vec2(8.0, 3.0), vec2(60.0, 14.0));
    theme::line(painter, label, Align2::LEFT_CENTER, "Chord", theme::font(theme::SMALL), theme::DIM);
    let keys = (rect.width() - 150.0).min(420.0);
    let right = if keys > 110.0 { rect.right() - keys - 14.0 } else { rect.right() - 6.0 };
    let name = if touch.scene.chord.is_empty() { "–" } else { &touch.scene.chord };
    let room =
        Rect::from_min_max(pos2(rect.left() + 8.0, rect.top() + 15.0), pos2(right, rect.bottom() - 3.0));
    // Long names are written smaller rather than cut.
    let fits = |size: f32| theme::width(painter, name, theme::font(size)) <= room.width();
    let size = [32.0, 26.0, 21.0, 17.0, 14.0].into_iter().find(|&s| fits(s)).unwrap_or(12.0);
    theme::line(painter, room, Align2::CENTER_CENTER, name, theme::font(size), theme::TEXT);
    if keys > 110.0 {
        let board = Rect::from_min_max(pos2(right + 6.0, rect.top() + 9.0), rect.max - vec2(8.0, 9.0));
        keyboard(painter, board, &touch.scene.held());
    }
}

/// A piano keyboard with the keys that are down.
fn keyboard(painter: &egui::Painter, rect: Rect, held: &[u8]) {
    const WHITE: [u8; 7] = [0, 2, 4, 5, 7, 9, 11];
    const BLACK: [(u8, f32); 5] = [(1, 1.0), (3, 2.0), (6, 4.0), (8, 5.0), (10, 6.0)];
    // As many octaves as fit around the middle: two to five.
    let octaves = ((rect.width() / 70.0).floor() as u8).clamp(2, 5);
    let lowest = 60 - 12 * octaves.div_ceil(2);
    let wide = rect.width() / (7.0 * f32::from(octaves));
    let lit = theme::voice(sideman_engine::live::Voice::Piano);
    let down = |pitch: u8| held.contains(&pitch);
    for octave in 0..octaves {
        let first = lowest + 12 * octave;
        let x = |white: f32| rect.left() + (f32::from(octave) * 7.0 + white) * wide;
        for (i, offset) in WHITE.into_iter().enumerate() {
            let key = Rect::from_min_max(
                pos2(x(i as f32), rect.top()),
                pos2(x(i as f32 + 1.0) - 1.0, rect.bottom()),
            );
            let fill = if down(first + offset) { lit } else { theme::HOVERED };
            painter.rect_filled(key, 1.5, fill);
        }
        for (offset, border) in BLACK {
            let half = wide * 0.31;
            let bottom = rect.top() + rect.height() * 0.6;
            let key = Rect::from_min_max(
                pos2(x(border) - half - 0.5, rect.top()),
                pos2(x(border) + half - 0.5, bottom),
            );
            painter.rect_filled(key, 1.0, theme::BACK);
            if down(first + offset) {
                painter.rect_filled(key.shrink(1.0), 1.0, lit);
            }
        }
    }
}

/// Bar, beat, tempo and who says so.
fn position(ui: &Ui, rect: Rect, status: &Status) {
    let painter = ui.painter();
    let (beats, value) = (status.meter.0.max(1), status.meter.1.max(1));
    let beat = (status.in_bar / (4.0 * PULSES_PER_BEAT as f64 / f64::from(value))).floor() as i64;
    let stands = status.source == ClockSource::Stopped;
    let text = format!("{}.{}", status.bar + 1, beat.clamp(0, i64::from(beats) - 1) + 1);
    let upper = Rect::from_min_max(rect.min + vec2(8.0, 6.0), pos2(rect.right() - 6.0, rect.top() + 36.0));
    let colour = if stands { theme::DIM } else { theme::TEXT };
    let at = theme::line(painter, upper, Align2::LEFT_CENTER, &text, theme::mono(24.0), colour);
    let meter = Rect::from_min_max(pos2(at.right() + 6.0, upper.top()), upper.max);
    let written = format!("{beats}/{value}");
    theme::line(painter, meter, Align2::RIGHT_CENTER, &written, theme::font(theme::MIDDLE), theme::DIM);

    let (source, colour) = match status.source {
        ClockSource::Stopped => ("Stopped", theme::DIM),
        ClockSource::CountIn => ("Counting in", theme::WARN),
        ClockSource::Own => ("Own clock", theme::ACCENT),
        ClockSource::Host => ("Host", theme::ACCENT),
    };
    let lower = Rect::from_min_max(pos2(rect.left() + 8.0, rect.bottom() - 24.0), rect.max - vec2(6.0, 4.0));
    let at = theme::line(painter, lower, Align2::LEFT_CENTER, source, theme::font(theme::SMALL), colour);
    if status.bpm > 0.0 {
        let rest = Rect::from_min_max(pos2(at.right() + 4.0, lower.top()), lower.max);
        let bpm = format!("{:.1}", status.bpm);
        theme::line(painter, rest, Align2::RIGHT_CENTER, &bpm, theme::mono(theme::SMALL), theme::DIM);
    }
}

fn clock(ui: &Ui, touch: &mut Touch<'_>, rect: Rect) {
    let cell = |x: f32, row: f32, w: f32| {
        Rect::from_min_size(pos2(rect.left() + x, rect.top() + row * 26.0), vec2(w, 22.0))
    };
    let tip = "Tempo of the internal clock. Drag, wheel or arrows; shift for fine";
    field(ui, touch, cell(0.0, 0.0, 140.0), Control::Tempo, "Tempo", tip);
    let tip = "Tap the tempo in time";
    button::press(ui, touch, cell(144.0, 0.0, 46.0), Control::Tap, "Tap", theme::ACCENT, tip);
    let runs = matches!(touch.scene.status.source, ClockSource::Own | ClockSource::CountIn);
    let word = if runs { "Stop" } else { "Start" };
    let tip = "Starts the internal clock on the spot, or stops it";
    button::press(ui, touch, cell(194.0, 0.0, 56.0), Control::StartStop, word, theme::ACCENT, tip);

    let tip =
        "Which clock the band follows: the host's while it runs and else the own (Auto), or only one of them";
    button::chooser(ui, touch, cell(0.0, 1.0, 92.0), Control::Clock, "Clock", tip);
    let tip = "Metre of the internal clock";
    button::chooser(ui, touch, cell(96.0, 1.0, 70.0), Control::Meter, "", tip);
    let waits = is_on(touch.access, Control::CountIn) && touch.scene.status.source == ClockSource::CountIn;
    let colour = if waits { theme::WARN } else { theme::ACCENT };
    let tip = "The internal clock waits for four even notes, which say the tempo";
    button::switch(ui, touch, cell(170.0, 1.0, 80.0), Control::CountIn, "Count-in", colour, tip);
}
