//! The menu of presets: those that come along, and the user's own.

use egui::{Align2, Key, PopupCloseBehavior, Rect, RichText, Ui, pos2};
use sideman_engine::style::StyleChoice;

use super::notices::Message;
use super::theme;
use super::touch::{Touch, clickable};
use crate::instance::Instance;
use crate::presets::{self, Own, Preset, PresetError};

/// How often it is looked whether what is set is still the preset, in seconds.
const OFTEN: f64 = 0.4;

/// What lasts from frame to frame.
pub(crate) struct Menu {
    built_in: Vec<Preset>,
    own: Vec<Preset>,
    /// Where the user's own are kept.
    files: Result<Own, PresetError>,
    /// What the field says under which to save.
    name: String,
    /// What waits to be confirmed.
    asked: Option<Asked>,
    was_open: bool,
    /// Whether something was turned since the preset was loaded, and when that was looked at.
    changed: (bool, f64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Replace(String),
    Delete(String),
}

impl Menu {
    /// A menu of the presets that come along and those of `files`.
    pub(crate) fn new(files: Result<Own, PresetError>) -> Self {
        let mut menu = Self {
            built_in: presets::built_in(),
            own: Vec::new(),
            files,
            name: String::new(),
            asked: None,
            was_open: false,
            changed: (false, f64::NEG_INFINITY),
        };
        menu.read();
        menu
    }

    /// Reads the user's own anew; says what cannot be read.
    fn read(&mut self) -> Option<Message> {
        let files = self.files.as_ref().ok()?;
        let (own, problems) = files.list();
        self.own = own;
        problems.first().map(|e| bad(e.to_string()))
    }

    fn all(&self) -> impl Iterator<Item = &Preset> {
        self.built_in.iter().chain(&self.own)
    }

    /// Draws the button with its list. Returns what is to be said, if anything.
    pub(crate) fn show(
        &mut self,
        ui: &Ui,
        touch: &mut Touch<'_>,
        instance: &Instance,
        rect: Rect,
    ) -> Option<Message> {
        let current = instance.params.preset.get();
        self.look_for_changes(touch, &current);
        let id = egui::Id::unique("sideman presets");
        let shown = if current.is_empty() { "Presets" } else { &current };
        let response = clickable(ui, rect, id, &format!("Presets: {shown}"), None);
        let popup = egui::Popup::menu(&response).close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        // Buttons look like buttons here, other than in a mere list.
        let popup = popup.style(egui::style::StyleModifier::default());
        let open = popup.is_open();
        let mut said = None;
        if open && !self.was_open {
            self.asked = None;
            self.name.clone_from(&current);
            said = self.read();
        }
        self.was_open = open;

        let painter = ui.painter();
        let lively = response.hovered() || open || response.has_focus();
        painter.rect_filled(rect, 4.0, if lively { theme::HOVERED } else { theme::RAISED });
        let inner =
            Rect::from_min_max(pos2(rect.left() + 8.0, rect.top()), pos2(rect.right() - 20.0, rect.bottom()));
        let changed = if self.changed.0 && !current.is_empty() { " *" } else { "" };
        let text = format!("{shown}{changed}");
        theme::line(painter, inner, Align2::LEFT_CENTER, &text, theme::font(theme::MIDDLE), theme::TEXT);
        theme::triangle(painter, pos2(rect.right() - 10.0, rect.center().y), 4.0, open, theme::DIM);
        if response.has_focus() {
            theme::focus_ring(painter, rect);
            self.step(ui, touch, &response, &current, open);
        }
        popup.show(|ui| {
            ui.set_width(280.0);
            if let Some(message) = self.keep(ui, touch, instance) {
                said = Some(message);
            }
            ui.separator();
            self.list(ui, touch, &current);
        });
        response
            .on_hover_text("Presets: settings of the band by style, and your own. Arrows step through them");
        said
    }

    fn look_for_changes(&mut self, touch: &Touch<'_>, current: &str) {
        if touch.time - self.changed.1 < OFTEN {
            return;
        }
        let preset = self.all().find(|p| p.name == current);
        self.changed = (preset.is_none_or(|p| !touch.access.is_loaded(p)), touch.time);
    }

