//! Buttons, switches and choosers.

use egui::{Align2, Color32, Key, Rect, Response, Ui, pos2, vec2};

use super::param_access::{Control, choice, choose};
use super::theme;
use super::touch::{Touch, clickable, id};

/// Paints the face of a button.
fn face(ui: &Ui, rect: Rect, response: &Response, text: &str, on: Option<Color32>) {
    let painter = ui.painter();
    let fill = match on {
        Some(colour) if response.hovered() => theme::mix(theme::TEXT, colour, 0.2),
        Some(colour) => colour,
        None if response.hovered() => theme::HOVERED,
        None => theme::RAISED,
    };
    painter.rect_filled(rect, 4.0, fill);
    let letters = if on.is_some() { theme::ON_ACCENT } else { theme::TEXT };
    theme::line(
        painter,
        rect.shrink2(vec2(3.0, 0.0)),
        Align2::CENTER_CENTER,
        text,
        theme::font(theme::MIDDLE),
        letters,
    );
    if response.has_focus() {
        theme::focus_ring(painter, rect);
    }
}

/// A switch with words on it, in a colour while it is on.
pub(crate) fn switch(
    ui: &Ui,
    touch: &mut Touch<'_>,
    rect: Rect,
    control: Control,
    text: &str,
    colour: Color32,
    tip: &str,
) -> bool {
    let (response, on) = touch.switch(ui, rect, control, tip);
    face(ui, rect, &response, text, on.then_some(colour));
    on
}

/// A press with words on it.
pub(crate) fn press(
    ui: &Ui,
    touch: &mut Touch<'_>,
    rect: Rect,
    control: Control,
    text: &str,
    colour: Color32,
    tip: &str,
) {
    let (response, down) = touch.press(ui, rect, control, tip);
    face(ui, rect, &response, text, down.then_some(colour));
}

/// A plain button that belongs to no parameter.
pub(crate) fn plain(ui: &Ui, rect: Rect, name: &str, text: &str, on: Option<Color32>) -> Response {
    let response = clickable(ui, rect, egui::Id::unique(("sideman button", name)), name, None);
    face(ui, rect, &response, text, on);
    response
}

/// One of several, as buttons side by side. Returns the rectangle of each.
pub(crate) fn row(ui: &Ui, touch: &mut Touch<'_>, rect: Rect, control: Control, words: &[&str], tip: &str) {
    let taken = choice(touch.access, control);
    let wide = rect.width() / words.len() as f32;
    for (i, word) in words.iter().enumerate() {
        let cell = Rect::from_min_size(
            pos2(rect.left() + wide * i as f32, rect.top()),
            vec2(wide - 2.0, rect.height()),
        );
        let name = format!("{} {word}", touch.access.name(control));
        let response = clickable(ui, cell, id(control).with(i), &name, Some(taken == i));
        face(ui, cell, &response, word, (taken == i).then_some(theme::ACCENT));
        if response.clicked() {
            choose(touch.access, control, i);
        }
        touch.about(ui, &response, control);
        response.on_hover_text(tip);
    }
}

/// A chooser that opens a list. Arrows change the choice without it.
pub(crate) fn chooser(ui: &Ui, touch: &mut Touch<'_>, rect: Rect, control: Control, label: &str, tip: &str) {
    let steps = touch.access.steps(control).unwrap_or(1).max(1);
    let taken = choice(touch.access, control).min(steps);
    let text_of = |touch: &Touch<'_>, i: usize| touch.access.text(control, i as f32 / steps as f32);
    let name = format!("{}: {}", touch.access.name(control), text_of(touch, taken));
    let response = clickable(ui, rect, id(control), &name, None);
    let open = egui::Popup::menu(&response).is_open();
    let painter = ui.painter();
    let lively = response.hovered() || open || response.has_focus();
    painter.rect_filled(rect, 4.0, if lively { theme::HOVERED } else { theme::RAISED });
    let inner =
        Rect::from_min_max(pos2(rect.left() + 7.0, rect.top()), pos2(rect.right() - 18.0, rect.bottom()));
    let mut left = inner.left();
    if !label.is_empty() {
        let at =
            theme::line(painter, inner, Align2::LEFT_CENTER, label, theme::font(theme::SMALL), theme::DIM);
        left = at.right() + 6.0;
    }
    let value = Rect::from_min_max(pos2(left, inner.top()), inner.max);
    theme::line(
        painter,
        value,
        Align2::LEFT_CENTER,
        &text_of(touch, taken),
        theme::font(theme::MIDDLE),
        theme::TEXT,
    );
    theme::triangle(painter, pos2(rect.right() - 10.0, rect.center().y), 4.0, open, theme::DIM);
    if response.has_focus() {
        theme::focus_ring(painter, rect);
        let filter = egui::EventFilter { vertical_arrows: true, ..Default::default() };
        ui.memory_mut(|m| m.set_focus_lock_filter(response.id, filter));
        if !open {
            let (up, down) = ui.input(|i| (i.key_pressed(Key::ArrowUp), i.key_pressed(Key::ArrowDown)));
            if up && taken > 0 {
                choose(touch.access, control, taken - 1);
            } else if down && taken < steps {
                choose(touch.access, control, taken + 1);
            }
        }
    }
    egui::Popup::menu(&response).show(|ui| {
        ui.set_min_width(rect.width().max(110.0));
        for i in 0..=steps {
            if ui.selectable_label(i == taken, text_of(touch, i)).clicked() {
                choose(touch.access, control, i);
            }
        }
    });
    touch.about(ui, &response, control);
    response.on_hover_text(tip);
}
