//! Colours, letters and the few shapes that everything is made of.

use egui::{Align2, Color32, CornerRadius, FontFamily, FontId, Painter, Pos2, Rect, Stroke, pos2, vec2};
use sideman_engine::live::Voice;
use sideman_music::Part;
use sideman_music::family::PIANO_COLOUR;

/// Behind everything.
pub(crate) const BACK: Color32 = Color32::from_rgb(0x14, 0x14, 0x19);
/// Behind a group of controls.
pub(crate) const PANEL: Color32 = Color32::from_rgb(0x1D, 0x1D, 0x25);
/// A control at rest.
pub(crate) const RAISED: Color32 = Color32::from_rgb(0x2C, 0x2C, 0x38);
/// A control under the pointer.
pub(crate) const HOVERED: Color32 = Color32::from_rgb(0x3A, 0x3A, 0x49);
/// Edges and the empty part of a dial.
pub(crate) const EDGE: Color32 = Color32::from_rgb(0x46, 0x46, 0x57);
/// Letters.
pub(crate) const TEXT: Color32 = Color32::from_rgb(0xE9, 0xE7, 0xF0);
/// Letters that only name something.
pub(crate) const DIM: Color32 = Color32::from_rgb(0xA9, 0xA6, 0xB8);
/// What is on, and the values of dials that belong to no part.
pub(crate) const ACCENT: Color32 = Color32::from_rgb(0xC4, 0xB5, 0xFD);
/// Letters on what is on.
pub(crate) const ON_ACCENT: Color32 = Color32::from_rgb(0x17, 0x14, 0x22);
/// What wants attention.
pub(crate) const WARN: Color32 = Color32::from_rgb(0xFF, 0xB4, 0x54);
/// What went wrong, and what ends everything.
pub(crate) const BAD: Color32 = Color32::from_rgb(0xFF, 0x7B, 0x7B);

/// Smallest letters, in points.
pub(crate) const SMALL: f32 = 11.0;
/// Letters of controls.
pub(crate) const MIDDLE: f32 = 12.5;

/// Colour of a part.
pub(crate) fn part(part: Part) -> Color32 {
    let [r, g, b] = part.colour();
    Color32::from_rgb(r, g, b)
}

/// Colour of whoever plays.
pub(crate) fn voice(voice: Voice) -> Color32 {
    match voice {
        Voice::Part(p) => part(p),
        Voice::Piano => {
            let [r, g, b] = PIANO_COLOUR;
            Color32::from_rgb(r, g, b)
        }
    }
}

/// `share` of `a` over `b`, 0 to 1.
pub(crate) fn mix(a: Color32, b: Color32, share: f32) -> Color32 {
    let f = |x: u8, y: u8| (f32::from(x) * share + f32::from(y) * (1.0 - share)).round() as u8;
    Color32::from_rgb(f(a.r(), b.r()), f(a.g(), b.g()), f(a.b(), b.b()))
}

