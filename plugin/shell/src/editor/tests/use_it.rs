//! The editor in use: mouse, wheel and keys turn parameters, and the host gets proper gestures.

use std::collections::HashSet;

use egui::{Event, Key, Modifiers, MouseWheelUnit, Pos2, Role, TouchPhase, vec2};
use nice_plug::prelude::ParamPtr;
use sideman_engine::live::Trigger;
use sideman_music::Part;

use super::stage::{HostCall, SIZES, Stage, button, key, song};
use crate::editor::param_access::{Control, ParamAccess, is_on, set_at_once};
use crate::editor::touch::id;

fn stage() -> Stage {
    // Large enough for all panels at once.
    let mut stage = Stage::new(SIZES[2], 1.0).with_scene(song);
    stage.settle().drop_without_applying_deltas();
    stage
}

/// Middle of a control as it was drawn.
fn middle(stage: &Stage, control: Control) -> Pos2 {
    stage.ctx.read_response(id(control)).unwrap_or_else(|| panic!("{control:?} is not drawn")).rect.center()
}

fn frame(stage: &mut Stage, events: Vec<Event>) {
    stage.frame(events).drop_without_applying_deltas();
}

fn drag(stage: &mut Stage, from: Pos2, way: egui::Vec2, modifiers: Modifiers) {
    let at =
        |pos, pressed| Event::PointerButton { pos, button: egui::PointerButton::Primary, pressed, modifiers };
    frame(stage, vec![Event::PointerMoved(from)]);
    frame(stage, vec![at(from, true)]);
    for i in 1..=10 {
        // The modifiers come with the button; a move alone keeps them.
        let moved = Event::PointerMoved(from + way * (i as f32 / 10.0));
        frame(stage, vec![Event::ModifiersChanged(modifiers), moved]);
    }
    frame(stage, vec![at(from + way, false)]);
}

/// That gestures are opened, used and closed, one at a time for each parameter.
fn well_formed(calls: &[HostCall]) {
    let mut open: Vec<ParamPtr> = Vec::new();
    for t in calls {
        match t {
            HostCall::Begin(p) => {
                assert!(!open.contains(p), "a gesture within a gesture: {calls:?}");
                open.push(*p);
            }
            HostCall::Set(p, v) => assert!(open.contains(p) && (0.0..=1.0).contains(v), "{calls:?}"),
            HostCall::End(p) => {
                assert!(open.contains(p), "an end without a beginning: {calls:?}");
                open.retain(|o| o != p);
            }
        }
    }
    assert!(open.is_empty(), "a gesture was left open: {calls:?}");
}

#[test]
fn a_click_turns_a_switch_and_the_host_gets_the_gesture() {
    let mut stage = stage();
    let switches = [
        Control::Freeze,
        Control::CountIn,
        Control::Thru,
        Control::Sound,
        Control::Compensate,
        Control::Follow,
    ];
    let parts = Part::ALL
        .into_iter()
        .flat_map(|p| [Control::On(p), Control::Mute(p), Control::Solo(p), Control::Lock(p)]);
    for control in switches.into_iter().chain(parts) {
        let (before, at) = (is_on(stage.access(), control), middle(&stage, control));
        stage.click(at);
        assert_eq!(is_on(stage.access(), control), !before, "{control:?}");
        let calls = stage.host_calls();
        assert_eq!(calls.len(), 3, "{control:?}: {calls:?}");
        well_formed(&calls);
        assert!(stage.instance.params.value(Control::Freeze) > 0.5 || control != Control::Freeze);
    }
}

#[test]
fn a_press_goes_down_with_the_finger_and_comes_up_by_itself() {
    for control in [Control::Fill, Control::Panic, Control::Tap, Control::StartStop] {
        let mut stage = stage();
        let at = middle(&stage, control);
        frame(&mut stage, vec![Event::PointerMoved(at)]);
        frame(&mut stage, vec![button(at, true)]);
        assert_eq!(stage.host_calls().len(), 2, "{control:?} is down as soon as the finger is");
        assert!(is_on(stage.access(), control));
        frame(&mut stage, vec![button(at, false)]);
        for _ in 0..3 {
            stage.after(0.1, Vec::new()).drop_without_applying_deltas();
        }
        let calls = stage.host_calls();
        assert!(matches!(calls[..], [HostCall::Set(_, 0.0), HostCall::End(_)]), "{control:?}: {calls:?}");
        // By keyboard alike, once for each stroke.
        stage.ctx.memory_mut(|m| m.request_focus(id(control)));
        frame(&mut stage, Vec::new());
        frame(&mut stage, key(Key::Enter, Modifiers::NONE));
        for _ in 0..4 {
            stage.after(0.1, Vec::new()).drop_without_applying_deltas();
        }
        let calls = stage.host_calls();
        assert_eq!(calls.len(), 4, "{control:?}: {calls:?}");
        well_formed(&calls);
    }
}

