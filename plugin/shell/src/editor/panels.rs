//! The panels at the bottom: the band's dials, the genre, the sound, and the way of the notes.

use std::hash::{BuildHasher, RandomState};

use egui::{Align2, Rect, Stroke, Ui, pos2, vec2};
use sideman_engine::controls::{Kind, Panel};

use super::dial::{Dial, field};
use super::param_access::{Control, set_at_once};
use super::theme;
use super::touch::Touch;
use super::{button, genre};

/// Height of the panels.
pub(crate) const HEIGHT: f32 = 88.0;
/// Least width of the band's dials.
const BAND: f32 = 512.0;
/// Least width of what the band is made from.
const STYLE: f32 = 204.0;
/// Least width of the genre.
const GENRE: f32 = 270.0;
/// Least width of each of the others.
const OTHER: f32 = 286.0;
/// Width of the words that choose a panel where there is no room for all.
const TABS: f32 = 62.0;
const GAP: f32 = 6.0;
const NAMES: [&str; 5] = ["Band", "Style", "Genre", "Sound", "MIDI"];

/// What the sound panel is asked to do beyond its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Choose a soundfont.
    Browse,
    /// Go back to the built-in sound.
    BuiltIn,
}

/// Draws as many panels as there is room for: all, or the first three or two and one of the others, or one. `tab`
/// is the one that is shown where they take turns; `soundfont` the name of the file that sounds, if any.
pub(crate) fn show(
    ui: &Ui,
    touch: &mut Touch<'_>,
    rect: Rect,
    tab: &mut usize,
    soundfont: Option<&str>,
) -> Option<Wish> {
    const LEAST: [f32; NAMES.len()] = [BAND, STYLE, GENRE, OTHER, OTHER];
    let turns = [NAMES.len(), 3, 2].into_iter().find(|&fixed| rect.width() >= least(&LEAST, fixed));
    let fixed = turns.unwrap_or(0);
    let cells = fixed + usize::from(fixed < NAMES.len());
    let more = if fixed == 0 { 0.0 } else { (rect.width() - least(&LEAST, fixed)) / cells as f32 };
    let mut left = rect.left();
    let mut next = |wide: f32| {
        let cell = Rect::from_min_size(pos2(left, rect.top()), vec2(wide, rect.height()));
        left = cell.right() + GAP;
        cell
    };
    let mut wish = None;
    for (panel, least) in LEAST.into_iter().enumerate().take(fixed) {
        wish = one(ui, touch, next(least + more), panel, soundfont).or(wish);
    }
    if fixed < NAMES.len() {
        let shown = (*tab).max(fixed);
        tabs(ui, next(TABS), fixed, shown, tab);
        let rest = Rect::from_min_max(pos2(left, rect.top()), rect.max);
        wish = one(ui, touch, rest, shown, soundfont).or(wish);
    }
    wish
}

/// Least width of the first so many panels with one of the others, or of all.
fn least(panels: &[f32; NAMES.len()], fixed: usize) -> f32 {
    let first: f32 = panels[..fixed].iter().map(|w| w + GAP).sum();
    if fixed == NAMES.len() { first - GAP } else { first + TABS + GAP + OTHER }
}

/// Draws a panel.
fn one(ui: &Ui, touch: &mut Touch<'_>, rect: Rect, panel: usize, soundfont: Option<&str>) -> Option<Wish> {
    match panel {
        0 => band(ui, touch, rect),
        1 => style(ui, touch, rect),
        2 => genre::show(ui, touch, rect),
        3 => return sound(ui, touch, rect, soundfont),
        _ => midi(ui, touch, rect),
    }
    None
}

/// The words that choose among the panels from `first` on.
fn tabs(ui: &Ui, rect: Rect, first: usize, shown: usize, tab: &mut usize) {
    let count = (NAMES.len() - first) as f32;
    let gap = if count > 4.0 { 2.0 } else { 3.0 };
    let high = (rect.height() - (count - 1.0) * gap) / count;
    for (i, name) in NAMES.iter().enumerate().skip(first) {
        let top = rect.top() + (i - first) as f32 * (high + gap);
        let cell = Rect::from_min_size(pos2(rect.left(), top), vec2(rect.width(), high));
        let on = (shown == i).then_some(theme::ACCENT);
        if button::plain(ui, cell, &format!("{name} panel"), name, on).clicked() {
            *tab = i;
        }
    }
}

