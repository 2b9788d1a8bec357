//! Weights files: what is written comes back, and what is damaged, foreign or does not fit is told apart.

use std::io::Cursor;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use sha2::{Digest, Sha256};
use sideman_inference::band::{Config, Sampling, StepNetwork};
use sideman_inference::weights::{
    BUILT_IN, Card, StoredStyle, TensorError, WeightsError, card, embedded, encoding, load, named, rounded,
    sha256, write,
};
use sideman_music::encoding::grid::VelocityTable;

/// Small, with matrices on both sides of the size from which they are quantised, and with rows that are no
/// multiple of a block.
const CONFIG: Config = Config { input: 40, hidden: 28, context: 18, pitch: 17, style: 5 };

/// Shape and values.
type Values = (Vec<usize>, Vec<f32>);
type Reshape = fn(&mut Values);
type Tensors = sideman_inference::weights::Shaped;

/// Everything that goes into a file.
#[derive(Clone)]
struct Parts {
    config: Config,
    tensors: Tensors,
    styles: Vec<StoredStyle>,
    velocities: VelocityTable,
    sampling: Sampling,
    card: Card,
}

impl Parts {
    fn new() -> Self {
        let mut tensors = CONFIG.initial(3);
        for spec in CONFIG.tensors().into_iter().filter(|s| s.training_only) {
            tensors.remove(&spec.name);
        }
        // Biases that are not all zeros.
        tensors
            .values_mut()
            .flat_map(|t| t.1.iter_mut().enumerate())
            .for_each(|(i, v)| *v += i as f32 * 1e-4);
        let style = |name: &str, bpm: f32| StoredStyle {
            style: name.into(),
            bpm,
            bar_steps: 12,
            programs: [Some(8), None, Some(27), Some(48)],
            share: None,
            code: (0..5).map(|i| i as f32 * 0.1 - 0.3 + bpm * 1e-3).collect(),
        };
        let mut velocities = VelocityTable::default();
        velocities.0[1][3] = 77;
        Self {
            config: CONFIG,
            tensors,
            styles: vec![style("auto", 96.5), style("waltz", 180.0)],
            velocities,
            sampling: Sampling { certain_new: 0.03, ..Sampling::default() },
            card: Card {
                name: "small".into(),
                description: "a band for tests, \"quoted\"".into(),
                version: "0.0.1".into(),
                parameters: 12345,
                quantisation: "Q8_0".into(),
                licence: "MIT".into(),
                data: vec!["none".into(), "at all".into()],
                seed: 3,
                commit: "abc".into(),
                commands: vec!["one".into()],
                training: "none".into(),
                scores: vec!["valid: 1.0".into()],
                sha256: String::new(),
            },
        }
    }

    fn write(&self) -> Vec<u8> {
        self.try_write().unwrap()
    }

    fn try_write(&self) -> Result<Vec<u8>, TensorError> {
        write(&self.config, &self.tensors, &self.styles, &self.velocities, &self.sampling, &self.card)
    }

    fn tensor(&mut self, name: &str) -> &mut Values {
        self.tensors.get_mut(name).unwrap()
    }
}

/// Bytes with the trailer and checksum that belong to them.
fn signed(body: &[u8]) -> Vec<u8> {
    [body, b"SIDEMAN1", &Sha256::digest(body)[..]].concat()
}

fn body(file: &[u8]) -> &[u8] {
    &file[..file.len() - 40]
}

/// Where `word` stands in a file for the first time.
fn find(file: &[u8], word: &str) -> usize {
    file.windows(word.len()).position(|w| w == word.as_bytes()).unwrap_or_else(|| panic!("no {word} in it"))
}

/// The file with the first `old` replaced by a `new` of the same length, and a right checksum.
fn patched(file: &[u8], old: &str, new: &str) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let at = find(file, old);
    let mut out = body(file).to_vec();
    out[at..at + new.len()].copy_from_slice(new.as_bytes());
    signed(&out)
}

/// What a file with a right checksum is refused for.
#[track_caller]
fn content(file: &[u8]) -> String {
    match load(file) {
        Err(e @ (WeightsError::Foreign | WeightsError::Damaged | WeightsError::Encoding { .. })) => {
            panic!("{e}")
        }
        Err(e) => {
            let text = e.to_string();
            let what = text
                .strip_prefix("the weights file does not fit: ")
                .and_then(|t| t.strip_suffix("; export it again"));
            what.expect("what does not fit").to_owned()
        }
        Ok(_) => panic!("it was loaded"),
    }
}

