//! The whole editor: its layout, and its state from frame to frame.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use egui::{Rect, Ui, Vec2, pos2, vec2};
use sideman_engine::controls::CONTROLS;
use sideman_engine::live::Trigger;
use sideman_music::{PARTS, Part, Pulse};

use super::browse::{Browser, Kind, Outcome};
use super::notices::{self, Message};
use super::panels::{self, Wish};
use super::param_access::{Control, Gestures, ParamAccess, is_on};
use super::roll::Roll;
use super::scene::Scene;
use super::touch::Touch;
use super::{button, capture, clock, header, patterns, status_bar, strip, theme};
use crate::instance::Instance;
use crate::presets::{Own, PresetError};

/// Smallest size at which everything can be read, in points.
pub(crate) const SMALLEST: Vec2 = vec2(760.0, 480.0);
const EDGE: f32 = 8.0;
const GAP: f32 = 6.0;
/// Interval of repaints while nothing moves: a key must be seen soon.
const IDLE: Duration = Duration::from_millis(200);
/// Seconds for which good news is shown.
const GOOD_NEWS: f64 = 12.0;
/// Minutes that can be saved.
const MINUTES: [u32; 3] = [1, 5, 10];

/// What lasts from frame to frame.
pub(crate) struct Surface {
    instance: Arc<Instance>,
    scene: Scene,
    roll: Roll,
    gestures: Gestures,
    head: header::Head,
    message: Option<Message>,
    /// Text of the message, and since when it is shown.
    shown: Option<(String, f64)>,
    /// Which of the panels is shown where there is room for one.
    tab: usize,
    /// Which of [`MINUTES`] is saved.
    minutes: usize,
    browser: Option<Browser>,
    /// The pattern that was chosen last: the next one is looked for beside it.
    pattern_folder: Option<PathBuf>,
    /// What is learned, as of the last frame.
    learned: Option<[Option<Trigger>; CONTROLS]>,
}

impl Surface {
    /// The surface of an instance, with the user's own presets from where they are kept.
    pub(crate) fn new(instance: Arc<Instance>, own: Result<Own, PresetError>) -> Self {
        Self {
            instance,
            scene: Scene::default(),
            roll: Roll::default(),
            gestures: Gestures::default(),
            head: header::Head::new(own),
            message: None,
            shown: None,
            tab: 0,
            minutes: 1,
            browser: None,
            pattern_folder: None,
            learned: None,
        }
    }

    /// Draws a frame.
    pub(crate) fn show(&mut self, ui: &mut Ui, access: &mut dyn ParamAccess) {
        let time = ui.input(|i| i.time);
        self.instance.update_notices();
        self.notice_learned();
        self.scene.look(&self.instance.shared, time, self.roll.reach());
        self.draw(ui, access, time);
    }

    /// Draws the scene as it was looked at last.
    pub(crate) fn draw(&mut self, ui: &mut Ui, access: &mut dyn ParamAccess, time: f64) {
        self.age_message(time);
        let instance = self.instance.clone();
        let going = self.gestures.keep(access, &instance.shared, time);

        let window = ui.max_rect();
        ui.painter().rect_filled(window, 0.0, theme::BACK);
        if window.width() + 0.5 >= SMALLEST.x && window.height() + 0.5 >= SMALLEST.y {
            self.whole(ui, window, access, time);
        } else {
            // A host that forces a smaller window gets bars to move it by rather than a heap of letters.
            let size = window.size().max(SMALLEST);
            egui::ScrollArea::both().show(ui, |ui| {
                let (_, rect) = ui.allocate_space(size);
                self.whole(ui, rect, access, time);
            });
        }
        let learning = instance.shared.learning().is_some();
        if self.scene.moving || going {
            ui.ctx().request_repaint();
        } else {
            ui.ctx().request_repaint_after(if learning { IDLE / 2 } else { IDLE });
        }
    }

    /// Good news goes by itself.
    fn age_message(&mut self, time: f64) {
        let text = self.message.as_ref().filter(|m| !m.bad).map(|m| m.text.clone());
        match (&self.shown, text) {
            (Some((shown, since)), Some(text)) if *shown == text => {
                if time - since > GOOD_NEWS {
                    self.message = None;
                }
            }
            (_, text) => self.shown = text.map(|t| (t, time)),
        }
    }

    /// Marks the project as changed when something was learned or forgotten.
    fn notice_learned(&mut self) {
        let learned = std::array::from_fn(|i| Control::at(i).and_then(|c| self.instance.shared.learned(c)));
        if self.learned.replace(learned).is_some_and(|before| before != learned) {
            self.instance.touch();
        }
    }

    /// Takes a made-up scene.
    #[cfg(test)]
    pub(crate) fn set_scene(&mut self, scene: Scene) {
        self.scene = scene;
    }

    /// Lets go of what is held: the window closes.
    pub(crate) fn close(&mut self, access: &mut dyn ParamAccess) {
        self.gestures.let_go(access);
        self.instance.shared.set_learning(None);
    }