/// What the band is made from.
fn style(ui: &Ui, touch: &mut Touch<'_>, rect: Rect) {
    ui.painter().rect_filled(rect, 4.0, theme::PANEL);
    let inner = rect.shrink2(vec2(8.0, 6.0));
    let dial = 62.0;
    let left = (inner.width() - dial - 4.0).min(300.0);
    let cell = |row: f32| Rect::from_min_size(pos2(inner.left(), inner.top() + row * 26.0), vec2(left, 22.0));
    let tip = "What the band plays from: Full learned from open and research music, Open from openly licensed \
               music alone, Rules are patterns written by hand. It changes at a bar line";
    button::chooser(ui, touch, cell(0.0), Control::Weights, "Band", tip);
    let tip = "Another style to go towards; how far says the dial";
    button::chooser(ui, touch, cell(1.0), Control::MorphTo, "To", tip);
    let tip = "Bars to listen before the band enters; 0 enters with the first note";
    field(ui, touch, cell(2.0), Control::Listen, "Listen", tip);
    let tip = "How far the band has gone from its style to the other one";
    let morph = Dial { label: "Morph", tip, colour: theme::ACCENT, value_below: true };
    let room = Rect::from_min_size(
        pos2(inner.left() + left + 4.0, rect.top() + 3.0),
        vec2(dial, rect.height() - 6.0),
    );
    morph.show(ui, touch, room, Control::Morph);
}

fn band(ui: &Ui, touch: &mut Touch<'_>, rect: Rect) {
    ui.painter().rect_filled(rect, 4.0, theme::PANEL);
    let inner = rect.shrink2(vec2(4.0, 3.0));
    let wide = inner.width() / 8.0;
    for (i, control) in of_panel(Panel::Band).into_iter().enumerate() {
        let (label, tip) = control.row().label;
        let cell = Rect::from_min_size(
            pos2(inner.left() + i as f32 * wide, inner.top()),
            vec2(wide - 2.0, inner.height()),
        );
        Dial { label, tip, colour: theme::ACCENT, value_below: true }.show(ui, touch, cell, control);
    }
    let seed = Rect::from_min_max(pos2(inner.left() + 7.0 * wide, inner.top()), inner.max);
    let label = Rect::from_min_size(seed.min, vec2(seed.width(), 14.0));
    theme::line(ui.painter(), label, Align2::CENTER_CENTER, "Seed", theme::font(theme::SMALL), theme::DIM);
    let tip = "Everything drawn by chance follows from it: the same seed plays the same to the same piano";
    let middle = seed.center().x;
    let number = Rect::from_center_size(pos2(middle, seed.top() + 29.0), vec2(54.0, 22.0));
    field(ui, touch, number, Control::Seed, "", tip);
    let dice = Rect::from_center_size(pos2(middle, seed.top() + 58.0), vec2(54.0, 24.0));
    let response = button::plain(ui, dice, "Throw the dice for another seed", "", None);
    paint_dice(ui, dice);
    if response.clicked() {
        let thrown = RandomState::new().hash_one(touch.time.to_bits()) % 10_000;
        let value = touch.access.normal_of(Control::Seed, thrown as f32);
        set_at_once(touch.access, Control::Seed, value);
    }
    response.on_hover_text("Throw the dice: another seed");
}

fn paint_dice(ui: &Ui, rect: Rect) {
    let painter = ui.painter();
    let die = Rect::from_center_size(rect.center(), vec2(15.0, 15.0));
    painter.rect_stroke(die, 3.0, Stroke::new(1.3, theme::TEXT), egui::StrokeKind::Inside);
    for (x, y) in [(-3.5, -3.5), (0.0, 0.0), (3.5, 3.5), (3.5, -3.5), (-3.5, 3.5)] {
        painter.circle_filled(die.center() + vec2(x, y), 1.4, theme::TEXT);
    }
}