#[track_caller]
fn is_damaged(file: &[u8], what: &str) {
    assert!(matches!(load(file), Err(WeightsError::Damaged)), "{what}: {:?}", load(file).err());
    assert!(matches!(card(file), Err(WeightsError::Damaged)), "{what}");
}

#[track_caller]
fn is_foreign(file: &[u8], what: &str) {
    assert!(matches!(load(file), Err(WeightsError::Foreign)), "{what}: {:?}", load(file).err());
    assert!(matches!(card(file), Err(WeightsError::Foreign)), "{what}");
}

#[test]
fn what_is_written_comes_back() {
    let parts = Parts::new();
    let file = parts.write();
    assert!(parts.write() == file, "the same parts give the same bytes");
    let band = load(&file).unwrap();
    assert_eq!(band.styles, parts.styles);
    assert_eq!(band.velocities.0, parts.velocities.0);
    assert_eq!(band.sampling, parts.sampling);
    let with_sum = Card { sha256: sha256(&file), ..parts.card.clone() };
    assert_eq!(band.card, with_sum);
    assert_eq!(card(&file).unwrap(), with_sum);

    // A kernel shows its weights in its debug form alone.
    let kept = parts.tensors.iter().map(|(k, (shape, v))| (k.clone(), rounded(shape, v))).collect();
    let expected = StepNetwork::new(CONFIG, &kept).unwrap();
    assert!(format!("{:?}", band.kernel) == format!("{expected:?}"), "the weights are the rounded ones");
}

#[test]
fn values_are_kept_within_the_rounding_of_their_block() {
    let (mut quantised, mut plain) = (0, 0);
    for (name, (shape, values)) in Parts::new().tensors {
        let kept = rounded(&shape, &values);
        assert_eq!(kept.len(), values.len());
        if shape.len() < 2 || values.len() < 4096 {
            assert_eq!(kept, values, "{name}");
            plain += 1;
            continue;
        }
        quantised += 1;
        assert_ne!(kept, values, "{name}");
        for (row, kept_row) in values.chunks(shape[1]).zip(kept.chunks(shape[1])) {
            for (block, kept) in row.chunks(32).zip(kept_row.chunks(32)) {
                // 127 steps up to the largest value, each half a step off at most, and the step's own
                // rounding to 11 bits.
                let most = block.iter().fold(0f32, |m, v| m.max(v.abs())) * (0.5 / 127.0 + 1.0 / 2048.0);
                for (a, b) in block.iter().zip(kept) {
                    assert!((a - b).abs() <= most, "{name}: {a} became {b}");
                }
            }
        }
    }
    assert!(quantised >= 3 && plain >= 10, "{quantised} quantised, {plain} plain");
}

#[test]
fn a_cut_file_is_damaged_and_a_stub_is_foreign() {
    let file = Parts::new().write();
    // From here on it can be told that the file was one of ours.
    let ours = (find(&file, "sideman-") + "sideman-".len()).max(40);
    let lengths =
        (0..ours + 64).chain((ours + 64..file.len()).step_by(97)).chain(file.len() - 41..file.len());
    for n in lengths {
        let what = format!("cut to {n} of {}", file.len());
        if n < ours { is_foreign(&file[..n], &what) } else { is_damaged(&file[..n], &what) }
    }
    let mut longer = file.clone();
    longer.push(0);
    is_damaged(&longer, "a byte too many");
    let twice = [&file[..], &file[..]].concat();
    is_damaged(&twice, "twice the same");
}

#[test]
fn an_altered_byte_is_damage_wherever_it_is() {
    let file = Parts::new().write();
    let end = file.len();
    for (i, bit) in (0..end).step_by(251).chain(end - 48..end).zip((0..8).cycle()) {
        let mut altered = file.clone();
        altered[i] ^= 1 << bit;
        is_damaged(&altered, &format!("bit {bit} of byte {i}"));
    }
}

