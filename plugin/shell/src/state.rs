//! A project's state: what is written, and what is made of what is read, however old, new or damaged.
//!
//! The framework writes `{"version": .., "params": {id: {"f32": ..}}, "fields": {name: "JSON"}}`, eight bytes
//! of length before it, refuses what does not parse to the letter, leaves parameters alone that are not
//! named, and forgets what it does not know. So everything passes through here on its way in and out.
//! [`repair`] makes a complete state of anything: what is readable is kept, all else gets its default, and
//! what this version does not know is laid into a persisted field of our own. [`dress`] puts that back to
//! where it was, and marks the format.

use std::collections::BTreeMap;

use nice_plug::prelude::{Param, ParamPtr, Params};
use serde_json::{Map, Value, json};
use sideman_engine::controls::Control;
use sideman_music::Part;

use crate::params::SidemanParams;
use crate::persist::{KeptTrigger, Later, Look, PatternMap, key};

/// Format that is written. It goes up when an older version would misread a state.
pub const FORMAT: u64 = 1;
/// Longest state that is read, in bytes.
pub const LONGEST: usize = 16 << 20;
/// Bytes of the length before a state.
const HEAD: usize = 8;

/// What came of reading a state.
#[derive(Debug, Clone, PartialEq)]
pub struct Repaired {
    /// A complete state as the framework reads it, length included.
    pub chunk: Vec<u8>,
    /// Whether anything could be read.
    pub readable: bool,
    /// What the user is to know.
    pub notices: Vec<String>,
}

/// Makes a complete state of what was read.
pub fn repair(bytes: &[u8], params: &SidemanParams) -> Repaired {
    let (value, mut damaged) = parse(bytes);
    let readable = value.is_some();
    let mut source = value.unwrap_or_default();
    let format = source.remove("format").and_then(|f| f.as_u64()).unwrap_or(0);
    migrate(&mut source, format);

    let mut later = Later::default();
    let (params, some_damaged) =
        repair_params(object(&mut source, "params", &mut damaged), params, &mut later);
    damaged |= some_damaged;
    let mut fields = repair_fields(object(&mut source, "fields", &mut damaged), &mut later, &mut damaged);
    source.remove("version");
    later.rest = source.into_iter().collect();
    fields.insert("later".to_owned(), encode(&later));

    let mut notices = Vec::new();
    if !readable {
        notices.push(
            "The saved settings could not be read; everything is at its default. If this is an old project, \
             look for a backup of it."
                .to_owned(),
        );
    } else if damaged {
        notices.push(
            "The saved settings are damaged: what could be read was kept, the rest is at its default. Check \
             the settings before you save."
                .to_owned(),
        );
    }
    if format > FORMAT {
        notices.push(
            "This project was saved by a later version of Sideman. What this version does not know is kept, \
             but not used."
                .to_owned(),
        );
    }
    let state = json!({ "version": env!("CARGO_PKG_VERSION"), "params": params, "fields": fields });
    Repaired { chunk: frame(&state), readable, notices }
}

/// Makes what is written to a project of what the framework wrote; as it was where that cannot be understood.
pub fn dress(chunk: &[u8]) -> Vec<u8> {
    let (Some(mut state), _) = parse(chunk) else { return chunk.to_vec() };
    state.insert("format".to_owned(), json!(FORMAT));
    let mut later = Later::default();
    if let Some(Value::Object(fields)) = state.get_mut("fields") {
        if let Some(Value::String(text)) = fields.remove("later") {
            later = serde_json::from_str(&text).unwrap_or_default();
        }
        for (name, text) in later.fields {
            fields.entry(name).or_insert(Value::String(text));
        }
        if !later.learned.is_empty() {
            let learned = fields.entry("learned").or_insert_with(|| json!("{}"));
            let mut map: Map<String, Value> =
                learned.as_str().and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
            for (action, trigger) in later.learned {
                map.entry(action).or_insert(trigger);
            }
            *learned = Value::String(encode(&map));
        }
    }
    if let Some(Value::Object(params)) = state.get_mut("params") {
        for (id, value) in later.params {
            params.entry(id).or_insert(value);
        }
    }
    for (key, value) in later.rest {
        state.entry(key).or_insert(value);
    }
    frame(&Value::Object(state))
}