#[test]
fn dials_are_dragged_finely_with_shift_and_put_back_by_a_double_click() {
    let mut stage = stage();
    let control = Control::Complexity;
    let at = middle(&stage, control);
    drag(&mut stage, at, vec2(0.0, -60.0), Modifiers::NONE);
    let far = stage.access.value(control);
    assert!(far > 0.7, "{far}");
    let calls = stage.host_calls();
    well_formed(&calls);
    assert_eq!(
        calls.iter().filter(|t| matches!(t, HostCall::Begin(_))).count(),
        1,
        "one drag is one gesture"
    );
    set_at_once(&mut stage.access, control, 0.5);
    drag(&mut stage, at, vec2(0.0, -60.0), Modifiers::SHIFT);
    let near = stage.access.value(control);
    assert!(near > 0.505 && near - 0.5 < (far - 0.5) / 4.0, "{near} with shift, {far} without");
    stage.click(at);
    stage.click(at);
    assert_eq!(stage.access.value(control), stage.access.default(control));
}

#[test]
fn wheel_and_keys_turn_what_is_pointed_at_or_focused() {
    let mut stage = stage();
    for control in [
        Control::Intensity,
        Control::Tempo,
        Control::Octave(Part::Bass),
        Control::Listen,
        Control::Level(Part::Drums),
    ] {
        let before = stage.access.value(control);
        let at = middle(&stage, control);
        frame(&mut stage, vec![Event::PointerMoved(at)]);
        frame(&mut stage, vec![Event::PointerMoved(at)]);
        let delta = vec2(0.0, 1.0);
        let (unit, modifiers, phase) = (MouseWheelUnit::Line, Modifiers::NONE, TouchPhase::Move);
        let source = egui::MouseWheelSource::Unknown;
        frame(&mut stage, vec![Event::MouseWheel { unit, delta, modifiers, phase, source }]);
        let wheeled = stage.access.value(control);
        assert!(wheeled > before, "{control:?}: {before} to {wheeled}");
        stage.ctx.memory_mut(|m| m.request_focus(id(control)));
        frame(&mut stage, Vec::new());
        frame(&mut stage, key(Key::ArrowDown, Modifiers::NONE));
        assert!(stage.access.value(control) < wheeled, "{control:?}");
        assert_eq!(stage.ctx.memory(|m| m.focused()), Some(id(control)), "arrows turn, they do not go away");
        frame(&mut stage, key(Key::End, Modifiers::NONE));
        assert_eq!(stage.access.value(control), 1.0);
        frame(&mut stage, key(Key::Home, Modifiers::NONE));
        assert_eq!(stage.access.value(control), 0.0);
        well_formed(&stage.host_calls());
    }
}

#[test]
fn tab_reaches_every_control_and_every_control_has_a_name() {
    let mut stage = stage();
    let mut reached = HashSet::new();
    for _ in 0..200 {
        frame(&mut stage, key(Key::Tab, Modifiers::NONE));
        frame(&mut stage, Vec::new());
        if let Some(focused) = stage.ctx.memory(|m| m.focused())
            && !reached.insert(focused)
        {
            break;
        }
    }
    for control in Control::all() {
        match control {
            // The next variation has no button of its own; the four stand for it.
            Control::Next => continue,
            // Drums have no octave; bypass is the host's.
            Control::Octave(Part::Drums) | Control::Bypass => continue,
            Control::Variation => assert!((0..4).all(|i| reached.contains(&id(control).with(i)))),
            _ => assert!(reached.contains(&id(control)), "Tab does not reach {control:?}"),
        }
    }
    for name in [
        "Save the last minutes as a MIDI file",
        "Save 10 minutes",
        "Choose a soundfont",
        "List of what is taught",
    ] {
        assert!(reached.contains(&egui::Id::unique(("sideman button", name))), "Tab does not reach '{name}'");
    }

    let mut output = stage.frame(Vec::new());
    let tree = output.platform_output.accesskit_update.take().expect("a tree for screen readers");
    output.drop_without_applying_deltas();
    let mut inputs = 0;
    for (_, node) in &tree.nodes {
        if egui::accessibility::is_input(node.role()) {
            inputs += 1;
            let named = node.label().is_some_and(|l| !l.is_empty());
            assert!(named || node.role() == Role::TextInput, "{node:?} has no name");
        }
    }
    assert!(inputs > 50, "{inputs}");
}