#[test]
fn files_of_others_are_foreign() {
    is_foreign(b"", "nothing");
    is_foreign(b"GGUF", "only the magic");
    is_foreign(&b"MThd\0\0\0\x06\0\0\0\x01\x01\xe0".repeat(20), "a MIDI file");
    is_foreign(&vec![0; 5000], "zeros");
    is_foreign(&vec![0; (256 << 20) + 1], "a file that is far too large");
    let noise: Vec<u8> = (0..5000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    is_foreign(&noise, "noise");
    is_foreign(&gguf(&[("general.architecture", Value::String("llama".into()))]), "another program's GGUF");
}

/// A GGUF file with one tensor.
fn gguf(metadata: &[(&str, Value)]) -> Vec<u8> {
    let tensor = Tensor::ones((4, 32), candle_core::DType::F32, &Device::Cpu).unwrap();
    let tensor = QTensor::quantize(&tensor, GgmlDType::Q8_0).unwrap();
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(k, v)| (*k, v)).collect();
    let mut out = Cursor::new(vec![]);
    gguf_file::write(&mut out, &metadata, &[("blk.0.attn_q.weight", &tensor)]).unwrap();
    out.into_inner()
}

#[test]
fn a_right_checksum_does_not_help_what_is_no_band() {
    assert!(content(&signed(b"")).contains("ends too early"), "{}", content(&signed(b"")));
    assert!(!content(&signed(b"GGUF and then nothing that makes sense")).is_empty());
    let other = signed(&gguf(&[("general.architecture", Value::String("llama".into()))]));
    assert_eq!(content(&other), "sideman.config is missing");
    assert!(matches!(card(&other), Err(WeightsError::Content(what)) if what == "sideman.card is missing"));
    // A key of another type than text.
    let numbers = signed(&gguf(&[("sideman.config", Value::U32(7))]));
    assert_eq!(content(&numbers), "sideman.config is missing");
}

#[test]
fn what_is_missing_is_named() {
    let file = Parts::new().write();
    for key in ["encoding", "config", "sampling", "card", "styles", "velocities"] {
        let key = format!("sideman.{key}");
        let other = format!("{}~", &key[..key.len() - 1]);
        assert_eq!(content(&patched(&file, &key, &other)), format!("{key} is missing"));
    }
    for spec in CONFIG.tensors().into_iter().filter(|s| !s.training_only) {
        let mut parts = Parts::new();
        parts.tensors.remove(&spec.name);
        assert_eq!(content(&parts.write()), format!("the tensor {} is missing", spec.name));
    }
    let mut parts = Parts::new();
    parts.tensors.clear();
    assert!(content(&parts.write()).ends_with(" is missing"));
    // Half of the file left out, but signed again.
    let half = signed(&file[..file.len() / 2]);
    assert!(!content(&half).is_empty());
}

#[test]
fn tensors_that_do_not_belong_there_are_named() {
    let mut parts = Parts::new();
    parts.tensors.insert("bass.trombone".into(), (vec![2], vec![0.0; 2]));
    assert_eq!(content(&parts.write()), "the tensor bass.trombone does not belong there");
    // Those that only training needs do not belong there either.
    let mut parts = Parts::new();
    parts.tensors = CONFIG.initial(3);
    assert!(content(&parts.write()).starts_with("the tensor style."));
}

#[test]
fn tensors_of_another_shape_are_named() {
    let reshapes: [(&str, Reshape); 5] = [
        // A bias one too long.
        ("trunk.in.b", |t| {
            t.0[0] += 1;
            t.1.push(0.0);
        }),
        // Small and large matrices turned over: the same number of values.
        ("early.w", |t| t.0.reverse()),
        ("context.w", |t| t.0.reverse()),
        // Flat.
        ("pattern.w", |t| t.0 = vec![t.1.len()]),
        // A row too few.
        ("lstm.wx", |t| {
            t.0[0] -= 1;
            t.1.truncate(t.0[0] * t.0[1]);
        }),
    ];
    for (name, reshape) in reshapes {
        let mut parts = Parts::new();
        reshape(parts.tensor(name));
        let what = content(&parts.write());
        assert!(what.starts_with(&format!("the tensor {name} has the shape")), "{what}");
    }
}

#[test]
fn values_that_are_no_numbers_are_refused() {
    for (name, value) in [
        ("trunk.in.b", f32::NAN),
        ("lstm.b", f32::INFINITY),
        ("drums.chain", f32::NEG_INFINITY),
        ("trunk.in.w", f32::INFINITY),
    ] {
        let mut parts = Parts::new();
        // They would be lost in the blocks of 8 bits, so they are not written.
        parts.tensor(name).1[5] = value;
        let error = parts.try_write().unwrap_err().to_string();
        assert!(error.contains(&format!("the tensor {name} holds values that are not finite")), "{error}");
    }
    // Written by somebody else all the same.
    let mut parts = Parts::new();
    parts.tensor("lstm.b").1.fill(12345.0);
    let (written, nan) = (12345f32.to_le_bytes().repeat(8), f32::NAN.to_le_bytes().repeat(8));
    let file = parts.write();
    let mut altered = body(&file).to_vec();
    let at = altered.windows(32).position(|w| w == written).expect("the values as f32");
    altered[at..at + 32].copy_from_slice(&nan);
    assert_eq!(content(&signed(&altered)), "the tensor lstm.b holds values that are not finite");
}

