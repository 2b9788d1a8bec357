//! Everything has its place: at every size all texts are inside the window, apart from each other, readable,
//! and there.

use egui::{Rect, Vec2, vec2};

use super::stage::{SIZES, Stage, genre, song, still};
use crate::editor::param_access::Control;
use crate::editor::scene::Scene;
use crate::editor::texts::Text;
use crate::editor::theme;
use crate::editor::touch::id;
use sideman_engine::genre::{Source, Verdict};
use sideman_music::Part;

/// Texts that overlap.
fn collisions(texts: &[Text]) -> Vec<String> {
    let mut out = Vec::new();
    for (i, a) in texts.iter().enumerate() {
        for b in &texts[..i] {
            // Letters reach a little out of their line; only what can be seen counts.
            let (ra, rb) = (a.rect.intersect(a.clip), b.rect.intersect(b.clip));
            if ra.shrink(0.6).intersects(rb.shrink(0.6)) {
                out.push(format!("'{}' at {:?} and '{}' at {:?}", a.text, ra, b.text, rb));
            }
        }
    }
    out
}

fn check(texts: &[Text], size: Vec2, what: &str) {
    let window = Rect::from_min_size(egui::Pos2::ZERO, size);
    assert!(texts.len() > 50, "{what}: only {} texts", texts.len());
    for t in texts {
        assert!(window.contains_rect(t.rect), "{what}: '{}' at {:?} is outside of {size:?}", t.text, t.rect);
        assert!(t.clip.expand(1.0).contains_rect(t.rect), "{what}: '{}' is cut off by {:?}", t.text, t.clip);
        assert!(t.size >= theme::SMALL, "{what}: '{}' has letters of {}", t.text, t.size);
        assert!(!t.elided, "{what}: '{}' is shortened", t.text);
    }
    let over = collisions(texts);
    assert!(over.is_empty(), "{what}: {over:#?}");
}

#[test]
fn at_every_size_and_scale_all_texts_have_their_room() {
    let between = [
        vec2(760.0, 700.0),
        vec2(900.0, 480.0),
        vec2(1063.0, 600.0),
        vec2(1075.0, 600.0),
        vec2(2400.0, 1300.0),
    ];
    for size in SIZES.into_iter().chain(between) {
        for pixels in [1.0, 1.25, 1.5, 2.0] {
            let what = format!("{size:?} at {pixels}");
            for (scene, name) in [(song as fn(f64) -> Scene, "moving"), (still, "still")] {
                let mut stage = Stage::new(size, pixels).with_scene(scene);
                check(&stage.texts(), size, &format!("{what}, {name}"));
            }
            // Nothing heard, nothing known: what a user sees first.
            check(&Stage::new(size, pixels).texts(), size, &format!("{what}, empty"));
        }
    }
}

#[test]
fn panels_that_take_turns_all_have_room_at_the_smallest_size() {
    let panels = [
        ("Style", "Morph"),
        ("Genre", "72 % sure · 5 bars"),
        ("Sound", "Soundfont"),
        ("MIDI", "Report latency"),
        ("Band", "Humanize"),
    ];
    for (tab, inside) in panels {
        let mut stage = Stage::new(SIZES[0], 1.0).with_scene(song);
        let places: Vec<Text> =
            stage.texts().into_iter().filter(|t| t.text == tab && t.rect.left() < 80.0).collect();
        stage.click(places[0].rect.center());
        let texts = stage.texts();
        check(&texts, SIZES[0], tab);
        assert!(texts.iter().any(|t| t.text == inside), "{tab} shows no {inside}");
    }
}

#[test]
fn every_verdict_and_any_number_of_genres_have_room() {
    let piano = ["Classical", "Jazz", "Pop/Rock", "Folk/Country", "Hymn"];
    let audio =
        ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"];
    for size in SIZES.into_iter().chain([vec2(1400.0, 600.0), vec2(2400.0, 1300.0)]) {
        for (classes, source) in [(&piano[..], Source::Piano), (&audio[..], Source::Audio)] {
            for class in 0..classes.len() + 2 {
                let mut view = genre(classes, class % classes.len());
                view.source = source;
                if class >= classes.len() {
                    view.verdict = [Verdict::Unsure, Verdict::Listening][class - classes.len()];
                }
                let verdict = view.verdict;
                let mut stage = Stage::new(size, 1.0).with_scene(move |t| {
                    let mut scene = song(t);
                    (scene.style, scene.genre) = ("jazz-swing".into(), view.clone());
                    scene
                });
                stage.settle().drop_without_applying_deltas();
                let tab = egui::Id::unique(("sideman button", "Genre panel"));
                if let Some(response) = stage.ctx.read_response(tab) {
                    stage.click(response.rect.center());
                }
                let texts = stage.texts();
                check(&texts, size, &format!("{verdict:?} of {classes:?} at {size:?}"));
                let wanted = match verdict {
                    Verdict::Genre(class) => classes[class],
                    Verdict::Unsure => "Unsure",
                    Verdict::Listening => "Listening…",
                };
                // As the answer, larger than as one of the genres.
                assert!(texts.iter().any(|t| t.text == wanted && t.size > 14.0), "{size:?}: no {wanted}");
            }
        }
    }
}