#[test]
fn nothing_is_taken_from_the_host_unless_something_is_focused() {
    let mut stage = stage();
    frame(&mut stage, key(Key::Space, Modifiers::NONE));
    assert!(!stage.ctx.egui_wants_keyboard_input());
    assert_eq!(stage.host_calls(), []);
    let at = middle(&stage, Control::Freeze);
    stage.click(at);
    assert!(!stage.ctx.egui_wants_keyboard_input(), "a click by mouse takes no keyboard");
}

#[test]
fn a_list_opens_and_its_choice_is_taken() {
    let mut stage = stage();
    let at = middle(&stage, Control::Style);
    stage.click(at);
    let funk = stage.find("Funk").center();
    stage.click(funk);
    assert_eq!(style_of(&stage), "funk");
    well_formed(&stage.host_calls());
    assert!(!stage.texts().iter().any(|t| t.text == "Reggae"), "the list is closed");
    // Without the list: arrows.
    stage.ctx.memory_mut(|m| m.request_focus(id(Control::Style)));
    frame(&mut stage, Vec::new());
    frame(&mut stage, key(Key::ArrowDown, Modifiers::NONE));
    assert_eq!(style_of(&stage), "hip-hop");
    let c = id(Control::Variation).with(2_usize);
    let at = stage.ctx.read_response(c).unwrap().rect.center();
    stage.click(at);
    assert_eq!(stage.access.text(Control::Variation, stage.access.value(Control::Variation)), "C");
}

#[test]
fn midi_is_taught_by_the_dot_by_the_menu_and_by_a_key_and_forgotten() {
    let mut stage = stage();
    let shared = stage.instance.shared.clone();
    let dot = stage.ctx.read_response(id(Control::Swing).with("teach")).unwrap().rect.center();
    stage.click(dot);
    assert_eq!(shared.learning(), Some(Control::Swing));
    stage.click(dot);
    assert_eq!(shared.learning(), None);

    let at = middle(&stage, Control::Mute(Part::Bass));
    frame(&mut stage, vec![Event::PointerMoved(at)]);
    for pressed in [true, false] {
        let (button, modifiers) = (egui::PointerButton::Secondary, Modifiers::NONE);
        frame(&mut stage, vec![Event::PointerButton { pos: at, button, pressed, modifiers }]);
    }
    let teach = stage.find("Teach MIDI").center();
    stage.click(teach);
    assert_eq!(shared.learning(), Some(Control::Mute(Part::Bass)));

    stage.ctx.memory_mut(|m| m.request_focus(id(Control::Fill)));
    frame(&mut stage, Vec::new());
    frame(&mut stage, key(Key::L, Modifiers::NONE));
    assert_eq!(shared.learning(), Some(Control::Fill));
    shared.set_learned(Control::Fill, Some(Trigger::Note(0, 36)));
    frame(&mut stage, key(Key::Delete, Modifiers::NONE));
    assert_eq!(shared.learned(Control::Fill), None);

    shared.set_learning(None);
    shared.set_learned(Control::Hold, Some(Trigger::Controller(0, 64)));
    let list = stage.find("Learn").center();
    stage.click(list);
    stage.find("Hold");
    stage.find("controller 64, channel 1");
}

