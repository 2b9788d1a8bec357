//! The status bar: state of the engine, MIDI learn, and the scale.

use egui::{Align2, Color32, Rect, Sense, Ui, Vec2, pos2, vec2};
use sideman_engine::live::{Shared, Status};

use super::button;
use super::param_access::{Control, is_on};
use super::scene::Scene;
use super::surface::SMALLEST;
use super::theme;
use super::touch::{Touch, teach};

/// Height of the line.
pub(crate) const HEIGHT: f32 = 22.0;
/// Scales that can be chosen.
pub(crate) const SCALES: [f32; 4] = [1.0, 1.25, 1.5, 2.0];

/// Draws the line.
pub(crate) fn show(ui: &Ui, touch: &Touch<'_>, rect: Rect) {
    let (shared, scene) = (touch.shared, touch.scene);
    let status = &scene.status;
    let painter = ui.painter();
    let scale =
        Rect::from_min_max(pos2(rect.right() - 84.0, rect.top()), pos2(rect.right() - 18.0, rect.bottom()));
    let list =
        Rect::from_min_max(pos2(scale.left() - 66.0, rect.top()), pos2(scale.left() - 4.0, rect.bottom()));
    learn_list(ui, shared, list);
    scales(ui, scale);
    grip(ui, Rect::from_min_max(pos2(rect.right() - 14.0, rect.bottom() - 14.0), rect.max));

    let mut x = rect.left() + 4.0;
    let right = list.left() - 8.0;
    for (i, fact) in facts(scene, status, is_on(touch.access, Control::Bypass)).into_iter().enumerate() {
        let wide = theme::width(painter, &fact.text, theme::font(theme::SMALL));
        // What does not fit is left out, not squeezed: the most telling facts come first.
        if x + wide > right {
            break;
        }
        let room = Rect::from_min_max(pos2(x, rect.top()), pos2(x + wide + 1.0, rect.bottom()));
        theme::line(painter, room, Align2::LEFT_CENTER, &fact.text, theme::font(theme::SMALL), fact.colour);
        ui.interact(room, egui::Id::unique(("sideman fact", i)), Sense::hover()).on_hover_text(fact.tip);
        x += wide + 16.0;
    }
}

struct Fact {
    text: String,
    colour: Color32,
    tip: &'static str,
}

fn facts(scene: &Scene, status: &Status, bypass: bool) -> Vec<Fact> {
    let fact = |text: String, tip| Fact { text, colour: theme::DIM, tip };
    let mut out = Vec::new();
    if status.panicked {
        let tip = "An error inside was caught; the band is silent until the plugin is activated anew";
        out.push(Fact { text: "Silenced".into(), colour: theme::BAD, tip });
    }
    if bypass {
        let tip = "The host bypasses Sideman: the piano passes, the band rests";
        out.push(Fact { text: "Bypassed".into(), colour: theme::WARN, tip });
    }
    if status.offline {
        let tip = "The host renders faster than real time: the band is waited for";
        out.push(Fact { text: "Offline".into(), colour: theme::WARN, tip });
    }
    let load = (status.load * 100.0).clamp(0.0, 999.0);
    let mut telling = fact(format!("Load {load:.0} %"), "Share of an audio block's time that Sideman takes");
    if status.load > 0.5 {
        telling.colour = theme::WARN;
    }
    out.push(telling);
    let lost = status.missed + status.echoed + status.overflowed;
    let text = match (status.late, lost) {
        (0, 0) => "No misses".to_owned(),
        _ => format!(
            "{} late, {} missed, {} echoed",
            status.late,
            status.missed + status.overflowed,
            status.echoed
        ),
    };
    let tip = "Late: sounded, but after its time. Missed: too late to sound, or no room. Echoed: bars in which the last \
               pattern went on because no decision came in time";
    let mut telling = fact(text, tip);
    if lost > 0 {
        telling.colour = theme::WARN;
    }
    out.push(telling);
    if status.sample_rate > 0.0 {
        let ms = f64::from(status.reaction_samples) / status.sample_rate * 1000.0;
        out.push(fact(format!("Reaction {ms:.1} ms"), "From hearing to sounding, as it is in force"));
    }
    if !scene.engine.is_empty() {
        let style = if scene.style.is_empty() { String::new() } else { format!(" · {}", scene.style) };
        out.push(fact(format!("{}{style}", scene.engine), "What plays: the weights, and the style"));
    }
    if status.decision_us > 0 {
        let ms = f64::from(status.decision_us) / 1000.0;
        out.push(fact(format!("Decides in {ms:.1} ms"), "Longest time a decision took lately"));
    }
    if status.sample_rate > 0.0 {
        out.push(fact(format!("{:.1} kHz", status.sample_rate / 1000.0), "Sample rate"));
    }
    out
}