/// Changes of meaning between formats. There are none yet; format 0 is what was written before there was a number.
fn migrate(_state: &mut Map<String, Value>, _format: u64) {}

fn encode(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn frame(state: &Value) -> Vec<u8> {
    let text = encode(state);
    let mut chunk = (text.len() as u64).to_le_bytes().to_vec();
    chunk.extend_from_slice(text.as_bytes());
    chunk
}

/// A state without the length before it.
pub(crate) fn body(chunk: &[u8]) -> &[u8] {
    chunk.get(HEAD..).unwrap_or_default()
}

/// The object that was written, or as much of it as there is, and whether something is missing.
fn parse(bytes: &[u8]) -> (Option<Map<String, Value>>, bool) {
    // A length may begin with the number of a brace, too, but no JSON has a zero in it.
    let head = bytes.first_chunk::<HEAD>().filter(|head| head[0] != b'{' || head.contains(&0));
    let (text, whole) = match head {
        Some(head) => {
            let length = usize::try_from(u64::from_le_bytes(*head)).unwrap_or(usize::MAX);
            let rest = &bytes[HEAD..];
            (&rest[..length.min(rest.len())], length <= rest.len())
        }
        None => (bytes, true),
    };
    match serde_json::from_slice::<Value>(text) {
        Ok(Value::Object(map)) => return (Some(map), !whole),
        Ok(_) => return (None, true),
        Err(_) => {}
    }
    // A flipped length cuts too short; what follows the head is the better guess.
    let all = if head.is_some() || bytes.first() != Some(&b'{') { bytes.get(HEAD..) } else { Some(bytes) };
    (salvage(all.unwrap_or_default()), true)
}

/// The readable part before the first damage: cut after the last complete value, with what is open
/// closed.
fn salvage(text: &[u8]) -> Option<Map<String, Value>> {
    // Only the brackets and strings are looked at; what does not parse in the end is given up.
    let mut open: Vec<u8> = Vec::new();
    let mut cuts: Vec<(usize, Vec<u8>)> = Vec::new();
    let (mut in_string, mut escaped) = (false, false);
    for (i, &byte) in text.iter().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' => {
                if open.pop() != Some(byte) || open.len() > 64 {
                    break;
                }
                cuts.push((i + 1, open.clone()));
            }
            b',' => cuts.push((i, open.clone())),
            _ => {}
        }
        if open.len() > 64 || cuts.len() > 4096 {
            break;
        }
    }
    // Of the places to cut, the last that parses; a damage in the middle makes all after it fail.
    let parses = |(end, open): &(usize, Vec<u8>)| {
        let mut closed = text[..*end].to_vec();
        closed.extend(open.iter().rev());
        match serde_json::from_slice(&closed) {
            Ok(Value::Object(map)) => Some(map),
            _ => None,
        }
    };
    // Whether a prefix parses falls from yes to no once: halve.
    let (mut good, mut bad) = (None, cuts.len());
    let mut low = 0;
    while low < bad {
        let middle = low + (bad - low) / 2;
        match parses(&cuts[middle]) {
            Some(map) => (good, low) = (Some(map), middle + 1),
            None => bad = middle,
        }
    }
    good
}

fn object(source: &mut Map<String, Value>, key: &str, damaged: &mut bool) -> Map<String, Value> {
    match source.remove(key) {
        Some(Value::Object(map)) => map,
        _ => {
            *damaged = true;
            Map::new()
        }
    }
}

