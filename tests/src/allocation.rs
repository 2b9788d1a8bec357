//! Playing allocates nothing: neither the bands' step nor what will run on the audio thread.

use std::sync::Arc;

use sideman_allocator::calls;
use sideman_engine::audio_thread::Scheduler;
use sideman_engine::genre::{Follower, GenreView, Source, Verdict};
use sideman_engine::listen::Hearing;
use sideman_engine::messages::Order;
use sideman_engine::pattern::Pattern;
use sideman_engine::play::Player;
use sideman_engine::position::place_of;
use sideman_engine::style::Style;
use sideman_engine::{Controls, RuleBand};
use sideman_inference::band::{Band, Dials, Rests, StepContext, StepPosition};
use sideman_music::encoding::grid::VelocityTable;
use sideman_music::listen::frames;
use sideman_music::{MeterMap, Part, STEP_PULSES};

use super::{networks, note, piano};

fn steps(band: &mut dyn Band) -> (usize, usize) {
    let heard = frames(&piano(16), 256);
    band.reset(3);
    let mut played = 0;
    let calls = calls(|| {
        for (step, heard) in heard.iter().enumerate() {
            let place = StepPosition {
                step: step as i64,
                in_bar: (step % 16) as u16,
                bar: step as i64 / 16,
                bar_steps: 16,
                half_steps: 8,
            };
            let dials = Dials::default();
            let decision = band.decide(&StepContext {
                place,
                heard: *heard,
                parts: [true; 4],
                bpm: 100.0,
                dials,
                rests: Rests::default(),
                forced: None,
            });
            played += Part::ALL.iter().filter(|p| decision.now.plays(**p)).count();
        }
    });
    (calls, played)
}

#[test]
fn the_count_counts() {
    assert_eq!(calls(|| drop(std::hint::black_box(vec![1u8; 100]))), 2);
    assert_eq!(calls(|| ()), 0);
}

#[test]
fn a_step_of_the_rule_band_allocates_nothing() {
    for style in Style::ALL {
        let (calls, played) = steps(&mut RuleBand::new(style));
        assert_eq!(calls, 0, "{style}");
        assert!(played > 100, "{style} hardly plays, so this shows little: {played}");
    }
}

#[test]
fn a_step_of_the_network_allocates_nothing() {
    let weights = networks::untrained();
    let (calls, played) = steps(&mut networks::band(&weights, 1));
    assert_eq!(calls, 0);
    assert!(played > 100, "the network hardly plays, so this shows little: {played}");
}

#[test]
fn playing_and_turning_controls_allocates_nothing() {
    let weights = networks::untrained();
    let code = |value: f32| vec![value; weights.kernel.config().style];
    let morphing = networks::band(&weights, 1).with_other(&code(0.5), &code(-0.5));
    let bands: [Box<dyn Band>; 2] = [Box::new(morphing), Box::new(RuleBand::new(Style::Funk))];
    let bass = [note(0, 36, 400, 90), note(960, 43, 400, 90)];
    let pattern = Arc::new(Pattern::new(Part::Bass, "two notes", &bass, 16).expect("a pattern"));
    for mut band in bands {
        let mut controls = Controls::default();
        let mut player = Player::new(controls.into());
        player.reset(&mut *band);
        let (mut hearing, meters) = (Hearing::new(&piano(16)), MeterMap::default());
        let mut notes = 0;
        let calls = calls(|| {
            for step in 0..32 * 16 {
                if step % 23 == 0 {
                    controls.fills += 1;
                    controls.parts[step as usize % 4].lock ^= true;
                    controls.freeze = step % 69 == 0;
                    controls.complexity = 1.0 - controls.complexity;
                    controls.parts[2].density = (step % 5) as f32 / 4.0;
                    controls.parts[step as usize % 3].redraws += 1;
                    controls.morph = (step % 7) as f32 / 6.0;
                    controls.dynamics = 1.0 - controls.dynamics;
                    player.control(&controls);
                }
                if step % 64 == 0 {
                    player.change_velocities(&VelocityTable::default());
                    let kept = (step % 128 == 0).then(|| pattern.clone());
                    player.change_patterns([None, kept, None, None]);
                    player.change_band(&mut *band);
                }
                let place = place_of(step, &meters);
                let heard = hearing.at(&place);
                player.step(&mut *band, &place, heard, 100.0, &mut |_| notes += 1);
            }
            player.reset(&mut *band);
        });
        assert_eq!(calls, 0);
        assert!(notes > 500, "{notes}");
    }
}

#[test]
fn telling_the_genre_allocates_nothing() {
    let mut follower = Follower::new().expect("the built-in classifier");
    let (mut hearing, meters) = (Hearing::new(&piano(40)), MeterMap::default());
    let controls = Controls::default();
    let (mut bars, mut shown) = (0, 0);
    let calls = calls(|| {
        for step in 0..40 * 16 {
            let place = place_of(step, &meters);
            let heard = hearing.each(&place, |event| follower.key(event));
            let now = step * STEP_PULSES + heard.lean;
            bars += usize::from(follower.step(&place, now, 100.0, &controls, None));
            let classifier = follower.classifier();
            let view = GenreView::of(classifier.tracker(), classifier.classes(), Source::Piano);
            shown += usize::from(view.verdict != Verdict::Listening);
            let _ = std::hint::black_box(follower.followed(&controls));
        }
        follower.sleep();
        follower.reset();
    });
    assert_eq!(calls, 0);
    assert!(bars > 35 && shown > 400, "{bars} bars, {shown} steps with a verdict");
}

#[test]
fn the_scheduler_allocates_nothing() {
    let mut scheduler = Scheduler::new(0);
    let mut sent = 0;
    let calls = calls(|| {
        for step in 0..500i64 {
            for (i, part) in Part::ALL.into_iter().enumerate() {
                let n = note(step * STEP_PULSES + 7, 40 + ((step + i as i64) % 24) as u8, 300, 90);
                scheduler.accept(0, Order::Play(part, n));
            }
            scheduler.advance(step * STEP_PULSES, |_| sent += 1);
        }
        scheduler.jump(1, 0, |_| sent += 1);
    });
    assert_eq!(calls, 0);
    assert!(sent > 3000, "{sent}");
}
