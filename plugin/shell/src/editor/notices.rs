//! The bar that says what went wrong, or right, until it is dismissed.

use egui::{Align2, Color32, Rect, Sense, Ui, pos2, vec2};
use sideman_engine::live::Shared;

use super::button;
use super::scene::Scene;
use super::theme;

/// Height of the bar, when there is one.
pub(crate) const HEIGHT: f32 = 30.0;

/// What the editor itself has to say.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// What happened, and what to do.
    pub(crate) text: String,
    /// Whether it went wrong.
    pub(crate) bad: bool,
}

/// Text, colour and how many more, of what is to be shown; `None` when all is well.
fn newest(scene: &Scene, message: Option<&Message>) -> Option<(String, Color32, usize)> {
    let mut count = scene.notices.len();
    if let Some(m) = message {
        return Some((m.text.clone(), if m.bad { theme::BAD } else { theme::ACCENT }, count));
    }
    let text = scene.notices.last().cloned().or_else(|| {
        count = 1;
        let silent = "Something failed inside Sideman and was caught: the band is silent. Stop and start the audio, or \
                      load the plugin again; your settings are kept.";
        scene.status.panicked.then(|| silent.to_owned())
    })?;
    Some((text, theme::WARN, count - 1))
}

/// Whether there is something to show.
pub(crate) fn any(scene: &Scene, message: Option<&Message>) -> bool {
    newest(scene, message).is_some()
}

/// Draws the bar.
pub(crate) fn show(ui: &Ui, shared: &Shared, scene: &Scene, message: &mut Option<Message>, rect: Rect) {
    let Some((text, colour, more)) = newest(scene, message.as_ref()) else { return };
    let painter = ui.painter();
    painter.rect_filled(rect, 4.0, theme::mix(colour, theme::BACK, 0.22));
    painter.rect_filled(Rect::from_min_size(rect.min, vec2(4.0, rect.height())), 2.0, colour);
    let close = Rect::from_min_max(pos2(rect.right() - 74.0, rect.top() + 4.0), rect.max - vec2(4.0, 4.0));
    let mut right = close.left() - 8.0;
    if more > 0 {
        let count = format!("and {more} more");
        let wide = theme::width(painter, &count, theme::font(theme::SMALL));
        let room = Rect::from_min_max(pos2(right - wide - 1.0, rect.top()), pos2(right, rect.bottom()));
        theme::line(painter, room, Align2::RIGHT_CENTER, &count, theme::font(theme::SMALL), theme::DIM);
        right = room.left() - 8.0;
    }
    let room = Rect::from_min_max(pos2(rect.left() + 12.0, rect.top()), pos2(right, rect.bottom()));
    theme::line(painter, room, Align2::LEFT_CENTER, &text, theme::font(theme::MIDDLE), theme::TEXT);
    let hover = ui.interact(room, egui::Id::unique("sideman notice"), Sense::hover());
    hover.on_hover_ui(|ui| {
        ui.set_max_width(480.0);
        ui.label(&text);
        for earlier in scene.notices.iter().rev().filter(|n| **n != text) {
            ui.separator();
            ui.label(earlier);
        }
    });
    if button::plain(ui, close, "Dismiss the notice", "Dismiss", None).clicked() {
        // The editor's own message first; what the engine says comes to light then.
        if message.take().is_none() {
            shared.clear_notices();
        }
    }
}