    /// Up and down go to the preset before and the next.
    fn step(&self, ui: &Ui, touch: &mut Touch<'_>, response: &egui::Response, current: &str, open: bool) {
        let filter = egui::EventFilter { vertical_arrows: true, ..Default::default() };
        ui.memory_mut(|m| m.set_focus_lock_filter(response.id, filter));
        let way =
            ui.input(|i| i32::from(i.key_pressed(Key::ArrowDown)) - i32::from(i.key_pressed(Key::ArrowUp)));
        if way == 0 || open {
            return;
        }
        let count = self.all().count() as i32;
        let next = match self.all().position(|p| p.name == current) {
            Some(i) => (i as i32 + way).clamp(0, count - 1),
            None if way > 0 => 0,
            None => count - 1,
        };
        if let Some(preset) = self.all().nth(next.max(0) as usize) {
            touch.access.load(preset);
        }
    }

    /// The line that saves, and the question whether to replace.
    fn keep(&mut self, ui: &mut Ui, touch: &Touch<'_>, instance: &Instance) -> Option<Message> {
        let mut said = None;
        ui.horizontal(|ui| {
            ui.label("Save as");
            let width = ui.available_width() - 56.0;
            let field = egui::TextEdit::singleline(&mut self.name)
                .desired_width(width)
                .hint_text("a name")
                .align(Align2::LEFT_CENTER);
            let field = ui.add(field.char_limit(presets::LONGEST_NAME));
            let entered = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
            if ui.button("Save").clicked() || entered {
                said = self.save(touch, instance, false);
            }
        });
        if let Some(Asked::Replace(name)) = self.asked.clone() {
            ui.horizontal_wrapped(|ui| {
                ui.label(format!("'{name}' is there already."));
                if ui.button("Replace it").clicked() {
                    self.asked = None;
                    said = self.save(touch, instance, true);
                }
                if ui.button("Keep it").clicked() {
                    self.asked = None;
                }
            });
        }
        said
    }

    fn save(&mut self, touch: &Touch<'_>, instance: &Instance, replace: bool) -> Option<Message> {
        let name = self.name.trim().to_owned();
        let files = match &self.files {
            Ok(files) => files,
            Err(e) => return Some(bad(e.to_string())),
        };
        match files.save(&touch.access.preset(&name), replace) {
            Ok(path) => {
                instance.params.preset.set(name);
                instance.touch();
                self.changed.1 = f64::NEG_INFINITY;
                let problem = self.read();
                Some(problem.unwrap_or_else(|| Message {
                    text: format!("Preset saved as {}", path.display()),
                    bad: false,
                }))
            }
            Err(PresetError::Exists { name }) => {
                self.asked = Some(Asked::Replace(name));
                None
            }
            Err(e) => Some(bad(e.to_string())),
        }
    }

    /// All presets under their headings.
    fn list(&mut self, ui: &mut Ui, touch: &mut Touch<'_>, current: &str) {
        let (mut load, mut ask, mut delete) = (None, None, None);
        egui::ScrollArea::vertical().max_height(300.0).auto_shrink([false, true]).show(ui, |ui| {
            if !self.own.is_empty() {
                ui.label(RichText::new("Your own").color(theme::DIM));
            }
            for preset in &self.own {
                ui.horizontal(|ui| {
                    if ui.selectable_label(preset.name == current, &preset.name).clicked() {
                        load = Some(preset.clone());
                    }
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                        if self.asked == Some(Asked::Delete(preset.name.clone())) {
                            if ui.button("Keep").clicked() {
                                ask = Some(None);
                            }
                            let sure = RichText::new("Delete for good").color(theme::BAD);
                            if ui.button(sure).clicked() {
                                delete = Some(preset.name.clone());
                            }
                        } else if ui.button("Delete").clicked() {
                            ask = Some(Some(Asked::Delete(preset.name.clone())));
                        }
                    });
                });
            }
            for style in StyleChoice::all() {
                let of_style: Vec<&Preset> =
                    self.built_in.iter().filter(|p| p.style == style.name()).collect();
                if !of_style.is_empty() {
                    ui.label(RichText::new(heading(style.name())).color(theme::DIM));
                }
                for preset in of_style {
                    if ui.selectable_label(preset.name == current, &preset.name).clicked() {
                        load = Some(preset.clone());
                    }
                }
            }
        });
        if let Some(preset) = load {
            touch.access.load(&preset);
            self.changed.1 = f64::NEG_INFINITY;
            egui::Popup::close_all(ui.ctx());
        }
        if let Some(asked) = ask {
            self.asked = asked;
        }
        if let (Some(name), Ok(files)) = (delete, &self.files) {
            self.asked = None;
            if let Err(e) = files.delete(&name) {
                touch.shared.notice(format!("The preset '{name}' was not deleted: {e}"));
            }
            self.read();
        }
    }
}

fn bad(text: String) -> Message {
    Message { text, bad: true }
}

/// `pop-rock` as it heads a list: `Pop rock`.
fn heading(style: &str) -> String {
    let words = style.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
}
