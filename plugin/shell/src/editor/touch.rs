//! What all controls share: dragging, wheel, keys, the menu of the right button, and teaching MIDI.

use egui::{
    EventFilter, Id, Key, Modifiers, PointerButton, Pos2, Rect, Response, Role, Sense, Ui, WidgetInfo,
};
use sideman_engine::controls::Kind;
use sideman_engine::live::Shared;

use super::param_access::{Control, Gestures, ParamAccess, is_on, set_at_once};
use super::scene::Scene;
use super::theme;

/// What a control needs while it is drawn.
pub(crate) struct Touch<'a> {
    /// Turns the parameters.
    pub(crate) access: &'a mut dyn ParamAccess,
    /// Triggers and learned controllers.
    pub(crate) gestures: &'a mut Gestures,
    /// The engine.
    pub(crate) shared: &'a Shared,
    /// What is going on, as of this frame.
    pub(crate) scene: &'a Scene,
    /// Seconds since the window opened.
    pub(crate) time: f64,
}

/// Points of dragging from the least to the greatest value.
const TRAVEL: f32 = 180.0;
/// Share of a fine movement.
const FINE: f32 = 0.1;

/// Identity of a control, the same wherever it is drawn.
pub(crate) fn id(control: Control) -> Id {
    Id::unique(("sideman control", control))
}

/// A press or switch to be clicked, with its name for screen readers.
pub(crate) fn clickable(ui: &Ui, rect: Rect, id: Id, name: &str, selected: Option<bool>) -> Response {
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| match selected {
        Some(on) => WidgetInfo::selected(Role::CheckBox, ui.is_enabled(), on, name),
        None => WidgetInfo::labeled(Role::Button, ui.is_enabled(), name),
    });
    response
}