/// Every parameter of this version, as it was written where that is valid, else at its default; whether any
/// made none. What this version does not know goes into `later`.
fn repair_params(
    mut written: Map<String, Value>,
    params: &SidemanParams,
    later: &mut Later,
) -> (BTreeMap<String, Value>, bool) {
    let mut damaged = false;
    let mut repaired = BTreeMap::new();
    for (id, ptr, _) in params.param_map() {
        let read = written.remove(&id).and_then(|value| {
            let read = read_param(&id, &ptr, &value);
            damaged |= read.is_none();
            read
        });
        repaired.insert(id.clone(), read.unwrap_or_else(|| default_param(&id, &ptr)));
    }
    later.params = written.into_iter().collect();
    (repaired, damaged)
}

/// The ids of what an enumeration can be.
pub(crate) fn choices(id: &str) -> Option<&'static [&'static str]> {
    Control::all().find(|c| c.row().choices().is_some() && c.row().id == id)?.row().choices().map(|c| c.ids)
}

/// A parameter's value as the framework writes it, brought into its range; `None` when it is none.
fn read_param(id: &str, ptr: &ParamPtr, value: &Value) -> Option<Value> {
    let (kind, value) = value.as_object().filter(|o| o.len() == 1)?.iter().next()?;
    match (ptr, kind.as_str()) {
        (ParamPtr::FloatParam(p), "f32") => {
            let value = value.as_f64()? as f32;
            // SAFETY: the parameters that the pointer belongs to are borrowed by the caller.
            let p = unsafe { &**p };
            value.is_finite().then(|| json!({ "f32": p.preview_plain(p.preview_normalized(value)) }))
        }
        (ParamPtr::IntParam(p), "i32") => {
            let value = value.as_i64()?.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
            // SAFETY: as above.
            let p = unsafe { &**p };
            Some(json!({ "i32": p.preview_plain(p.preview_normalized(value)) }))
        }
        (ParamPtr::BoolParam(_), "bool") => value.as_bool().map(|v| json!({ "bool": v })),
        (ParamPtr::EnumParam(_), "string") => {
            choices(id)?.contains(&value.as_str()?).then(|| json!({ "string": value }))
        }
        _ => None,
    }
}

fn default_param(id: &str, ptr: &ParamPtr) -> Value {
    // SAFETY: the parameters that the pointers belong to are borrowed by the caller.
    unsafe {
        match ptr {
            ParamPtr::FloatParam(p) => json!({ "f32": (**p).default_plain_value() }),
            ParamPtr::IntParam(p) => json!({ "i32": (**p).default_plain_value() }),
            ParamPtr::BoolParam(p) => json!({ "bool": (**p).default_plain_value() }),
            ParamPtr::EnumParam(p) => {
                let index = (**p).default_plain_value();
                json!({ "string": choices(id).and_then(|ids| ids.get(index as usize)) })
            }
        }
    }
}

