//! Dials and fields: values that are turned.

use std::f32::consts::{FRAC_PI_2, PI};

use egui::{Align2, Color32, Pos2, Rect, Shape, Stroke, Ui, pos2, vec2};

use super::param_access::Control;
use super::theme;
use super::touch::Touch;

/// From the vertical to where the scale begins and ends.
const SPAN: f32 = PI * 0.78;

/// How a dial looks.
pub(crate) struct Dial<'a> {
    /// Text above it.
    pub(crate) label: &'a str,
    /// Text of the tooltip.
    pub(crate) tip: &'a str,
    /// Colour of the value.
    pub(crate) colour: Color32,
    /// Whether the value is shown below; otherwise it replaces the label while the dial is turned.
    pub(crate) value_below: bool,
}

impl Dial<'_> {
    /// Draws it into a rectangle and lets it be turned.
    pub(crate) fn show(&self, ui: &Ui, touch: &mut Touch<'_>, rect: Rect, control: Control) {
        let (response, value) = touch.turn(ui, rect, control, self.tip);
        let lively = response.hovered() || response.has_focus() || response.dragged();
        let painter = ui.painter();
        let text = touch.access.text(control, value);

        let letters = 14.0;
        let head = Rect::from_min_size(rect.min, vec2(rect.width(), letters));
        let below = if self.value_below { letters } else { 0.0 };
        let room =
            Rect::from_min_max(pos2(rect.left(), head.bottom()), pos2(rect.right(), rect.bottom() - below));
        let radius = (room.width().min(room.height()) * 0.5 - 1.0).max(6.0);
        let middle = room.center();

        let small = theme::font(theme::SMALL);
        let foot = Rect::from_min_max(pos2(rect.left(), rect.bottom() - letters), rect.max);
        if self.value_below {
            theme::line(painter, head, Align2::CENTER_CENTER, self.label, small.clone(), theme::DIM);
            theme::line(painter, foot, Align2::CENTER_CENTER, &text, small, theme::TEXT);
        } else {
            let (words, colour) =
                if lively { (text.as_str(), theme::TEXT) } else { (self.label, theme::DIM) };
            theme::line(painter, head, Align2::CENTER_CENTER, words, small, colour);
        }
        // In the gap between the two ends of the scale.
        let dot = pos2(middle.x, middle.y + radius - 3.0);
        self.face(ui, middle, radius, value, touch.access.default(control), lively);
        if response.has_focus() {
            theme::focus_ring(painter, rect);
        }
        touch.dot(ui, dot, control);
    }

    fn face(&self, ui: &Ui, middle: Pos2, radius: f32, value: f32, default: f32, lively: bool) {
        let painter = ui.painter();
        let thick = (radius * 0.2).clamp(2.5, 4.5);
        let ring = radius - thick * 0.5;
        let angle = |v: f32| -FRAC_PI_2 + (v * 2.0 - 1.0) * SPAN;
        painter.add(arc(middle, ring, angle(0.0), angle(1.0), Stroke::new(thick, theme::EDGE)));
        // From the middle where that is "as the band would": then an untouched dial is empty.
        let from = if (default - 0.5).abs() < 0.03 { default } else { 0.0 };
        if (value - from).abs() > 0.004 {
            let (a, b) = (angle(from.min(value)), angle(from.max(value)));
            painter.add(arc(middle, ring, a, b, Stroke::new(thick, self.colour)));
        }
        let fill = if lively { theme::HOVERED } else { theme::RAISED };
        painter.circle_filled(middle, radius - thick - 1.5, fill);
        let way = vec2(angle(value).cos(), angle(value).sin());
        let hand = Stroke::new((thick * 0.6).max(2.0), theme::TEXT);
        painter.line_segment([middle + way * (radius * 0.3), middle + way * (radius - thick - 2.0)], hand);
    }
}

fn arc(middle: Pos2, radius: f32, from: f32, to: f32, stroke: Stroke) -> Shape {
    let steps = (((to - from).abs() * radius / 3.0).ceil() as usize).clamp(2, 64);
    let at = |i: usize| {
        let a = from + (to - from) * i as f32 / steps as f32;
        middle + vec2(a.cos(), a.sin()) * radius
    };
    Shape::line((0..=steps).map(at).collect(), stroke)
}

/// A value in a box: turned as a dial is, for what has steps or is read as a number.
pub(crate) fn field(ui: &Ui, touch: &mut Touch<'_>, rect: Rect, control: Control, label: &str, tip: &str) {
    let (response, value) = touch.turn(ui, rect, control, tip);
    let painter = ui.painter();
    let lively = response.hovered() || response.has_focus() || response.dragged();
    painter.rect_filled(rect, 4.0, if lively { theme::HOVERED } else { theme::RAISED });
    let inner = rect.shrink2(vec2(6.0, 0.0));
    let text = touch.access.text(control, value);
    let font = theme::font(theme::MIDDLE);
    if label.is_empty() {
        theme::line(painter, inner, Align2::CENTER_CENTER, &text, font, theme::TEXT);
    } else {
        let name =
            theme::line(painter, inner, Align2::LEFT_CENTER, label, theme::font(theme::SMALL), theme::DIM);
        let rest = Rect::from_min_max(pos2(name.right() + 4.0, inner.top()), inner.max);
        theme::line(painter, rest, Align2::RIGHT_CENTER, &text, font, theme::TEXT);
    }
    if response.has_focus() {
        theme::focus_ring(painter, rect);
    }
}