fn sound(ui: &Ui, touch: &mut Touch<'_>, rect: Rect, soundfont: Option<&str>) -> Option<Wish> {
    let painter = ui.painter();
    painter.rect_filled(rect, 4.0, theme::PANEL);
    let inner = rect.shrink2(vec2(8.0, 6.0));
    let cell = |x: f32, row: f32, w: f32| {
        Rect::from_min_size(pos2(inner.left() + x, inner.top() + row * 26.0), vec2(w, 22.0))
    };
    let left = (inner.width() - 66.0).min(560.0);
    let tip = "The band is heard from here; switch it off when your own instruments play it";
    button::switch(ui, touch, cell(0.0, 0.0, 66.0), Control::Sound, "Sound", theme::ACCENT, tip);
    let tip = "Whether the piano is sounded here, too: Auto does it in the standalone program only";
    button::chooser(ui, touch, cell(70.0, 0.0, left - 70.0), Control::PianoSound, "Piano", tip);

    let label = cell(0.0, 1.0, 60.0);
    theme::line(painter, label, Align2::LEFT_CENTER, "Soundfont", theme::font(theme::SMALL), theme::DIM);
    let name = cell(62.0, 1.0, left - 62.0);
    theme::line(
        painter,
        name,
        Align2::LEFT_CENTER,
        soundfont.unwrap_or("built-in"),
        theme::font(theme::MIDDLE),
        theme::TEXT,
    );

    let half = (left - 4.0) * 0.5;
    let mut wish = None;
    let choose = button::plain(ui, cell(0.0, 2.0, half), "Choose a soundfont", "Choose…", None);
    if choose.clicked() {
        wish = Some(Wish::Browse);
    }
    choose.on_hover_text("Choose a soundfont (.sf2) to sound the band");
    let back = button::plain(ui, cell(half + 4.0, 2.0, half), "Use the built-in sound", "Built-in", None);
    if back.clicked() {
        wish = Some(Wish::BuiltIn);
    }
    back.on_hover_text("Go back to the built-in sound");

    let dial = Rect::from_min_max(
        pos2(inner.left() + left + 6.0, inner.top() - 3.0),
        pos2(inner.left() + left + 66.0, inner.bottom() + 3.0),
    );
    let volume = Dial {
        label: "Volume",
        tip: "Volume of the sound that is made here",
        colour: theme::ACCENT,
        value_below: true,
    };
    volume.show(ui, touch, dial, Control::Volume);
    wish
}

fn midi(ui: &Ui, touch: &mut Touch<'_>, rect: Rect) {
    ui.painter().rect_filled(rect, 4.0, theme::PANEL);
    let inner = rect.shrink2(vec2(8.0, 6.0));
    let wide = ((inner.width() - 4.0) * 0.5).min(220.0);
    let cell = |column: f32, row: f32| {
        Rect::from_min_size(
            pos2(inner.left() + column * (wide + 4.0), inner.top() + row * 26.0),
            vec2(wide, 22.0),
        )
    };
    for (i, control) in of_panel(Panel::Midi).into_iter().enumerate() {
        let ((label, tip), cell) = (control.row().label, cell((i % 2) as f32, (i / 2) as f32));
        match control.row().kind {
            Kind::Choice { .. } => button::chooser(ui, touch, cell, control, label, tip),
            Kind::Switch(_) => _ = button::switch(ui, touch, cell, control, label, theme::ACCENT, tip),
            _ => field(ui, touch, cell, control, label, tip),
        }
    }
}

/// The controls of a panel that is laid out from the table, in order.
fn of_panel(panel: Panel) -> Vec<Control> {
    let position = |c: Control| c.row().panel.filter(|p| p.0 == panel).map(|p| p.1);
    let mut controls: Vec<_> = Control::all().filter(|&c| position(c).is_some()).collect();
    controls.sort_by_key(|&c| position(c));
    controls
}