#[test]
fn the_dice_change_the_seed_and_the_scale_is_chosen() {
    let mut stage = stage();
    let dice = egui::Id::unique(("sideman button", "Throw the dice for another seed"));
    let at = stage.ctx.read_response(dice).unwrap().rect.center();
    let mut seeds = HashSet::new();
    for _ in 0..5 {
        stage.click(at);
        seeds.insert(stage.instance.params.value(Control::Seed) as i32);
    }
    assert!(seeds.len() > 2, "{seeds:?}");
    let scale = stage.find("100 %").center();
    let foot = stage
        .texts()
        .iter()
        .filter(|t| t.text == "100 %")
        .map(|t| t.rect.center())
        .max_by(|a, b| a.y.total_cmp(&b.y));
    assert_ne!(foot, Some(scale), "dials say 100 %, too");
    stage.click(foot.unwrap());
    let wanted = stage.find("150 %").center();
    stage.click(wanted);
    stage.settle().drop_without_applying_deltas();
    assert_eq!(stage.ctx.zoom_factor(), 1.5);
}

#[test]
fn the_corner_pulls_the_window_to_no_less_than_can_be_read() {
    let mut stage = stage();
    let wanted = |stage: &mut Stage, way: egui::Vec2| {
        let from = egui::pos2(SIZES[2].x - 12.0, SIZES[2].y - 10.0);
        frame(stage, vec![Event::PointerMoved(from)]);
        frame(stage, vec![button(from, true)]);
        let mut size = None;
        for share in [0.3, 1.0] {
            let output = stage.frame(vec![Event::PointerMoved(from + way * share)]);
            for command in &output.viewport_output[&egui::ViewportId::ROOT].commands {
                if let egui::ViewportCommand::InnerSize(s) = command {
                    size = Some(*s);
                }
            }
            output.drop_without_applying_deltas();
        }
        frame(stage, vec![button(from + way, false)]);
        size
    };
    let larger = wanted(&mut stage, vec2(200.0, 100.0)).expect("a wish for a size");
    assert!((larger - (SIZES[2] + vec2(200.0, 100.0))).length() < 12.0, "{larger:?}");
    assert_eq!(wanted(&mut stage, vec2(-2000.0, -2000.0)), Some(SIZES[0]));
}

#[test]
fn saving_nothing_says_so() {
    let mut stage = Stage::new(SIZES[1], 1.0);
    let at = stage.find("Save the last minutes").center();
    stage.click(at);
    stage.find("Not saved: nothing was played yet: play, then save");
}

#[test]
fn a_preset_is_saved_changed_loaded_and_deleted_when_that_is_confirmed() {
    let mut stage = stage();
    let type_in = |stage: &mut Stage, text: &str| {
        frame(stage, key(Key::A, Modifiers::COMMAND));
        frame(stage, vec![Event::Text(text.to_owned())]);
    };
    let menu = stage.find("Presets").center();
    stage.click(menu);
    set_at_once(&mut stage.access, Control::Swing, 0.75);
    let field = stage.find("a name").center();
    stage.click(field);
    type_in(&mut stage, "Sunday");
    let save = stage.find("Save").center();
    stage.click(save);
    assert!(stage.presets.path().join("Sunday.toml").exists());
    assert_eq!(stage.instance.params.preset.get(), "Sunday");
    assert!(stage.texts().iter().any(|t| t.text.starts_with("Preset saved as")));

    // Saved once more under the same name: it asks.
    let save = stage.find("Save").center();
    stage.click(save);
    stage.find("'Sunday' is there already.");
    let kept = stage.find("Keep it").center();
    stage.click(kept);

    set_at_once(&mut stage.access, Control::Swing, 0.0);
    stage.find("Sunday *");
    let own = stage.texts().into_iter().rfind(|t| t.text == "Sunday").unwrap().rect.center();
    stage.click(own);
    assert!((stage.access.value(Control::Swing) - 0.75).abs() < 0.01);
    stage.find("Sunday");
    well_formed(&stage.host_calls());

    let menu = stage.find("Sunday").center();
    stage.click(menu);
    let delete = stage.find("Delete").center();
    stage.click(delete);
    assert!(stage.presets.path().join("Sunday.toml").exists(), "not before it is confirmed");
    let sure = stage.find("Delete for good").center();
    stage.click(sure);
    assert!(!stage.presets.path().join("Sunday.toml").exists());

    let built_in = crate::presets::built_in();
    let name = &built_in[0].name;
    let at = stage.find(name).center();
    stage.click(at);
    assert_eq!(stage.instance.params.preset.get(), *name);
    assert!(stage.access.is_loaded(&built_in[0]));
}

/// The id of the style that is chosen.
fn style_of(stage: &Stage) -> &'static str {
    Control::Style.row().choices().unwrap().ids[stage.instance.params.value(Control::Style) as usize]
}