/// All controls that can be learned, in one list.
fn learn_list(ui: &Ui, shared: &Shared, rect: Rect) {
    let learning = shared.learning();
    let face = learning.map(|_| theme::WARN);
    let response = button::plain(ui, rect, "List of what is taught", "Learn", face);
    let popup = egui::Popup::menu(&response).close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    popup.style(egui::style::StyleModifier::default()).show(|ui| {
        ui.label("Keys, pads, knobs and pedals that do something here:");
        egui::ScrollArea::vertical().max_height(300.0).show(ui, |ui| {
            egui::Grid::new("sideman learned").num_columns(3).spacing([14.0, 4.0]).show(ui, |ui| {
                for action in Control::learnable() {
                    line(ui, shared, action);
                    ui.end_row();
                }
            });
        });
    });
    response.on_hover_text("What a MIDI key, controller or pedal can be taught to do, in one list");
}

fn line(ui: &mut Ui, shared: &Shared, action: Control) {
    let learning = shared.learning() == Some(action);
    ui.label(capital(&action.learned_name().unwrap_or_default()));
    let taught = match shared.learned(action) {
        _ if learning => "press or move it now".to_owned(),
        Some(trigger) => trigger.to_string(),
        None => "–".to_owned(),
    };
    ui.label(egui::RichText::new(taught).color(if learning { theme::WARN } else { theme::DIM }));
    ui.horizontal(|ui| {
        if ui.button(if learning { "Give up" } else { "Teach" }).clicked() {
            teach(shared, action);
        }
        let known = shared.learned(action).is_some();
        if ui.add_enabled(known, egui::Button::new("Forget")).clicked() {
            shared.set_learned(action, None);
        }
    });
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
}

/// The scale of the whole editor.
fn scales(ui: &Ui, rect: Rect) {
    let now = ui.ctx().zoom_factor();
    let text = format!("{:.0} %", now * 100.0);
    let response = button::plain(ui, rect, "Scale of the editor", &text, None);
    egui::Popup::menu(&response).show(|ui| {
        ui.set_min_width(70.0);
        for scale in SCALES {
            let word = format!("{:.0} %", scale * 100.0);
            if ui.selectable_label((scale - now).abs() < 0.01, word).clicked() {
                ui.ctx().set_zoom_factor(scale);
            }
        }
    });
    response.on_hover_text("Scale of the editor");
}

/// The corner by which the window is pulled: not every host gives it a frame.
fn grip(ui: &Ui, rect: Rect) {
    let response = ui.interact(rect, egui::Id::unique("sideman grip"), Sense::DRAG);
    let response = response.on_hover_and_drag_cursor(egui::CursorIcon::ResizeNwSe);
    let colour = if response.hovered() || response.dragged() { theme::TEXT } else { theme::DIM };
    for i in 1..4 {
        let w = i as f32 * 4.0;
        ui.painter().line_segment([rect.max - vec2(w, 0.0), rect.max - vec2(0.0, w)], (1.0, colour));
    }
    if let (true, Some(way)) = (response.dragged(), response.total_drag_delta()) {
        // From the size at the beginning: the window lags behind the pointer.
        let id = response.id.with("from");
        let from = if response.drag_started() { None } else { ui.data(|d| d.get_temp::<Vec2>(id)) };
        let from = from.unwrap_or_else(|| ui.ctx().content_rect().size());
        ui.data_mut(|d| d.insert_temp(id, from));
        ui.send_viewport_cmd(egui::ViewportCommand::InnerSize((from + way).max(SMALLEST)));
    }
}