    fn whole(&mut self, ui: &mut Ui, window: Rect, access: &mut dyn ParamAccess, time: f64) {
        let area = window.shrink(EDGE);
        let row = |top: f32, high: f32| Rect::from_min_size(pos2(area.left(), top), vec2(area.width(), high));
        let top = row(area.top(), header::HEIGHT);
        let bar = row(top.bottom() + GAP, clock::HEIGHT);
        let foot = row(area.bottom() - status_bar::HEIGHT + 2.0, status_bar::HEIGHT);
        let bottom = row(foot.top() - GAP + 1.0 - panels::HEIGHT, panels::HEIGHT);
        let mut middle =
            Rect::from_min_max(pos2(area.left(), bar.bottom() + GAP), pos2(area.right(), bottom.top() - GAP));

        let instance = self.instance.clone();
        let shared = &*instance.shared;
        let touch = &mut Touch { access, gestures: &mut self.gestures, shared, scene: &self.scene, time };
        if let Some(message) = self.head.show(ui, touch, &instance, top) {
            self.message = Some(message);
        }
        let rest = clock::show(ui, touch, bar);
        if keep(ui, rest, &mut self.minutes) {
            self.message = Some(saved(&instance, self.scene.now as Pulse, MINUTES[self.minutes]));
        }
        if notices::any(&self.scene, self.message.as_ref()) {
            let line = Rect::from_min_size(middle.min, vec2(middle.width(), notices::HEIGHT));
            notices::show(ui, shared, &self.scene, &mut self.message, line);
            middle.min.y = line.bottom() + GAP;
        }

        let heard = heard(touch.access);
        let wide = strip::width(window.width());
        let high = (middle.height() - 3.0 * 4.0) / 4.0;
        let kept = shared.patterns();
        let mut asked = None;
        for part in Part::ALL {
            let y = middle.top() + part.index() as f32 * (high + 4.0);
            let rect = Rect::from_min_size(pos2(middle.left(), y), vec2(wide, high));
            let pattern = kept[part.index()].as_deref();
            asked = strip::show(ui, touch, rect, part, heard[part.index()], pattern).or(asked);
        }
        match asked {
            Some(strip::Wish::Browse(part)) => {
                self.browser = Some(Browser::open(Kind::Pattern(part), self.pattern_folder.as_deref()));
            }
            Some(strip::Wish::Keep(part)) => self.message = Some(patterns::keep(&instance, part)),
            Some(strip::Wish::Free(part)) => patterns::set(&instance, part, None),
            None => {}
        }
        let picture = Rect::from_min_max(pos2(middle.left() + wide + GAP, middle.top()), middle.max);
        match &mut self.browser {
            None => self.roll.show(ui, picture, &self.scene, heard, time),
            Some(browser) => match browser.show(ui, picture) {
                Outcome::Open => {}
                Outcome::Closed => self.browser = None,
                Outcome::Chosen(path) => {
                    match browser.kind() {
                        Kind::Soundfont => instance.pick_soundfont(Some(path)),
                        Kind::Pattern(part) => {
                            self.message = Some(patterns::load(&instance, part, &path));
                            self.pattern_folder = Some(path);
                        }
                    }
                    self.browser = None;
                }
            },
        }

        let used = instance.params.soundfont.path();
        let name = used.as_deref().map(|p| {
            p.file_name().map_or_else(|| p.display().to_string(), |n| n.to_string_lossy().into_owned())
        });
        let wish = panels::show(ui, touch, bottom, &mut self.tab, name.as_deref());
        match wish {
            Some(Wish::Browse) => {
                self.browser = Some(Browser::open(Kind::Soundfont, used.as_deref().map(Path::new)))
            }
            Some(Wish::BuiltIn) => instance.pick_soundfont(None),
            None => {}
        }
        status_bar::show(ui, touch, foot);
    }
}

/// Which parts are heard: on, not muted, and not outdone by solos of others.
fn heard(access: &dyn ParamAccess) -> [bool; PARTS] {
    let solo = Part::ALL.iter().any(|&p| is_on(access, Control::Solo(p)));
    Part::ALL.map(|p| {
        let let_through = is_on(access, Control::On(p)) && !is_on(access, Control::Mute(p));
        let_through && (!solo || is_on(access, Control::Solo(p)))
    })
}

/// The button that saves the last minutes, and how many. Returns whether it was clicked.
fn keep(ui: &Ui, rect: Rect, minutes: &mut usize) -> bool {
    ui.painter().rect_filled(rect, 4.0, theme::PANEL);
    let inner = rect.shrink2(vec2(6.0, 7.0));
    let wide = inner.width();
    let upper = Rect::from_min_size(inner.min, vec2(wide, 22.0));
    let response =
        button::plain(ui, upper, "Save the last minutes as a MIDI file", "Save the last minutes", None);
    let clicked = response.clicked();
    response.on_hover_text(
        "Everything that was played is always kept: this writes it as a MIDI file, tempo map included",
    );
    for (i, count) in MINUTES.into_iter().enumerate() {
        let w = (wide - 2.0 * 4.0) / 3.0;
        let cell =
            Rect::from_min_size(pos2(inner.left() + i as f32 * (w + 4.0), inner.top() + 26.0), vec2(w, 22.0));
        let text = format!("{count} min");
        let name = format!("Save {count} minutes");
        if button::plain(ui, cell, &name, &text, (*minutes == i).then_some(theme::ACCENT)).clicked() {
            *minutes = i;
        }
    }
    clicked
}

fn saved(instance: &Instance, now: Pulse, minutes: u32) -> Message {
    match capture::save(&instance.shared, now, minutes) {
        Ok(path) => Message { text: format!("Saved as {}", path.display()), bad: false },
        Err(e) => Message { text: format!("Not saved: {e}"), bad: true },
    }
}