#[test]
fn another_encoding_is_named_with_both_fingerprints() {
    let file = Parts::new().write();
    let own = encoding(&CONFIG);
    let other = encoding(&Config { hidden: 29, ..CONFIG });
    assert_ne!(own, other);
    match load(&patched(&file, &own, &other)) {
        Err(WeightsError::Encoding { found, expected }) => assert_eq!((found, expected), (other, own)),
        outcome => panic!("{:?}", outcome.err()),
    }
    // Sizes that are not those of the tensors.
    let sizes = patched(&file, "\"hidden\":28", "\"hidden\":29");
    assert!(matches!(load(&sizes), Err(WeightsError::Encoding { .. })));
}

#[test]
fn senseless_settings_are_refused() {
    let file = Parts::new().write();
    let absurd = [
        ("\"hidden\":28", "\"hidden\":00"),
        ("\"hidden\":28", "\"hidden\":-4"),
        ("\"hidden\":28", "\"hiddem\":24"),
    ];
    for (old, new) in absurd {
        assert!(content(&patched(&file, old, new)).starts_with("sideman.config: "), "{new}");
    }
    assert!(content(&patched(&file, "\"hidden\":28", "\"hidden\":0 ")).starts_with("absurd sizes"));
    assert!(content(&patched(&file, "\"hidden\":28,", "\"hidden\":9e9")).starts_with("sideman.config: "));

    let refused = |change: fn(&mut Parts)| {
        let mut parts = Parts::new();
        change(&mut parts);
        content(&parts.write())
    };
    assert!(refused(|p| p.styles.clear()).contains("styles are missing"));
    assert!(
        refused(|p| p.styles[1].code.push(0.0)).contains("styles are missing, of another width or absurd")
    );
    assert!(refused(|p| p.styles[0].code[0] = 1e38).contains("or absurd"));
    assert!(refused(|p| p.sampling.offset.temperature = 0.0).contains("sampling makes no sense"));
    assert!(refused(|p| p.sampling.length.top = 1.5).contains("sampling makes no sense"));
    assert!(content(&patched(&file, "[[2,6,10", "[[2,  10")).contains("velocity table is of another size"));
    assert!(content(&patched(&file, "[[2,6,10", "[[2,6010")).starts_with("sideman.velocities: "));
}

#[test]
fn no_altered_content_with_a_right_checksum_brings_it_down() {
    let file = Parts::new().write();
    let body = body(&file);
    // Keys, lengths, types and shapes stand before the tensors' values.
    let header = body.windows(7).rposition(|w| w == b"trunk.s").unwrap() + 200;
    let mut loaded = 0;
    for i in (0..header).step_by(3).chain((header..body.len()).step_by(2003)) {
        for mask in [0x01, 0x80, 0xFF] {
            let mut altered = body.to_vec();
            altered[i] ^= mask;
            let altered = signed(&altered);
            loaded += usize::from(load(&altered).is_ok());
            let _ = card(&altered);
        }
    }
    assert!(loaded > 0, "some alterations are other weights");
}

#[test]
fn the_built_in_sets_load_by_name_once_and_take_16_megabytes_at_most() {
    let size: usize = BUILT_IN.iter().map(|b| b.bytes.len()).sum();
    assert!(size <= 16_000_000, "{size} bytes");
    assert_eq!(BUILT_IN[0].name, "full");
    for set in BUILT_IN {
        let loaded = named(set.name).unwrap();
        assert_eq!(loaded.card.sha256, sha256(set.bytes), "{}", set.name);
        assert!(std::ptr::eq(loaded, named(set.name).unwrap()), "one copy for the process");
        let names = BUILT_IN.iter().filter(|b| b.name == set.name).count();
        assert_eq!(names, 1);
    }
    assert!(std::ptr::eq(embedded().unwrap(), named("full").unwrap()));
    let error = named("fool").unwrap_err().to_string();
    assert!(error.contains("'fool'") && error.contains("full"), "{error}");
}
