//! Weights files: used when whole, refused with a reason when damaged or foreign.

use sideman_inference::band::Config;
use sideman_inference::weights::{Card, StoredStyle, write};
use sideman_music::encoding::grid::VelocityTable;

use super::{Bench, song_bytes};

/// A small network that never learned anything, but plays.
fn untrained() -> Vec<u8> {
    let config = Config { input: 64, hidden: 64, context: 32, pitch: 32, style: 8 };
    let mut tensors = config.initial(1);
    // What only makes style codes does not belong in a weights file.
    tensors.retain(|name, _| !name.starts_with("style."));
    let styles = ["auto", "ballad"].map(|style| StoredStyle {
        style: style.into(),
        bpm: 80.0,
        bar_steps: 16,
        programs: [Some(0), None, Some(29), Some(44)],
        share: None,
        code: vec![0.1; 8],
    });
    let card = Card {
        name: "untrained".into(),
        licence: "none needed".into(),
        data: vec!["nothing".into()],
        scores: vec!["none".into()],
        ..Card::default()
    };
    write(&config, &tensors, &styles, &VelocityTable::default(), &Default::default(), &card)
        .expect("a weights file")
}

#[test]
fn other_weights_play_and_their_card_can_be_read() {
    let bench = Bench::new();
    bench.put("w.gguf", &untrained());
    bench.put("a.mid", &song_bytes(8));
    let render = ["render", "a.mid", "-o", "b.mid", "--weights", "w.gguf", "--json", "--seed", "4"];
    let json: serde_json::Value = serde_json::from_str(bench.run(&render).ok().text()).unwrap();
    assert_eq!((&json["engine"], &json["style"]), (&"untrained".into(), &"auto".into()));
    assert_eq!(json["parts"]["guitar"]["program"], 29, "the instruments are those of the stored style");
    assert_eq!(json["parts"]["bass"]["program"], 34, "or else the usual ones");
    let first = bench.get("b.mid");
    bench.run(&render).ok();
    assert_eq!(bench.get("b.mid"), first);
    bench.run(&[&render[..], &["--style", "ballad"]].concat()).ok();
    bench
        .run(&[&render[..], &["--style", "funk"]].concat())
        .fails(1, &["know no style 'funk'", "let the rules play"]);

    let card = bench.run(&["inspect", "w.gguf"]).ok();
    for word in ["untrained", "none needed", "nothing", "sha256"] {
        assert!(card.text().contains(word), "{word} is not in:\n{}", card.text());
    }
    let json: serde_json::Value =
        serde_json::from_str(bench.run(&["inspect", "w.gguf", "--json"]).ok().text()).unwrap();
    assert_eq!(json["sha256"].as_str().map(str::len), Some(64));
}

#[test]
fn damaged_and_foreign_weights_are_refused_with_a_reason() {
    let whole = untrained();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    let n = whole.len();
    let foreign = "not a Sideman weights file";
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", vec![], foreign),
        ("text", b"weights, honestly".to_vec(), foreign),
        ("only the magic", b"GGUF".to_vec(), foreign),
        ("another program's file", [b"GGUF\x03\0\0\0".as_slice(), &[0; 4000]].concat(), foreign),
        ("a MIDI file", song_bytes(2), foreign),
        ("cut in half", whole[..n / 2].to_vec(), "damaged"),
        ("last byte missing", whole[..n - 1].to_vec(), "damaged"),
        ("something behind", [&whole[..], b"x"].concat(), "damaged"),
        ("a bit in the header", flipped(9), "damaged"),
        ("a bit in the middle", flipped(n / 2), "damaged"),
        ("a bit in the last tensor", flipped(n - 60), "damaged"),
        ("a bit in the checksum", flipped(n - 1), "damaged"),
        ("zeros inside", [&whole[..n / 3], &vec![0; n / 3], &whole[n / 3 * 2..]].concat(), "damaged"),
    ];
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(2));
    for (what, bytes, says) in cases {
        bench.put("w.gguf", &bytes);
        println!("{what}");
        bench.run(&["render", "a.mid", "-o", "b.mid", "--weights", "w.gguf"]).fails(1, &["w.gguf", says]);
        if what != "a MIDI file" {
            bench.run(&["inspect", "w.gguf"]).fails(1, &["w.gguf"]);
        }
    }
    bench
        .run(&["render", "a.mid", "-o", "b.mid", "--weights", "none.gguf"])
        .fails(1, &["none.gguf", "No such file"]);
    bench
        .run(&["render", "a.mid", "-o", "b.mid", "--weights", "opne"])
        .fails(1, &["no weights 'opne'", "full", "rules"]);
    assert_eq!(bench.names(), ["a.mid", "w.gguf"]);
}

#[test]
fn sets_are_chosen_by_name_and_the_rules_are_one_of_them() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(4));
    let engine = |args: &[&str]| -> String {
        let run = [&["render", "a.mid", "-o", "b.mid", "--json"], args].concat();
        let json: serde_json::Value = serde_json::from_str(bench.run(&run).ok().text()).unwrap();
        json["engine"].as_str().unwrap().to_owned()
    };
    assert_eq!(engine(&["--weights", "rules"]), "rules");
    assert_eq!(engine(&["--engine", "rules", "--weights", "rules"]), "rules");
    let full = engine(&[]);
    assert_eq!(engine(&["--weights", "full"]), full);
    for set in sideman_inference::weights::BUILT_IN {
        assert_eq!((set.name == "full"), engine(&["--weights", set.name]) == full, "{}", set.name);
    }
}
