//! `sideman inspect`.

use super::{Bench, song_bytes};

#[test]
fn a_midi_file_is_described_for_people_and_for_scripts() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(8));
    let text = bench.run(&["inspect", "a.mid"]).ok();
    for word in ["Keys", "Flute", "4/4", "3/4", "key", "100.0"] {
        assert!(text.text().contains(word), "{word} is not in:\n{}", text.text());
    }
    let json = bench.run(&["inspect", "a.mid", "--json"]).ok();
    let json: serde_json::Value = serde_json::from_str(json.text()).unwrap();
    assert_eq!(json["tracks"][0]["name"], "Keys");
    assert_eq!(json["tracks"][0]["notes"], 8 * 12);
    assert_eq!(json["meters"][1]["meter"], "3/4");
    let piped = bench.run_with(&["inspect", "-"], &song_bytes(8)).ok();
    assert_eq!(piped.text(), text.text());
}
