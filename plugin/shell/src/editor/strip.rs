//! The strip of a part.

use egui::{Align2, Rect, Ui, pos2, vec2};
use sideman_engine::pattern::Pattern;
use sideman_music::Part;

use super::button;
use super::dial::{Dial, field};
use super::param_access::{Control, is_on};
use super::theme;
use super::touch::Touch;

/// Width of a strip in a window of some width.
pub(crate) fn width(window: f32) -> f32 {
    (window * 0.25).clamp(232.0, 290.0)
}

/// What a strip is asked to do beyond its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Choose a MIDI file as the part's pattern.
    Browse(Part),
    /// Make what the part played last its pattern.
    Keep(Part),
    /// Have the part play freely.
    Free(Part),
}

/// Draws the strip of a part. `heard`: whether it sounds now; `pattern`: the pattern that it keeps to.
pub(crate) fn show(
    ui: &Ui,
    touch: &mut Touch<'_>,
    rect: Rect,
    part: Part,
    heard: bool,
    pattern: Option<&Pattern>,
) -> Option<Wish> {
    let on = is_on(touch.access, Control::On(part));
    let own = theme::part(part);
    let colour = if heard { own } else { theme::mix(own, theme::PANEL, 0.45) };
    let painter = ui.painter();
    painter.rect_filled(rect, 4.0, theme::PANEL);

    // The colour at the edge is the meter.
    let bar = Rect::from_min_size(rect.min, vec2(6.0, rect.height()));
    painter.rect_filled(bar, 3.0, theme::mix(own, theme::BACK, 0.3));
    let level = if heard { touch.scene.activity(part) } else { 0.0 };
    let top = bar.bottom() - bar.height() * level.clamp(0.0, 1.0);
    if level > 0.01 {
        painter.rect_filled(Rect::from_min_max(pos2(bar.left(), top), bar.max), 3.0, own);
    }

    let left = rect.left() + 13.0;
    let block = 48.0;
    let first = rect.center().y - block * 0.5;
    let cell =
        |x: f32, row: f32, w: f32| Rect::from_min_size(pos2(left + x, first + row * 26.0), vec2(w, 22.0));
    let tip = "Whether the part plays at all; the others reckon with it. Click, or Space";
    name(ui, touch, cell(0.0, 0.0, 68.0), part, on, colour, tip);
    if part != Part::Drums {
        let tip = "Octaves up or down. Drag, wheel or arrows";
        field(ui, touch, cell(72.0, 0.0, 62.0), Control::Octave(part), "Oct", tip);
    }
    let tip = "Plays on, unheard";
    button::switch(ui, touch, cell(0.0, 1.0, 22.0), Control::Mute(part), "M", theme::WARN, tip);
    let tip = "Only parts with solo are heard";
    button::switch(ui, touch, cell(23.0, 1.0, 22.0), Control::Solo(part), "S", theme::ACCENT, tip);
    let tip = "Keeps repeating what it plays, note by note";
    button::switch(ui, touch, cell(46.0, 1.0, 35.0), Control::Lock(part), "Lock", own, tip);
    let tip = "Forgets what it played and plays something else; not heard while it is locked";
    button::press(ui, touch, cell(82.0, 1.0, 34.0), Control::Redraw(part), "New", own, tip);
    let wish = self::pattern(ui, cell(117.0, 1.0, 18.0), part, own, pattern);

    let dials = left + 140.0;
    let room = rect.height() - 4.0;
    // Where there is room, the values stay in sight.
    let value_below = room >= 80.0;
    let high = room.min(if value_below { 92.0 } else { 62.0 });
    let wide = (rect.right() - 3.0 - dials) * 0.5;
    let dial = |i: f32| {
        Rect::from_min_size(pos2(dials + i * wide, rect.center().y - high * 0.5), vec2(wide - 1.0, high))
    };
    let level = Dial { label: "Level", tip: "How loudly it plays", colour, value_below };
    level.show(ui, touch, dial(0.0), Control::Level(part));
    let density =
        Dial { label: "Density", tip: "How much it plays; 50 % is as the band would", colour, value_below };
    density.show(ui, touch, dial(1.0), Control::Density(part));
    wish
}

/// The button with the menu of the pattern; lit while there is one.
fn pattern(
    ui: &Ui,
    rect: Rect,
    part: Part,
    colour: egui::Color32,
    pattern: Option<&Pattern>,
) -> Option<Wish> {
    let name = format!("{} pattern", part.name());
    let response = button::plain(ui, rect, &name, "…", pattern.map(|_| colour));
    let mut wish = None;
    egui::Popup::menu(&response).show(|ui| {
        ui.set_min_width(170.0);
        let bars = |p: &Pattern| format!("Keeps to {} ({} bars)", p.name(), p.bars());
        ui.label(pattern.map_or_else(|| format!("{} play freely", part.name()), bars));
        if ui.button("Pattern from a MIDI file…").clicked() {
            wish = Some(Wish::Browse(part));
        }
        if ui.button("Keep the last two bars").clicked() {
            wish = Some(Wish::Keep(part));
        }
        if ui.add_enabled(pattern.is_some(), egui::Button::new("Play freely")).clicked() {
            wish = Some(Wish::Free(part));
        }
        if wish.is_some() {
            ui.close();
        }
    });
    let tip = match part {
        Part::Drums => "A pattern of one to four bars that the drums keep to, as it is",
        _ => "A pattern of one to four bars that the part keeps to, on your harmony",
    };
    response.on_hover_text(tip);
    wish
}

/// The name, which is the switch of the part.
fn name(ui: &Ui, touch: &mut Touch<'_>, rect: Rect, part: Part, on: bool, colour: egui::Color32, tip: &str) {
    let (response, _) = touch.switch(ui, rect, Control::On(part), tip);
    let painter = ui.painter();
    if response.hovered() {
        painter.rect_filled(rect, 4.0, theme::RAISED);
    }
    let lamp = pos2(rect.left() + 7.0, rect.center().y);
    if on {
        painter.circle_filled(lamp, 4.5, colour);
    } else {
        painter.circle_stroke(lamp, 4.0, egui::Stroke::new(1.5, theme::DIM));
    }
    let words = Rect::from_min_max(pos2(rect.left() + 16.0, rect.top()), rect.max);
    let letters = if on { theme::TEXT } else { theme::DIM };
    theme::line(painter, words, Align2::LEFT_CENTER, part.name(), theme::font(14.0), letters);
    if response.has_focus() {
        theme::focus_ring(painter, rect);
    }
}