#[test]
fn controls_are_inside_the_window_and_none_lies_on_another() {
    for size in SIZES {
        let mut stage = Stage::new(size, 1.0).with_scene(song);
        let drawn = |stage: &Stage| -> Vec<(Control, Rect)> {
            let rect = |c| Some((c, stage.ctx.read_response(id(c))?.rect));
            let mut all: Vec<_> = Control::all().filter_map(rect).collect();
            let choice = |i: usize| stage.ctx.read_response(id(Control::Variation).with(i));
            all.extend((0..4).filter_map(choice).map(|r| (Control::Variation, r.rect)));
            all
        };
        let mut seen = std::collections::HashSet::new();
        for tab in ["Band panel", "Style panel", "Genre panel", "Sound panel", "MIDI panel"] {
            let tab = egui::Id::unique(("sideman button", tab));
            stage.settle().drop_without_applying_deltas();
            if let Some(response) = stage.ctx.read_response(tab) {
                stage.click(response.rect.center());
                stage.settle().drop_without_applying_deltas();
            }
            let all = drawn(&stage);
            for (i, (a, ra)) in all.iter().enumerate() {
                seen.insert(*a);
                assert!(Rect::from_min_size(egui::Pos2::ZERO, size).contains_rect(*ra), "{a:?} at {ra:?}");
                assert!(ra.width() >= 20.0 && ra.height() >= 20.0, "{a:?} is hard to hit: {ra:?}");
                for (b, rb) in &all[..i] {
                    assert!(!ra.shrink(0.5).intersects(rb.shrink(0.5)), "{size:?}: {a:?} lies on {b:?}");
                }
            }
        }
        let hidden: Vec<Control> = Control::all().filter(|c| !seen.contains(c)).collect();
        // The four variations stand for the next one; bypass is the host's; drums have no octaves.
        assert_eq!(hidden, [Control::Bypass, Control::Next, Control::Octave(Part::Drums)], "{size:?}");
    }
}

#[test]
fn extreme_values_fit_their_places() {
    for size in SIZES {
        for extreme in [0.0, 1.0] {
            let mut stage = Stage::new(size, 1.0).with_scene(|t| {
                let mut scene = song(t);
                scene.status.bar = 9998;
                scene.status.meter = (12, 8);
                scene.status.bpm = 299.99;
                scene.chord = "Ebm7b5/Gb".into();
                scene
            });
            for control in Control::all() {
                crate::editor::param_access::set_at_once(&mut stage.access, control, extreme);
            }
            check(&stage.texts(), size, &format!("{size:?}, all at {extreme}"));
        }
    }
}

#[test]
fn texts_are_found_where_they_belong() {
    for size in SIZES {
        let mut stage = Stage::new(size, 1.0).with_scene(song);
        let texts = stage.texts();
        let at = |name: &str| {
            texts
                .iter()
                .find(|t| t.text == name)
                .unwrap_or_else(|| panic!("no {name} at {size:?}"))
                .rect
                .center()
        };
        for part in Part::ALL.windows(2) {
            assert!(
                at(part[0].name()).y < at(part[1].name()).y,
                "the strips stand in the order of the parts"
            );
        }
        assert!(at("Sideman").y < 45.0 && at("Panic").y < 45.0);
        assert!(at("Am7").y < at("Drums").y && at("Am7").x < size.x / 2.0);
        assert!(at("Intensity").y > at("Strings").y);
        assert!(at("3 late, 0 missed, 0 echoed").y > size.y - 30.0);
        assert!(at("kick").x > at("Drums").x && at("kick").y > at("cymbal").y);
        assert!(at("Save the last minutes").x > size.x * 0.6);
    }
}

#[test]
fn a_window_too_small_gets_bars_and_does_not_fall_apart() {
    for size in [vec2(300.0, 200.0), vec2(759.0, 900.0), vec2(30.0, 30.0), vec2(1.0, 1.0)] {
        let mut stage = Stage::new(size, 1.0).with_scene(song);
        stage.settle().drop_without_applying_deltas();
    }
}

#[test]
fn notices_stand_above_the_strips_and_go_when_they_are_dismissed() {
    for size in SIZES {
        let mut stage = Stage::new(size, 1.0);
        stage.instance.shared.notice("The first of two: do this");
        stage.instance.shared.notice("The second: do that");
        let texts = stage.texts();
        check(&texts, size, "notice");
        let shown = stage.find("The second: do that");
        assert!(shown.bottom() < stage.find("Drums").top());
        stage.find("and 1 more");
        let dismiss = stage.find("Dismiss").center();
        stage.click(dismiss);
        assert!(!stage.texts().iter().any(|t| t.text == "Dismiss"));
        assert!(stage.instance.shared.editor_state(|b| b.notices.is_empty()));
    }
}
