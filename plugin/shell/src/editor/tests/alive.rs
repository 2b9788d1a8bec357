//! The editor beside a band that really plays.

use sideman_engine::Controls;
use sideman_engine::live::{Block, Input, LiveSettings, MidiMessage, Processor, Transport, Trigger};
use sideman_music::{Meter, smf};

use super::stage::{HostCall, SIZES, Stage};
use crate::editor::capture;
use crate::editor::param_access::{Control, ParamAccess};

const RATE: f64 = 48_000.0;
const BLOCK: u32 = 480;

/// A band that plays offline, block by block.
struct Band {
    processor: Processor,
    controls: Controls,
    at: u64,
}

impl Band {
    fn new(stage: &Stage) -> Self {
        let mut processor = Processor::new(stage.instance.shared.clone());
        processor.activate(RATE, BLOCK);
        Self { processor, controls: Controls::default(), at: 0 }
    }

    fn block(&mut self, inputs: &[Input]) {
        let beats = self.at as f64 / RATE * 2.0;
        let transport = Transport {
            playing: true,
            bpm: Some(120.0),
            beats: Some(beats),
            bar_start: Some((beats / 4.0).floor() * 4.0),
            bar: Some((beats / 4.0).floor() as i64),
            meter: Some(Meter::COMMON),
        };
        let settings = LiveSettings::default();
        let block = Block {
            frames: BLOCK,
            transport,
            controls: &self.controls,
            settings: &settings,
            offline: true,
            bypass: false,
        };
        self.processor.process(&block, inputs);
        self.at += u64::from(BLOCK);
    }
}

fn controller(number: u8, value: u8) -> Input {
    Input { at: 0, channel: 0, message: MidiMessage::Other { status: 0xB0, first: number, second: value } }
}

#[test]
fn what_a_taught_controller_sets_is_shown_and_written_into_the_parameter() {
    let mut stage = Stage::new(SIZES[1], 1.0);
    let mut band = Band::new(&stage);
    let shared = stage.instance.shared.clone();
    shared.set_learned(Control::Swing, Some(Trigger::Controller(0, 20)));
    shared.set_learned(Control::Temperature, Some(Trigger::Controller(0, 21)));
    shared.set_learned(Control::Freeze, Some(Trigger::Controller(0, 22)));
    band.block(&[controller(20, 127), controller(21, 90), controller(22, 127)]);
    assert_eq!(shared.overridden(Control::Swing), Some(1.0));
    let plain = shared.overridden(Control::Temperature).unwrap();
    stage.settle().drop_without_applying_deltas();
    assert_eq!(stage.instance.params.value(Control::Swing), 1.0);
    assert!((stage.instance.params.value(Control::Temperature) - plain).abs() < 0.006);
    assert_eq!(stage.instance.params.value(Control::Freeze), 1.0);
    stage.find("100 %");
    let calls = stage.host_calls();
    for ptr in [Control::Swing, Control::Temperature].map(|c| stage.instance.params.pointer(c)) {
        let of: Vec<&HostCall> = calls
            .iter()
            .filter(|t| matches!(t, HostCall::Begin(p) | HostCall::Set(p, _) | HostCall::End(p) if *p == ptr))
            .collect();
        assert!(matches!(of[..], [HostCall::Begin(_), HostCall::Set(..), HostCall::End(_)]), "{of:?}");
    }
    // The band sees the parameters moved, and what lay on top goes away.
    band.controls.swing = stage.instance.params.value(Control::Swing);
    band.controls.temperature = stage.instance.params.value(Control::Temperature);
    band.controls.freeze = true;
    band.block(&[]);
    for action in [Control::Swing, Control::Temperature, Control::Freeze] {
        assert_eq!(shared.overridden(action), None, "{action:?}");
    }
    // The editor has the last word again.
    stage.settle().drop_without_applying_deltas();
    crate::editor::param_access::set_at_once(&mut stage.access, Control::Swing, 0.25);
    stage.settle().drop_without_applying_deltas();
    assert_eq!(stage.access.value(Control::Swing), 0.25);
}

#[test]
fn what_is_played_is_seen_and_saved() {
    let mut stage = Stage::new(SIZES[1], 1.0);
    stage.instance.set_watched(true);
    let mut band = Band::new(&stage);
    let shared = stage.instance.shared.clone();
    let note = |pitch, velocity| Input { at: 0, channel: 0, message: MidiMessage::Note { pitch, velocity } };
    for i in 0..4 * 200 {
        // A chord at every bar, held for three beats: a bar lasts 200 blocks.
        match i % 200 {
            0 => band.block(&[note(60, 90), note(64, 90), note(67, 90)]),
            150 => band.block(&[note(60, 0), note(64, 0), note(67, 0)]),
            _ => band.block(&[]),
        }
        if i % 10 == 0 {
            stage.frame(Vec::new()).drop_without_applying_deltas();
        }
    }
    let texts = stage.texts();
    assert!(texts.iter().any(|t| t.text == "Host"), "the clock is the host's");
    assert!(!texts.iter().any(|t| t.text == "Play the piano"), "there is something to see");
    let now = shared.status().session as i64;
    let folder = tempfile::tempdir().unwrap();
    let path = capture::save_into(&shared, now, 5, Some(folder.path().to_owned())).unwrap();
    let score = smf::read(&std::fs::read(path).unwrap()).unwrap();
    let piano = score.tracks.iter().find(|t| t.name == "Piano").unwrap();
    assert_eq!(piano.notes.len(), 4 * 3);
    assert_eq!(piano.notes[0].onset % 1920, 0, "a chord on the bar line");
    assert!(score.tracks.len() > 1, "the band is among it");
    assert!((score.tempos.bpm_at(0) - 120.0).abs() < 0.01);
    band.processor.deactivate();
}
