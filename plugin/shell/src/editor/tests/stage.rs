//! The surface with a made-up editor state, and a host that records its calls.

use std::sync::{Arc, Mutex};

use egui::{Context, Event, FullOutput, Pos2, RawInput, Rect, Vec2, ViewportId, vec2};
use nice_plug::context::gui::{GuiContext, GuiContextInner};
use nice_plug::prelude::{ParamPtr, PluginApi, PluginState};
use sideman_engine::genre::{GenreView, Verdict};
use sideman_engine::live::{ClockSource, EditorState, Expected, RollNote, Status, TempoPoint, Voice};
use sideman_music::{Meter, Note, Part, Pulse};

use crate::editor::live_params::LiveParams;
use crate::editor::param_access::ParamAccess;
use crate::editor::scene::Scene;
use crate::editor::surface::Surface;
use crate::editor::texts::{Text, texts_of};
use crate::editor::theme;
use crate::instance::Instance;
use crate::presets::Own;

/// A call of the host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum HostCall {
    Begin(ParamPtr),
    Set(ParamPtr, f32),
    End(ParamPtr),
}

/// A host that does at once what it is asked, and records it.
#[derive(Default)]
pub(super) struct Host(pub(super) Mutex<Vec<HostCall>>);

impl GuiContextInner for Host {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Clap
    }

    unsafe fn raw_begin_set_parameter(&self, param: ParamPtr) {
        self.0.lock().unwrap().push(HostCall::Begin(param));
    }

    unsafe fn raw_set_parameter_normalized(&self, param: ParamPtr, normalized: f32) {
        self.0.lock().unwrap().push(HostCall::Set(param, normalized));
        // SAFETY: the stage keeps the parameters.
        unsafe { param._internal_set_normalized_value(normalized) };
    }

    unsafe fn raw_end_set_parameter(&self, param: ParamPtr) {
        self.0.lock().unwrap().push(HostCall::End(param));
    }

    fn get_state(&self) -> PluginState {
        unreachable!("the editor asks for no state here")
    }

    fn set_state(&self, _state: PluginState) {
        unreachable!("the editor sets no state here")
    }

    fn request_restart(&self) {
        unreachable!("the editor restarts nothing")
    }
}

pub(super) struct Stage {
    pub(super) ctx: Context,
    pub(super) surface: Surface,
    pub(super) access: LiveParams,
    pub(super) host: Arc<Host>,
    pub(super) instance: Arc<Instance>,
    pub(super) presets: tempfile::TempDir,
    size: Vec2,
    pixels: f32,
    time: f64,
    /// Set, unless the surface is to look at the engine itself.
    scene: Option<Box<dyn Fn(f64) -> Scene>>,
}

impl Stage {
    /// A stage of a size in points, with so many pixels a point.
    pub(super) fn new(size: Vec2, pixels: f32) -> Self {
        let ctx = Context::default();
        theme::apply(&ctx);
        ctx.enable_accesskit();
        let instance = Instance::new();
        let host = Arc::new(Host::default());
        let access = LiveParams::new(instance.params.clone(), GuiContext::new(host.clone()));
        let presets = tempfile::tempdir().unwrap();
        let surface = Surface::new(instance.clone(), Ok(Own::in_folder(presets.path())));
        Self { ctx, surface, access, host, instance, presets, size, pixels, time: 0.0, scene: None }
    }

    /// Shows a made-up state instead of what the engine says.
    pub(super) fn with_scene(mut self, scene: impl Fn(f64) -> Scene + 'static) -> Self {
        self.scene = Some(Box::new(scene));
        self
    }

    /// Draws a frame a 60th of a second after the last one.
    pub(super) fn frame(&mut self, events: Vec<Event>) -> FullOutput {
        self.after(1.0 / 60.0, events)
    }