/// Proportional letters.
pub(crate) fn font(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// Letters of one width, for figures that change.
pub(crate) fn mono(size: f32) -> FontId {
    FontId::new(size, FontFamily::Monospace)
}

/// Gives menus, fields and tooltips the same looks.
pub(crate) fn apply(ctx: &egui::Context) {
    ctx.set_theme(egui::Theme::Dark);
    // The host's own shortcuts.
    ctx.options_mut(|o| o.zoom_with_keyboard = false);
    ctx.all_styles_mut(|style| {
        use egui::TextStyle::{Body, Button, Heading, Monospace, Small};
        style.text_styles = [
            (Small, font(SMALL)),
            (Body, font(MIDDLE)),
            (Button, font(MIDDLE)),
            (Heading, font(16.0)),
            (Monospace, mono(12.0)),
        ]
        .into();
        style.spacing.item_spacing = vec2(6.0, 4.0);
        style.spacing.button_padding = vec2(7.0, 3.0);
        style.spacing.menu_margin = egui::Margin::same(6);
        style.interaction.tooltip_delay = 0.6;
        let v = &mut style.visuals;
        v.panel_fill = BACK;
        v.window_fill = PANEL;
        v.window_stroke = Stroke::new(1.0, EDGE);
        v.extreme_bg_color = BACK;
        v.faint_bg_color = RAISED;
        v.override_text_color = None;
        v.selection.bg_fill = mix(ACCENT, BACK, 0.45);
        v.selection.stroke = Stroke::new(1.0, ACCENT);
        let looks = [
            (&mut v.widgets.noninteractive, PANEL, TEXT),
            (&mut v.widgets.inactive, RAISED, TEXT),
            (&mut v.widgets.hovered, HOVERED, TEXT),
            (&mut v.widgets.active, HOVERED, TEXT),
            (&mut v.widgets.open, HOVERED, TEXT),
        ];
        for (w, fill, letters) in looks {
            w.bg_fill = fill;
            w.weak_bg_fill = fill;
            w.fg_stroke = Stroke::new(1.0, letters);
            w.corner_radius = CornerRadius::same(4);
        }
        v.widgets.noninteractive.bg_stroke = Stroke::new(1.0, EDGE);
        // The keyboard's place must be seen.
        v.widgets.active.bg_stroke = Stroke::new(1.5, TEXT);
    });
}

/// Writes one line inside a rectangle, shortened with an ellipsis where it is too long. Returns where it
/// stands.
pub(crate) fn line(
    painter: &Painter,
    rect: Rect,
    align: Align2,
    text: &str,
    font: FontId,
    colour: Color32,
) -> Rect {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap.max_width = rect.width().max(1.0);
    job.wrap.max_rows = 1;
    job.wrap.break_anywhere = true;
    let galley = painter.layout_job(job);
    let at = align.align_size_within_rect(galley.size(), rect);
    painter.galley(at.min, galley, colour);
    at
}

/// Width of a line.
pub(crate) fn width(painter: &Painter, text: &str, font: FontId) -> f32 {
    painter.layout_no_wrap(text.to_owned(), font, TEXT).size().x
}

/// The ring around what has the keyboard.
pub(crate) fn focus_ring(painter: &Painter, rect: Rect) {
    painter.rect_stroke(rect.expand(1.5), 5.0, Stroke::new(1.5, TEXT), egui::StrokeKind::Middle);
}

/// A triangle that points down, or up.
pub(crate) fn triangle(painter: &Painter, at: Pos2, half: f32, up: bool, colour: Color32) {
    let h = if up { -half } else { half };
    let points = vec![
        pos2(at.x - half, at.y - h * 0.5),
        pos2(at.x + half, at.y - h * 0.5),
        pos2(at.x, at.y + h * 0.6),
    ];
    painter.add(egui::Shape::convex_polygon(points, colour, Stroke::NONE));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(c: u8) -> f64 {
        let c = f64::from(c) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    }

    fn rgb(c: Color32) -> [f64; 3] {
        [linear(c.r()), linear(c.g()), linear(c.b())]
    }

    fn luminance([r, g, b]: [f64; 3]) -> f64 {
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// Contrast as WCAG 2 defines it.
    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(rgb(a)) + 0.05, luminance(rgb(b)) + 0.05);
        if a > b { a / b } else { b / a }
    }

    fn lab([r, g, b]: [f64; 3]) -> [f64; 3] {
        let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047);
        let y = f(luminance([r, g, b]));
        let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    #[test]
    fn letters_stand_out_from_what_they_are_written_on() {
        for ground in [BACK, PANEL, RAISED, HOVERED] {
            assert!(contrast(TEXT, ground) > 7.0, "{ground:?}");
            assert!(contrast(DIM, ground) > 4.5, "{ground:?}: {}", contrast(DIM, ground));
        }
        for on in Part::ALL.map(part).into_iter().chain([ACCENT, WARN, BAD]) {
            assert!(contrast(ON_ACCENT, on) > 4.5, "{on:?}");
        }
    }

    /// Machado, Oliveira, Fernandes: "A Physiologically-based Model for Simulation of Color Vision
    /// Deficiency", 2009, the matrices of full protanopia, deuteranopia and tritanopia.
    #[test]
    fn the_five_colours_are_told_apart_by_everyone() {
        const SEEN: [[[f64; 3]; 3]; 4] = [
            [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            [
                [0.152286, 1.052583, -0.204868],
                [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998],
            ],
            [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
            [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
        ];
        let voices: Vec<Color32> =
            Part::ALL.map(Voice::Part).into_iter().chain([Voice::Piano]).map(voice).collect();
        for eye in SEEN {
            let seen: Vec<[f64; 3]> = voices
                .iter()
                .map(|&c| {
                    let c = rgb(c);
                    lab(eye.map(|row| row.iter().zip(c).map(|(a, b)| a * b).sum::<f64>().clamp(0.0, 1.0)))
                })
                .collect();
            for (i, a) in seen.iter().enumerate() {
                for b in &seen[..i] {
                    let apart = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                    // Palettes made for the purpose, such as Okabe and Ito's, reach 16 on this measure.
                    assert!(apart > 15.0, "{apart}");
                }
            }
        }
    }
}
