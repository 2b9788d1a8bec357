//! The bar at the top: presets, style, variations and what acts at once.

use egui::{Align2, Rect, Ui, pos2, vec2};

use super::notices::Message;
use super::param_access::Control;
use super::theme;
use super::touch::Touch;
use super::{button, presets};
use crate::instance::Instance;
use crate::presets::{Own, PresetError};

/// Height of the bar.
pub(crate) const HEIGHT: f32 = 30.0;

/// What lasts from frame to frame.
pub(crate) struct Head {
    presets: presets::Menu,
}

impl Head {
    /// With the user's own presets from where they are kept.
    pub(crate) fn new(own: Result<Own, PresetError>) -> Self {
        Self { presets: presets::Menu::new(own) }
    }

    /// Draws the bar. Returns what is to be said about presets, if anything.
    pub(crate) fn show(
        &mut self,
        ui: &Ui,
        touch: &mut Touch<'_>,
        instance: &Instance,
        rect: Rect,
    ) -> Option<Message> {
        // What is wide takes most of what there is beyond the smallest size, so that the bar is always full.
        let spare = (rect.width() - 744.0).max(0.0);
        let mut x = rect.left();
        let mut next = |least: f32, share: f32, gap: f32| {
            let cell = Rect::from_min_size(pos2(x, rect.top() + 2.0), vec2(least + spare * share, 26.0));
            x = cell.right() + gap;
            cell
        };
        let logo = next(84.0, 0.02, 6.0);
        theme::line(ui.painter(), logo, Align2::LEFT_CENTER, "Sideman", theme::font(20.0), theme::TEXT);
        let said = self.presets.show(ui, touch, instance, next(202.0, 0.36, 10.0));
        let tip = "What the band plays; Auto chooses for the music";
        button::chooser(ui, touch, next(130.0, 0.28, 4.0), Control::Style, "Style", tip);
        let tip = "Another band of the same style";
        let words = ["A", "B", "C", "D"];
        button::row(ui, touch, next(114.0, 0.16, 10.0), Control::Variation, &words, tip);
        let tip = "The drums play a fill up to the next bar line";
        button::press(ui, touch, next(52.0, 0.06, 4.0), Control::Fill, "Fill", theme::ACCENT, tip);
        let cell = next(64.0, 0.06, 4.0);
        if touch.shared.overridden(Control::Hold).is_some_and(|v| v > 0.5) {
            let tip = "A taught pedal or key holds the band: it lets go with the pedal";
            button::switch(ui, touch, cell, Control::Freeze, "Held", theme::WARN, tip);
            ui.painter().rect_stroke(cell, 4.0, (1.5, theme::WARN), egui::StrokeKind::Inside);
        } else {
            let tip = "The whole band keeps repeating what it plays, whatever the piano does";
            button::switch(ui, touch, cell, Control::Freeze, "Freeze", theme::ACCENT, tip);
        }
        let tip = "Ends every note at once and begins anew";
        button::press(ui, touch, next(60.0, 0.06, 0.0), Control::Panic, "Panic", theme::BAD, tip);
        said
    }
}
