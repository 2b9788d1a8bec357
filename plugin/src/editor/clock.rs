//! The bar with the chord, the clock and the capture.

use egui::{Align2, Rect, Ui, pos2, vec2};
use sideman_engine::live::{ClockSource, Status};
use sideman_music::PULSES_PER_BEAT;

use super::button;
use super::dial::field;
use super::hand::{Control, is_on};
use super::theme;
use super::touch::Touch;

/// Height of the bar.
pub(crate) const HEIGHT: f32 = 62.0;
/// Width of the group of clock controls.
const CONTROLS: f32 = 262.0;

/// Draws the chord, where the music is, and the clock's controls; returns the room that is left at the right.
pub(crate) fn show(ui: &Ui, touch: &mut Touch<'_>, rect: Rect) -> Rect {
    let painter = ui.painter();
    let spare = (rect.width() - 744.0).clamp(0.0, 320.0);
    let part = |x: f32, w: f32| Rect::from_min_size(pos2(x, rect.top()), vec2(w, rect.height()));

    let chord = part(rect.left(), 122.0 + spare * 0.4);
    painter.rect_filled(chord, 4.0, theme::PANEL);
    let label = Rect::from_min_size(chord.min + vec2(8.0, 3.0), vec2(60.0, 14.0));
    theme::line(painter, label, Align2::LEFT_CENTER, "Chord", theme::font(theme::SMALL), theme::DIM);
    let name = if touch.scene.chord.is_empty() { "–" } else { &touch.scene.chord };
    let room = Rect::from_min_max(pos2(chord.left() + 8.0, chord.top() + 16.0), chord.max - vec2(6.0, 2.0));
    // Long names are written smaller rather than cut.
    let fits = |size: f32| theme::width(painter, name, theme::font(size)) <= room.width();
    let size = [32.0, 26.0, 21.0, 17.0, 14.0].into_iter().find(|&s| fits(s)).unwrap_or(12.0);
    theme::line(painter, room, Align2::CENTER_CENTER, name, theme::font(size), theme::TEXT);

    let place = part(chord.right() + 6.0, 132.0);
    painter.rect_filled(place, 4.0, theme::PANEL);
    position(ui, place, &touch.scene.status);

    let controls = part(place.right() + 6.0, CONTROLS);
    painter.rect_filled(controls, 4.0, theme::PANEL);
    clock(ui, touch, controls.shrink2(vec2(6.0, 7.0)));
    Rect::from_min_max(pos2(controls.right() + 6.0, rect.top()), rect.max)
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
    let tip = "Tempo of the own clock. Drag, wheel or arrows; shift for fine";
    field(ui, touch, cell(0.0, 0.0, 140.0), Control::Tempo, "Tempo", tip);
    let tip = "Tap the tempo in time";
    button::press(ui, touch, cell(144.0, 0.0, 46.0), Control::Tap, "Tap", theme::ACCENT, tip);
    let runs = matches!(touch.scene.status.source, ClockSource::Own | ClockSource::CountIn);
    let word = if runs { "Stop" } else { "Start" };
    let tip = "Starts the own clock on the spot, or stops it";
    button::press(ui, touch, cell(194.0, 0.0, 56.0), Control::StartStop, word, theme::ACCENT, tip);

    let tip =
        "Which clock the band follows: the host's while it runs and else the own (Auto), or only one of them";
    button::chooser(ui, touch, cell(0.0, 1.0, 92.0), Control::Clock, "Clock", tip);
    let tip = "Metre of the own clock";
    button::chooser(ui, touch, cell(96.0, 1.0, 70.0), Control::Meter, "", tip);
    let waits = is_on(touch.hand, Control::CountIn) && touch.scene.status.source == ClockSource::CountIn;
    let colour = if waits { theme::WARN } else { theme::ACCENT };
    let tip = "The own clock waits for four even notes, which say the tempo";
    button::switch(ui, touch, cell(170.0, 1.0, 80.0), Control::CountIn, "Count-in", colour, tip);
}
