//! Frames of the piano, and that none has anything too early.

use proptest::prelude::*;
use sideman_music::listen::{Lean, frames, key_events};
use sideman_music::{Listener, Note, PianoFrame, STEP_PULSES};

const STEPS: usize = 32;

fn notes(from: i64, to: i64) -> impl Strategy<Value = Vec<Note>> {
    let note = (from..to, 0u8..128, 1i64..1500, 1u8..128);
    proptest::collection::vec(note, 0..60).prop_map(|notes| {
        notes
            .into_iter()
            .map(|(onset, pitch, length, velocity)| Note { onset, pitch, length, velocity })
            .collect()
    })
}

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn frames_do_not_know_the_future(
        past in notes(0, STEPS as i64 * STEP_PULSES), future in notes(1, 4000), cut in 0usize..STEPS,
    ) {
        let point = cut as i64 * STEP_PULSES + Lean::MOST;
        let whole = frames(&past, STEPS);
        // Notes after the decision point are replaced, and those that sound there end at another time.
        let mut other: Vec<Note> = past.iter().copied().filter(|n| n.onset <= point).collect();
        for n in &mut other {
            if n.end() > point {
                n.length += 77;
            }
        }
        other.extend(future.into_iter().map(|n| Note { onset: n.onset + point, ..n }));
        prop_assert_eq!(&frames(&other, STEPS)[..=cut], &whole[..=cut]);
    }

    #[test]
    fn streaming_gives_the_same_frames(past in notes(-500, STEPS as i64 * STEP_PULSES)) {
        let events = key_events(&past);
        prop_assert!(events.is_sorted_by_key(|e| e.at));
        let mut listener = Listener::default();
        let (mut lean, mut point) = (Lean::default(), 0);
        let mut streamed = Vec::new();
        // Events come one by one; a frame is taken as soon as the next event lies beyond its point.
        for e in events {
            while e.at > point {
                streamed.push(listener.take_frame());
                point = streamed.len() as i64 * STEP_PULSES + lean.pulses();
            }
            if e.velocity > 0 {
                listener.note_on(e.pitch, e.velocity);
                lean.add(e.at);
            } else {
                listener.note_off(e.pitch);
            }
        }
        while streamed.len() < STEPS {
            streamed.push(listener.take_frame());
        }
        prop_assert_eq!(&streamed[..STEPS], &frames(&past, STEPS)[..]);
        prop_assert!(!listener.any_key_down());
    }

    #[test]
    fn frames_agree_with_themselves(past in notes(0, STEPS as i64 * STEP_PULSES)) {
        for f in frames(&past, STEPS) {
            prop_assert_eq!(f.sounding & f.struck, f.struck);
            prop_assert_eq!(f.struck_count == 0, f.struck == 0);
            prop_assert_eq!(f.struck_count == 0, f.velocity == 0);
            prop_assert_eq!(f.keys == 0, f.sounding == 0);
            prop_assert!(u32::from(f.keys) >= f.sounding.count_ones());
            if f.keys == 0 {
                prop_assert_eq!(f, PianoFrame::SILENT);
            } else {
                prop_assert!(f.lowest <= f.highest);
                prop_assert!(f.sounding >> (f.lowest % 12) & 1 == 1 && f.sounding >> (f.highest % 12) & 1 == 1);
            }
            if f.struck_count > 0 {
                prop_assert!(f.lowest <= f.struck_lowest && f.struck_highest <= f.highest);
            }
        }
    }

    #[test]
    fn a_listener_takes_any_pitch(pitches in proptest::collection::vec(0u8..=255, 0..300)) {
        let mut listener = Listener::default();
        for &p in &pitches {
            listener.note_on(p, 100);
        }
        let frame = listener.take_frame();
        prop_assert_eq!(frame.keys == 0, pitches.iter().all(|&p| p > 127));
        listener.reset();
        prop_assert_eq!(listener.take_frame(), PianoFrame::SILENT);
    }
}

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn the_lean_is_small_and_follows_the_piano(late in -20i64..=20, jitter in 0i64..4, wild in 0i64..100_000) {
        let mut lean = Lean::default();
        prop_assert_eq!(lean.pulses(), 0);
        for i in 0..64 {
            lean.add(i * STEP_PULSES + late + i % (jitter + 1));
        }
        let wanted = late + jitter;
        prop_assert!((wanted.clamp(0, Lean::MOST) - lean.pulses()).abs() <= jitter, "{:?}", lean);
        for i in 0..64 {
            lean.add(i * wild);
            prop_assert!((0..=Lean::MOST).contains(&lean.pulses()));
        }
    }
}

#[test]
fn a_note_is_in_the_frame_of_its_onset() {
    let note = Note { onset: 120, pitch: 60, length: 121, velocity: 90 };
    let four = frames(&[note], 4);
    assert_eq!(four[0], PianoFrame::SILENT);
    assert_eq!((four[1].struck_count, four[1].keys, four[1].velocity), (1, 1, 90));
    assert_eq!((four[2].struck_count, four[2].keys, four[2].velocity), (0, 1, 0));
    assert_eq!(four[3], PianoFrame::SILENT);
}