/// Every field of this version, as it was written where that is valid, else at its default.
fn repair_fields(
    mut written: Map<String, Value>,
    later: &mut Later,
    damaged: &mut bool,
) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let mut take = |name: &str| written.remove(name).map(|v| v.as_str().map(str::to_owned));
    let mut keep =
        |name: &str, text: Option<Option<String>>, good: &dyn Fn(&str) -> Option<String>, default: String| {
            let repaired = match &text {
                None => None,
                Some(text) => {
                    let repaired = text.as_deref().and_then(good);
                    *damaged |= repaired.is_none();
                    repaired
                }
            };
            fields.insert(name.to_owned(), repaired.unwrap_or(default));
        };
    let path = |t: &str| serde_json::from_str::<Option<std::path::PathBuf>>(t).ok().map(|p| encode(&p));
    keep("soundfont", take("soundfont"), &path, "null".to_owned());
    let look = |t: &str| serde_json::from_str::<Look>(t).ok().map(|l| encode(&l.clamped()));
    keep("look", take("look"), &look, encode(&Look::default()));
    let preset = |t: &str| {
        serde_json::from_str::<String>(t).ok().map(|n| encode(&n.chars().take(200).collect::<String>()))
    };
    keep("preset", take("preset"), &preset, "\"\"".to_owned());
    let patterns = |t: &str| {
        let map: PatternMap = serde_json::from_str(t).ok()?;
        let sound = |(name, kept): (&String, &crate::persist::KeptPattern)| {
            Part::ALL.into_iter().find(|&p| key(p) == *name).is_some_and(|p| kept.pattern(p).is_some())
        };
        map.iter().all(sound).then(|| encode(&map))
    };
    keep("patterns", take("patterns"), &patterns, "{}".to_owned());

    let learned = take("learned");
    // Where a state was nested already, such as by a version that did not unpack it.
    let nested = take("later").flatten().and_then(|t| serde_json::from_str::<Later>(&t).ok());
    if let Some(nested) = nested {
        later.params.extend(nested.params);
        later.fields.extend(nested.fields);
        later.learned.extend(nested.learned);
    }
    let mut known = BTreeMap::new();
    match learned.map(|t| t.and_then(|t| serde_json::from_str::<Map<String, Value>>(&t).ok())) {
        None => {}
        Some(None) => *damaged = true,
        Some(Some(map)) => {
            for (action, trigger) in map {
                if Control::of_learned_name(&action).is_none() {
                    later.learned.insert(action, trigger);
                } else {
                    match serde_json::from_value::<KeptTrigger>(trigger) {
                        Ok(trigger) => drop(known.insert(action, trigger)),
                        Err(_) => *damaged = true,
                    }
                }
            }
        }
    }
    fields.insert("learned".to_owned(), encode(&known));
    for (name, value) in written {
        match value {
            Value::String(text) => drop(later.fields.insert(name, text)),
            _ => *damaged = true,
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sideman_engine::live::{Shared, Trigger};

    use super::*;

    fn params() -> SidemanParams {
        SidemanParams::new(Arc::new(Shared::default()))
    }

    /// A state as the framework writes it, of a few settings that are not defaults.
    fn written() -> Value {
        written_of(&params())
    }

    fn written_of(params: &SidemanParams) -> Value {
        params.learned.0.set_learned(Control::Fill, Some(Trigger::Note(9, 40)));
        params.preset.set("Late night".to_owned());
        let repaired = json_of(&repair(&frame(&json!({"params": {}, "fields": {}})), params).chunk);
        let mut state = repaired;
        state["params"]["intensity"] = json!({"f32": 0.75});
        state["params"]["style"] = json!({"string": "bossa"});
        state["params"]["bass_octave"] = json!({"i32": -1});
        state["params"]["freeze"] = json!({"bool": true});
        let note = sideman_music::Note { onset: 480, pitch: 40, length: 240, velocity: 99 };
        let pattern = sideman_engine::pattern::Pattern::new(Part::Bass, "riff.mid", &[note], 16).unwrap();
        params.patterns.0.set_pattern(Part::Bass, Some(Arc::new(pattern)));
        for (name, text) in params.serialize_fields() {
            state["fields"][name] = Value::String(text);
        }
        state
    }

    fn json_of(chunk: &[u8]) -> Value {
        assert_eq!(chunk[..8], ((chunk.len() - 8) as u64).to_le_bytes());
        serde_json::from_slice(&chunk[8..]).unwrap()
    }

    fn repair_value(state: &Value) -> Repaired {
        repair(&frame(state), &params())
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let params = params();
        let state = written_of(&params);
        let project = dress(&frame(&state));
        assert_eq!(json_of(&project)["format"], FORMAT);
        assert_eq!(json_of(&project)["fields"].get("later"), None, "it is laid open");
        let repaired = repair(&project, &params);
        assert!(repaired.readable && repaired.notices.is_empty(), "{:?}", repaired.notices);
        assert_eq!(json_of(&repaired.chunk), state);
        // And the framework takes it: its own type reads it.
        let read: nice_plug::prelude::PluginState = serde_json::from_slice(&repaired.chunk[8..]).unwrap();
        assert_eq!(read.params.len(), params.param_map().len());
        let fresh = self::params();
        fresh.deserialize_fields(&read.fields);
        assert_eq!(fresh.learned.0.learned(Control::Fill), Some(Trigger::Note(9, 40)));
        assert_eq!(fresh.preset.get(), "Late night");
        let kept = fresh.patterns.0.patterns();
        assert_eq!(kept, params.patterns.0.patterns());
        assert_eq!(kept[1].as_ref().map(|p| p.name()), Some("riff.mid"));
    }

    #[test]
    fn a_state_of_any_length_is_read() {
        for extra in 0..600 {
            let mut state = written();
            state["fields"]["preset"] = Value::String(encode(&"x".repeat(extra % 200)));
            state["pad"] = json!("y".repeat(extra));
            let repaired = repair_value(&state);
            assert!(repaired.readable && repaired.notices.is_empty(), "{extra}: {:?}", repaired.notices);
            assert_eq!(json_of(&dress(&repaired.chunk))["pad"], state["pad"]);
        }
    }

    #[test]
    fn what_later_versions_wrote_survives_a_load_and_a_save() {
        let mut state = written();
        state["format"] = json!(7);
        state["rooms"] = json!({"size": [1, 2, {"x": null}]});
        state["params"]["brass_on"] = json!({"bool": true});
        state["params"]["shape"] = json!({"curve": [0.5, 1.5]});
        state["fields"]["mixer"] = json!("{\"a\":1}");
        state["fields"]["learned"] = json!(r#"{"fill":{"note":[9,40]},"solo brass":{"pedal":[1]}}"#);
        let first = repair_value(&state);
        assert!(first.notices.iter().any(|n| n.contains("later version")), "{:?}", first.notices);
        let again = dress(&first.chunk);
        let (again, state) = (json_of(&again), state);
        for key in ["rooms", "params"] {
            assert_eq!(again[key], state[key], "{key}");
        }
        assert_eq!(again["fields"]["mixer"], state["fields"]["mixer"]);
        let learned: Value = serde_json::from_str(again["fields"]["learned"].as_str().unwrap()).unwrap();
        assert_eq!(learned["solo brass"], json!({"pedal": [1]}));
        assert_eq!(learned["fill"], json!({"note": [9, 40]}));
        // What the framework is given holds only what it knows.
        let given = json_of(&first.chunk);
        assert_eq!(given["params"].as_object().unwrap().len(), params().param_map().len());
    }

    #[test]
    fn older_states_get_defaults_for_what_they_lack() {
        let old = json!({"version": "0.0.1", "params": {"swing": {"f32": 0.25}}, "fields": {}});
        let repaired = repair_value(&old);
        assert!(repaired.readable && repaired.notices.is_empty(), "{:?}", repaired.notices);
        let given = json_of(&repaired.chunk);
        assert_eq!(given["params"]["swing"], json!({"f32": 0.25}));
        assert_eq!(given["params"]["humanize"], json!({"f32": 1.0}));
        assert_eq!(given["params"]["weights"], json!({"string": "full"}));
        assert_eq!(given["params"]["morph_to"], json!({"string": "none"}));
        assert_eq!(given["params"]["dynamics"], json!({"f32": 0.5}));
        assert_eq!(given["params"]["follow"], json!({"bool": true}));
        assert_eq!(given["fields"]["soundfont"], "null");
    }

    #[test]
    fn hostile_values_become_defaults_or_are_brought_into_range() {
        let hostile = json!({"params": {
            "intensity": {"f32": 1e30}, "swing": {"f32": "much"}, "humanize": {"f32": null},
            "temperature": {"f32": -1e300}, "complexity": 7, "seed": {"i32": 1u64 << 60},
            "listen": {"i32": -3}, "bass_octave": {"f32": 1.0}, "style": {"string": "polka"},
            "variation": {"i32": 99}, "fill": {"bool": true}, "panic": {"bool": true}, "tap": {"bool": true},
        }, "fields": {
            "soundfont": "[1,2]", "look": "{\"width\":1e30,\"height\":-1,\"scale\":0}", "preset": 5,
            "learned": "{\"fill\":{\"note\":[300,1]},\"hold\":{\"controller\":[0,64]}}",
        }});
        let repaired = repair_value(&hostile);
        assert!(repaired.readable && repaired.notices[0].contains("damaged"), "{:?}", repaired.notices);
        let given = json_of(&repaired.chunk);
        let p = &given["params"];
        assert_eq!((&p["intensity"], &p["swing"]), (&json!({"f32": 1.0}), &json!({"f32": 0.0})));
        assert_eq!((&p["humanize"], &p["complexity"]), (&json!({"f32": 1.0}), &json!({"f32": 0.5})));
        assert!(
            (p["temperature"]["f32"].as_f64().unwrap() - 1.0).abs() < 1e-6,
            "not finite as f32: the default"
        );
        assert_eq!((&p["seed"], &p["listen"]), (&json!({"i32": 9999}), &json!({"i32": 0})));
        assert_eq!((&p["bass_octave"], &p["style"]), (&json!({"i32": 0}), &json!({"string": "auto"})));
        for (button, down) in
            [("fill", true), ("panic", true), ("tap", true), ("next", false), ("start", false)]
        {
            assert_eq!(p[button], json!({"bool": down}), "{button}: kept, and not pressed by loading");
        }
        assert_eq!(given["fields"]["soundfont"], "null");
        assert_eq!(given["fields"]["learned"], r#"{"hold":{"controller":[0,64]}}"#);
        let look: Look = serde_json::from_str(given["fields"]["look"].as_str().unwrap()).unwrap();
        assert_eq!(look, look.clamped());
    }

    #[test]
    fn of_a_torn_state_what_stands_before_the_tear_is_kept() {
        let whole = dress(&frame(&written()));
        let full = json_of(&whole);
        let (mut kept_some, mut readable) = (0, 0);
        for length in 0..whole.len() {
            let repaired = repair(&whole[..length], &params());
            assert!(!repaired.notices.is_empty(), "cut at {length} without a word");
            let given = json_of(&repaired.chunk);
            assert_eq!(given["params"].as_object().unwrap().len(), full["params"].as_object().unwrap().len());
            readable += usize::from(repaired.readable);
            kept_some += usize::from(given["params"]["style"] == full["params"]["style"]);
        }
        assert!(readable > whole.len() / 2, "{readable}");
        assert!(kept_some > 10, "{kept_some}");
    }

    #[test]
    fn flipped_bits_never_panic_and_never_give_an_incomplete_state() {
        let whole = dress(&frame(&written()));
        let count = params().param_map().len();
        let mut unreadable = 0;
        for byte in 0..whole.len() {
            for bit in 0..8 {
                let mut torn = whole.clone();
                torn[byte] ^= 1 << bit;
                let repaired = repair(&torn, &params());
                let given = json_of(&repaired.chunk);
                assert_eq!(given["params"].as_object().unwrap().len(), count, "byte {byte} bit {bit}");
                unreadable += usize::from(!repaired.readable);
            }
        }
        // Only where the first brackets are hit is nothing left.
        assert!(unreadable < 8 * 64, "{unreadable}");
    }

    #[test]
    fn garbage_is_said_to_be_unreadable() {
        let deep = "[".repeat(100_000);
        let nested = format!("{{\"params\":{}", "{\"a\":".repeat(50_000));
        let garbage: [&[u8]; 8] = [
            b"",
            b"\0\0\0\0\0\0\0\0",
            &[0xFF; 4096],
            b"VST3 something else",
            deep.as_bytes(),
            b"\x02\0\0\0\0\0\0\0[]",
            b"\x04\0\0\0\0\0\0\0null",
            &[b'"'; 999],
        ];
        for bytes in garbage {
            let repaired = repair(bytes, &params());
            assert!(!repaired.readable && repaired.notices[0].contains("could not be read"), "{bytes:?}");
            json_of(&repaired.chunk);
        }
        // An object that never ends is one without content.
        json_of(&repair(nested.as_bytes(), &params()).chunk);
        assert_eq!(dress(b"no state"), b"no state");
    }
}