    /// Draws a frame some seconds after the last one.
    pub(super) fn after(&mut self, seconds: f64, mut events: Vec<Event>) -> FullOutput {
        self.time += seconds;
        let modifiers = events.iter().find_map(|e| match e {
            Event::Key { modifiers, .. } | Event::PointerButton { modifiers, .. } => Some(*modifiers),
            _ => None,
        });
        events.insert(0, Event::ModifiersChanged(modifiers.unwrap_or_default()));
        let mut input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, self.size)),
            time: Some(self.time),
            focused: true,
            events,
            ..RawInput::default()
        };
        input.viewports.entry(ViewportId::ROOT).or_default().native_pixels_per_point = Some(self.pixels);
        let (surface, access, scene, time) = (&mut self.surface, &mut self.access, &self.scene, self.time);
        self.ctx.clone().run_ui(input, |ui| match scene {
            Some(scene) => {
                surface.set_scene(scene(time));
                surface.draw(ui, access, time);
            }
            None => surface.show(ui, access),
        })
    }

    /// Some frames, until what moves has come to rest.
    pub(super) fn settle(&mut self) -> FullOutput {
        for _ in 0..3 {
            self.after(0.5, Vec::new()).drop_without_applying_deltas();
        }
        self.frame(Vec::new())
    }

    /// The texts of a frame that can be seen, in the order in which they were drawn.
    pub(super) fn texts(&mut self) -> Vec<Text> {
        let output = self.settle();
        let texts = texts_of(&output);
        output.drop_without_applying_deltas();
        texts
    }

    /// Where a text stands.
    pub(super) fn find(&mut self, text: &str) -> Rect {
        let texts = self.texts();
        let found = texts.iter().find(|t| t.text == text);
        found
            .unwrap_or_else(|| {
                panic!("no text '{text}' among {:?}", texts.iter().map(|t| &t.text).collect::<Vec<_>>())
            })
            .rect
    }

    /// Moves the pointer, presses and releases.
    pub(super) fn click(&mut self, at: Pos2) {
        self.frame(vec![Event::PointerMoved(at)]).drop_without_applying_deltas();
        for pressed in [true, false] {
            self.frame(vec![button(at, pressed)]).drop_without_applying_deltas();
        }
    }

    /// Calls since this was asked last.
    pub(super) fn host_calls(&self) -> Vec<HostCall> {
        std::mem::take(&mut *self.host.0.lock().unwrap())
    }

    pub(super) fn access(&self) -> &dyn ParamAccess {
        &self.access
    }
}

pub(super) fn button(pos: Pos2, pressed: bool) -> Event {
    let button = egui::PointerButton::Primary;
    Event::PointerButton { pos, button, pressed, modifiers: egui::Modifiers::NONE }
}

pub(super) fn key(key: egui::Key, modifiers: egui::Modifiers) -> Vec<Event> {
    let event = |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
    vec![event(true), event(false)]
}

/// A song that is being played: eight bars of four chords, the play line four seconds in and moving.
pub(super) fn song(time: f64) -> Scene {
    scene_at(4.0 * 960.0 + time * 960.0, ClockSource::Host)
}

/// The same, standing still.
pub(super) fn still(_time: f64) -> Scene {
    scene_at(13.3 * 480.0, ClockSource::Host)
}

fn scene_at(now: f64, source: ClockSource) -> Scene {
    let state = editor_state(now as Pulse);
    let status = Status {
        session: now,
        position: now,
        bpm: 120.0,
        bar: now as i64 / 1920,
        in_bar: now % 1920.0,
        meter: (4, 4),
        source,
        late: 3,
        decision_us: 840,
        load: 0.034,
        reaction_samples: 480,
        sample_rate: 48_000.0,
        ..Status::default()
    };
    Scene::of(&state, status, (18.0, 8.0))
}