impl Touch<'_> {
    /// Lets a value be turned in a rectangle: drag, shift for fine, wheel, arrows, Home and End, double click
    /// for the default, Enter and the right button for a menu. Returns the response, and the value.
    pub(crate) fn turn(&mut self, ui: &Ui, rect: Rect, control: Control, tip: &str) -> (Response, f32) {
        let id = id(control);
        let response = ui.interact(rect, id, Sense::click_and_drag());
        let before = self.access.value(control);
        let mut value = before;
        let fine = if ui.input(|i| i.modifiers.shift) { FINE } else { 1.0 };

        let step = match self.access.steps(control) {
            Some(steps) => 1.0 / steps.max(1) as f32,
            None => 0.01,
        };
        if response.drag_started_by(PointerButton::Primary) {
            self.access.begin(control);
            ui.data_mut(|d| d.insert_temp(id, before));
        }
        if response.dragged_by(PointerButton::Primary) {
            // The way is added up here: a value in steps would swallow small movements.
            let way = response.drag_delta();
            let mut at: f32 = ui.data(|d| d.get_temp(id)).unwrap_or(before);
            let travel = self
                .access
                .steps(control)
                .map_or(TRAVEL, |s| (s as f32 * 24.0).clamp(TRAVEL * 0.5, TRAVEL * 3.0));
            at = (at + (way.x - way.y) / travel * fine).clamp(0.0, 1.0);
            ui.data_mut(|d| d.insert_temp(id, at));
            self.access.set(control, at);
            value = at;
        }
        if response.drag_stopped_by(PointerButton::Primary) {
            self.access.end(control);
        }
        if response.double_clicked() {
            value = self.access.default(control);
            set_at_once(self.access, control, value);
        }
        let moves = self.moves(ui, &response, step);
        if moves != 0.0 {
            let continuous = self.access.steps(control).is_none();
            let fine = if continuous { fine } else { 1.0 };
            value = (value + moves * step * fine).clamp(0.0, 1.0);
            set_at_once(self.access, control, value);
        }
        if value != before || response.dragged() {
            value = self.access.value(control);
        }
        let name = self.access.name(control);
        let plain = f64::from(value);
        response.widget_info(|| WidgetInfo::slider(ui.is_enabled(), plain, &name));
        self.menu(&response, control, true);
        let response = self.tip(response, control, tip);
        self.teach_keys(ui, &response, control);
        (response, value)
    }

    /// Steps that the wheel and the keys ask for.
    fn moves(&self, ui: &Ui, response: &Response, step: f32) -> f32 {
        let mut moves = 0.0;
        if response.hovered() && !response.dragged() {
            // Whole notches, so that touchpads do not race through steps.
            let notch = ui.scope_id().with(("wheel", response.id));
            let scrolled = ui.input(|i| {
                let lines: f32 = i
                    .events
                    .iter()
                    .map(|e| match e {
                        egui::Event::MouseWheel { unit: egui::MouseWheelUnit::Point, delta, .. } => {
                            (delta.y + delta.x) / 30.0
                        }
                        egui::Event::MouseWheel { delta, .. } => delta.y + delta.x,
                        _ => 0.0,
                    })
                    .sum();
                lines
            });
            if scrolled != 0.0 {
                let all = ui.data(|d| d.get_temp::<f32>(notch)).unwrap_or(0.0) + scrolled;
                moves += all.trunc();
                ui.data_mut(|d| d.insert_temp(notch, all - all.trunc()));
                moves *= if step < 0.02 { 2.0 } else { 1.0 };
            }
        }
        if response.has_focus() {
            let filter =
                EventFilter { vertical_arrows: true, horizontal_arrows: true, ..EventFilter::default() };
            ui.memory_mut(|m| m.set_focus_lock_filter(response.id, filter));
            let count = |key: Key| {
                ui.input_mut(|i| {
                    let m = i.modifiers;
                    i.count_and_consume_key(Modifiers { shift: m.shift, ..Modifiers::NONE }, key)
                }) as f32
            };
            moves +=
                count(Key::ArrowUp) + count(Key::ArrowRight) - count(Key::ArrowDown) - count(Key::ArrowLeft);
            moves += (count(Key::PageUp) - count(Key::PageDown)) * (0.1 / step).max(1.0).round();
            moves += (count(Key::End) - count(Key::Home)) * (1.0 / step).ceil();
        }
        moves
    }

    /// A press: goes down at once, and comes up by itself.
    pub(crate) fn press(&mut self, ui: &Ui, rect: Rect, control: Control, tip: &str) -> (Response, bool) {
        let name = self.access.name(control);
        let response = clickable(ui, rect, id(control), &name, None);
        let struck = ui.input(|i| i.pointer.primary_pressed()) && response.is_pointer_button_down_on();
        // A click by mouse was struck already when it went down; a tap must not wait for the finger to come up.
        let by_key = response.clicked() && !ui.input(|i| i.pointer.primary_released());
        if struck || by_key {
            self.gestures.press(self.access, control, self.time);
        }
        self.menu(&response, control, false);
        let down = self.gestures.is_pressed(control);
        let response = self.tip(response, control, tip);
        self.teach_keys(ui, &response, control);
        (response, down)
    }

    /// A switch.
    pub(crate) fn switch(&mut self, ui: &Ui, rect: Rect, control: Control, tip: &str) -> (Response, bool) {
        let on = is_on(self.access, control);
        let name = self.access.name(control);
        let response = clickable(ui, rect, id(control), &name, Some(on));
        if response.clicked() {
            set_at_once(self.access, control, if on { 0.0 } else { 1.0 });
        }
        self.menu(&response, control, false);
        let response = self.tip(response, control, tip);
        self.teach_keys(ui, &response, control);
        (response, is_on(self.access, control))
    }

    /// Keys of a focused control for MIDI learn: L begins or gives up, Delete forgets.
    fn teach_keys(&self, ui: &Ui, response: &Response, control: Control) {
        let Some(action) = control.action() else { return };
        if !response.has_focus() {
            return;
        }
        if ui.input(|i| i.key_pressed(Key::L)) {
            teach(self.shared, action);
        }
        if ui.input(|i| i.key_pressed(Key::Delete) || i.key_pressed(Key::Backspace)) {
            self.shared.set_learned(action, None);
        }
    }

    /// The menu of the right button.
    fn menu(&mut self, response: &Response, control: Control, typed: bool) {
        let action = control.action();
        if action.is_none() && !typed {
            return;
        }
        // Enter or Space on a dial opens the same menu.
        let mut popup = egui::Popup::context_menu(response);
        if typed
            && response.has_focus()
            && response.clicked()
            && response.ctx.input(|i| !i.pointer.any_released())
        {
            popup = popup.open_memory(Some(egui::SetOpenCommand::Bool(true))).anchor(response);
        }
        let popup = popup
            .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
            .style(egui::style::StyleModifier::default());
        popup.show(|ui| {
            ui.set_min_width(150.0);
            ui.label(egui::RichText::new(self.access.name(control)).color(theme::DIM));
            if typed {
                self.type_value(ui, control);
                if ui.button("Reset to default").clicked() {
                    let value = self.access.default(control);
                    set_at_once(self.access, control, value);
                    ui.close();
                }
            }
            if let Some(action) = action {
                teaching(ui, self.shared, action);
            }
        });
    }

    /// A field to type a value into.
    fn type_value(&mut self, ui: &mut Ui, control: Control) {
        let id = ui.scope_id().with("typed");
        let now = self.access.text(control, self.access.value(control));
        let mut text = ui.data(|d| d.get_temp::<String>(id)).unwrap_or_else(|| now.clone());
        let field = ui.add(egui::TextEdit::singleline(&mut text).desired_width(110.0));
        let entered = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        if entered && let Some(value) = self.access.parse(control, &text) {
            set_at_once(self.access, control, value);
            ui.close();
        }
        if field.has_focus() {
            ui.data_mut(|d| d.insert_temp(id, text));
        } else {
            ui.data_mut(|d| d.remove_temp::<String>(id));
        }
    }

    /// MIDI learn of a control that is drawn elsewhere: the menu and the keys.
    pub(crate) fn about(&mut self, ui: &Ui, response: &Response, control: Control) {
        self.menu(response, control, false);
        self.teach_keys(ui, response, control);
    }

    /// The tooltip: name, use and what is learned.
    fn tip(&self, response: Response, control: Control, tip: &str) -> Response {
        let text = self.access.text(control, self.access.value(control));
        let name = self.access.name(control);
        let shared = self.shared;
        response.on_hover_ui(|ui| {
            ui.set_max_width(280.0);
            let head = if control.row().kind == Kind::Trigger { name } else { format!("{name}: {text}") };
            ui.label(egui::RichText::new(head).strong());
            ui.label(tip);
            if let Some(action) = control.action() {
                let taught = match (shared.learning() == Some(action), shared.learned(action)) {
                    (true, _) => "Press the key or move the controller now (L gives up)".to_owned(),
                    (false, Some(trigger)) => format!("MIDI: {trigger} (Delete forgets)"),
                    (false, None) => "Right button, or L: teach a MIDI key or controller".to_owned(),
                };
                ui.label(egui::RichText::new(taught).color(theme::DIM));
            }
        })
    }

    /// The dot that shows whether something is learned; a click begins to learn.
    pub(crate) fn dot(&self, ui: &Ui, at: Pos2, control: Control) {
        let Some(action) = control.action() else { return };
        let learning = self.shared.learning() == Some(action);
        let learned = self.shared.learned(action);
        let rect = Rect::from_center_size(at, egui::vec2(13.0, 13.0));
        // The keyboard teaches with L on the control itself, so the dot is no stop of its own for Tab.
        let sense = Sense::CLICK;
        let response = ui.interact(rect, id(control).with("teach"), sense);
        if response.clicked() {
            teach(self.shared, action);
        }
        let painter = ui.painter();
        if learning {
            let on = (self.time * 3.0).fract() < 0.5;
            painter.circle_filled(at, 3.5, if on { theme::WARN } else { theme::RAISED });
            painter.circle_stroke(at, 4.5, egui::Stroke::new(1.2, theme::WARN));
        } else if learned.is_some() {
            painter.circle_filled(at, 3.0, theme::ACCENT);
        } else {
            let colour =
                if response.hovered() { theme::TEXT } else { theme::mix(theme::DIM, theme::PANEL, 0.55) };
            painter.circle_stroke(at, 2.3, egui::Stroke::new(1.0, colour));
        }
        response.on_hover_ui(|ui| match learned {
            _ if learning => drop(ui.label("Press the key or move the controller now; click to give up")),
            Some(trigger) => drop(ui.label(format!("{trigger}; click to teach another"))),
            None => drop(ui.label("Teach a MIDI key or controller")),
        });
    }
}

/// Begins to teach an action, or gives up on it.
pub(crate) fn teach(shared: &Shared, action: Control) {
    let learning = shared.learning() == Some(action);
    shared.set_learning((!learning).then_some(action));
}

/// The lines of a menu that teach and forget.
pub(crate) fn teaching(ui: &mut Ui, shared: &Shared, action: Control) {
    let learning = shared.learning() == Some(action);
    if ui.button(if learning { "Give up teaching" } else { "Teach MIDI" }).clicked() {
        teach(shared, action);
        ui.close();
    }
    if let Some(trigger) = shared.learned(action)
        && ui.button(format!("Forget {trigger}")).clicked()
    {
        shared.set_learned(action, None);
        ui.close();
    }
}