/// What is known of a genre: this one of them.
pub(super) fn genre(classes: &[&str], shown: usize) -> GenreView {
    let mut genre = GenreView {
        verdict: Verdict::Genre(shown),
        classes: classes.iter().map(|&c| c.to_owned()).collect(),
        bars_to_boundary: 5,
        ..GenreView::default()
    };
    let rest = 0.28 / (classes.len() as f32 - 1.0);
    genre.probabilities[..classes.len()].fill(rest);
    genre.probabilities[shown] = 0.72;
    genre
}

/// Four chords over and over, played by everyone.
pub(in crate::editor) fn editor_state(now: Pulse) -> EditorState {
    const CHORDS: [[u8; 4]; 4] = [[57, 60, 64, 67], [53, 57, 60, 64], [55, 59, 62, 65], [52, 55, 59, 62]];
    let mut state = EditorState {
        chord: "Am7".into(),
        style: "pop-rock".into(),
        engine: "band-full".into(),
        ..EditorState::default()
    };
    state.genre = genre(&["Classical", "Jazz", "Pop/Rock", "Folk/Country", "Hymn"], 2);
    state.tempos.push_back(TempoPoint {
        at: 0,
        position: 0,
        bar_start: 0,
        bar: 0,
        meter: Meter::COMMON,
        bpm: 120.0,
    });
    let mut all: Vec<(Voice, Note)> = Vec::new();
    for bar in 0..16_i64 {
        let at = bar * 1920;
        let chord = CHORDS[(bar % 4) as usize];
        let mut add = |voice, step: i64, pitch, length, velocity| {
            all.push((voice, Note { onset: at + step * 120, pitch, length, velocity }));
        };
        for (i, pitch) in chord.into_iter().enumerate() {
            add(Voice::Piano, 0, pitch, 900, 84);
            add(Voice::Piano, 6, pitch, 420, 62);
            add(Voice::Piano, 10 + i as i64, pitch + 12, 110, 70 + 4 * i as u8);
            add(Voice::Part(Part::Guitar), 2 + 4 * (i as i64), chord[1 + i % 3] + 12, 200, 66);
            add(Voice::Part(Part::Guitar), 3 + 4 * (i as i64), chord[i % 3] + 12, 100, 50);
            add(Voice::Part(Part::Drums), 4 * i as i64, if i % 2 == 0 { 36 } else { 38 }, 60, 100);
            add(Voice::Part(Part::Bass), 4 * i as i64, chord[0] - 24 + if i == 3 { 7 } else { 0 }, 420, 92);
        }
        for eighth in 0..8 {
            add(Voice::Part(Part::Drums), 2 * eighth, 42, 60, if eighth % 2 == 0 { 80 } else { 52 });
        }
        if bar % 4 == 0 {
            add(Voice::Part(Part::Drums), 0, 49, 60, 110);
        }
        if bar % 4 == 3 {
            for (i, key) in [48, 47, 45, 43].into_iter().enumerate() {
                add(Voice::Part(Part::Drums), 12 + i as i64, key, 60, 90);
            }
        }
        for pitch in [chord[1] + 24, chord[2] + 24] {
            add(Voice::Part(Part::Strings), 0, pitch, 1880, 58);
        }
    }
    all.sort_by_key(|(_, n)| (n.onset, n.pitch));
    for (voice, n) in all {
        match voice {
            _ if n.onset <= now => {
                let length = (n.end() <= now).then_some(n.length);
                state.notes.push_back(RollNote {
                    voice,
                    onset: n.onset,
                    length,
                    pitch: n.pitch,
                    velocity: n.velocity,
                });
            }
            Voice::Part(part) if n.onset < now + 4 * 480 => {
                state.ahead.push(Expected { part, note: n, decided: n.onset < now + 240 });
            }
            _ => {}
        }
    }
    state
}

/// Sizes to be looked at: the smallest, the default and a large one.
pub(super) const SIZES: [Vec2; 3] = [vec2(760.0, 480.0), vec2(1100.0, 680.0), vec2(1600.0, 1000.0)];
