//! Piano rolls as pypianoroll stores them (H.-W. Dong et al., "Pypianoroll", ISMIR 2018, late-breaking), the
//! format of the Lakh Pianoroll Dataset.
//!
//! An `.npz` with `info.json` (`beat_resolution`, in later versions `resolution`, time steps a beat; and for
//! each track "0", "1", ... its `program`, `is_drum` and `name`), `tempo.npy`, `downbeat.npy` and for each
//! track a matrix of time steps by 128 pitches in compressed sparse columns (`pianoroll_0_csc_data.npy`,
//! `_csc_indices.npy`, `_csc_indptr.npy`, `_csc_shape.npy`; the last is not needed here).

use std::io::{Cursor, Read};

use npyz::NpyFile;
use sideman_music::time::PULSES_PER_BEAT;
use sideman_music::{Meter, MeterMap, Note, Pulse, Score, TempoMap, Track};
use zip::ZipArchive;

/// Most bytes of one unpacked array; a roll of an hour has a hundredth of it.
const MAX_ARRAY: u64 = 16 << 20;
/// Most time steps of a roll: two days at 120 beats a minute and 24 steps a beat.
const MAX_STEPS: i64 = 8_000_000;
/// Velocity of rolls that say only whether a key is down.
const PLAIN_VELOCITY: f64 = 64.0;

/// Why a roll cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RollError {
    /// No zip archive, or a damaged one.
    #[error("not a readable .npz archive: {0}")]
    Archive(#[from] zip::result::ZipError),
    /// A member is missing or damaged.
    #[error("{name}: {what}")]
    Member {
        /// The member.
        name: String,
        /// What is wrong.
        what: String,
    },
}

/// Reads a roll.
///
/// Neighbouring cells of a pitch are one note of their mean velocity, as pypianoroll itself turns rolls into
/// MIDI. The tempo is the median of the tempo array. Bars follow the downbeats; where fewer than two are
/// marked (the library marks none in the last metre of a piece) they are 4/4 from the first.
///
/// # Errors
/// When the archive cannot be read, or a member of it is missing or makes no sense.
pub fn read(bytes: &[u8]) -> Result<Score, RollError> {
    let mut zip = ZipArchive::new(Cursor::new(bytes))?;
    let info: serde_json::Value =
        serde_json::from_slice(&member(&mut zip, "info.json")?).map_err(|e| fault("info.json", &e))?;
    let resolution = info
        .get("beat_resolution")
        .or_else(|| info.get("resolution"))
        .and_then(serde_json::Value::as_i64)
        .filter(|r| (1..=PULSES_PER_BEAT).contains(r))
        .ok_or_else(|| fault("info.json", &"no beat_resolution from 1 to 480"))?;
    let pulse = |step: i64| (step * PULSES_PER_BEAT + resolution / 2) / resolution;

    let mut tracks = Vec::new();
    for index in 0.. {
        let Some(track) = info.get(index.to_string()) else { break };
        let is_drums = track.get("is_drum").and_then(serde_json::Value::as_bool).unwrap_or(false);
        let program = track.get("program").and_then(serde_json::Value::as_u64).unwrap_or(0).min(127) as u8;
        tracks.push(Track {
            name: track.get("name").and_then(|n| n.as_str()).unwrap_or_default().to_string(),
            source_track: index,
            // Channel 10 is the drums'; the others may repeat, they are told apart by track.
            channel: if is_drums {
                9
            } else {
                [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15][index % 15]
            },
            program,
            is_drums,
            notes: notes(&mut zip, index, &pulse)?,
        });
    }
    let tempo = if has(&zip, "tempo.npy") { numbers(&mut zip, "tempo.npy")? } else { Vec::new() };
    let downbeats = if has(&zip, "downbeat.npy") { numbers(&mut zip, "downbeat.npy")? } else { Vec::new() };
    Ok(Score { tempos: tempos(tempo), meters: meters(&downbeats, &pulse), markers: Vec::new(), tracks })
}

fn fault(name: &str, what: &dyn std::fmt::Display) -> RollError {
    RollError::Member { name: name.to_string(), what: what.to_string() }
}

type Zip<'a> = ZipArchive<Cursor<&'a [u8]>>;

fn has(zip: &Zip<'_>, name: &str) -> bool {
    zip.index_for_name(name).is_some()
}

/// The unpacked bytes of a member.
fn member(zip: &mut Zip<'_>, name: &str) -> Result<Vec<u8>, RollError> {
    let mut bytes = Vec::new();
    let file = zip.by_name(name).map_err(|e| fault(name, &e))?;
    file.take(MAX_ARRAY + 1).read_to_end(&mut bytes).map_err(|e| fault(name, &e))?;
    if bytes.len() as u64 > MAX_ARRAY {
        return Err(fault(name, &format!("over the limit of {MAX_ARRAY} bytes")));
    }
    Ok(bytes)
}

/// Whether an array's header is a flat one of at most two dimensions below a thousand million. Deep nesting
/// or absurd sizes, which only a file made to do harm has, would exhaust the parser behind this.
fn plain_header(bytes: &[u8]) -> bool {
    let length = match bytes.get(6..12) {
        Some(&[1, _, a, b, ..]) => usize::from(u16::from_le_bytes([a, b])) + 10,
        Some(&[_, _, a, b, 0, 0]) => usize::from(u16::from_le_bytes([a, b])) + 12,
        _ => return false,
    };
    let Some(header) = bytes.get(10..length) else { return false };
    let count = |of: &[u8]| header.iter().filter(|b| of.contains(b)).count();
    count(b"([{") <= 2
        && count(b",") <= 4
        && header.split(|b| !b.is_ascii_digit()).all(|number| number.len() <= 9)
}

/// An array of any number type, flattened.
fn numbers(zip: &mut Zip<'_>, name: &str) -> Result<Vec<f64>, RollError> {
    let bytes = member(zip, name)?;
    if !plain_header(&bytes) {
        return Err(fault(name, &"no .npy array of one or two dimensions"));
    }
    let npy = NpyFile::new(&bytes[..]).map_err(|e| fault(name, &e))?;
    if npy.len() > bytes.len() as u64 {
        return Err(fault(name, &"shorter than its shape"));
    }
    macro_rules! read_as {
        ($npy:expr, $first:ty $(, $rest:ty)*) => {
            match $npy.try_data::<$first>() {
                Ok(data) => data.map(|v| v.map(|v| v as f64)).collect::<Result<Vec<f64>, _>>(),
                Err(npy) => read_as!(npy $(, $rest)*),
            }
        };
        ($npy:expr) => {{
            return Err(fault(name, &format!("numbers of type {} are not expected", $npy.dtype().descr())));
        }};
    }
    let values = match npy.try_data::<bool>() {
        Ok(data) => data.map(|v| v.map(f64::from)).collect(),
        Err(npy) => read_as!(npy, u8, i32, i64, f64, f32, i8, u16, i16, u32, u64),
    };
    values.map_err(|e| fault(name, &e))
}

/// The notes of a track.
fn notes(zip: &mut Zip<'_>, index: usize, pulse: &dyn Fn(i64) -> Pulse) -> Result<Vec<Note>, RollError> {
    let name = |what: &str| format!("pianoroll_{index}_csc_{what}.npy");
    let data = numbers(zip, &name("data"))?;
    let steps = numbers(zip, &name("indices"))?;
    let bounds = numbers(zip, &name("indptr"))?;
    if data.len() != steps.len() || bounds.len() != 129 || bounds[128] as usize != data.len() {
        return Err(fault(&name("indptr"), &"does not fit its data, or not 128 pitches"));
    }
    if bounds[0] != 0.0 || bounds.windows(2).any(|w| w[0] > w[1]) {
        return Err(fault(&name("indptr"), &"does not ascend from 0"));
    }
    if steps.iter().any(|&s| !(0.0..MAX_STEPS as f64).contains(&s)) {
        return Err(fault(&name("indices"), &"a time step is negative or beyond two days"));
    }
    let plain = data.iter().all(|&v| v <= 1.0);
    let mut out = Vec::new();
    for pitch in 0..128u8 {
        let column = bounds[usize::from(pitch)] as usize..bounds[usize::from(pitch) + 1] as usize;
        let mut cells: Vec<(i64, f64)> =
            column.map(|i| (steps[i] as i64, data[i])).filter(|c| c.1 > 0.0).collect();
        cells.sort_by_key(|c| c.0);
        for run in cells.chunk_by(|a, b| b.0 <= a.0 + 1) {
            let (first, last) = (run[0].0, run[run.len() - 1].0);
            let mean = run.iter().map(|c| c.1).sum::<f64>() / run.len() as f64;
            let onset = pulse(first);
            out.push(Note {
                onset,
                pitch,
                length: (pulse(last + 1) - onset).max(1),
                velocity: if plain { PLAIN_VELOCITY } else { mean.round() }.clamp(1.0, 127.0) as u8,
            });
        }
    }
    out.sort_unstable();
    Ok(out)
}

/// One tempo: the median. Some versions of the library write the array in a wrong order, which the median
/// survives.
fn tempos(mut bpm: Vec<f64>) -> TempoMap {
    bpm.retain(|b| b.is_finite() && *b > 1.0);
    if bpm.is_empty() {
        return TempoMap::default();
    }
    bpm.sort_by(f64::total_cmp);
    TempoMap::new(&[(0, (60e6 / bpm[bpm.len() / 2]).round() as u32)])
}

/// Bars from marked downbeats.
fn meters(marks: &[f64], pulse: &dyn Fn(i64) -> Pulse) -> MeterMap {
    let downbeats: Vec<Pulse> =
        marks.iter().enumerate().filter(|m| *m.1 != 0.0).map(|m| pulse(m.0 as i64)).collect();
    let Some(&first) = downbeats.first() else { return MeterMap::default() };
    let mut changes = vec![(first, Meter::COMMON)];
    for pair in downbeats.windows(2) {
        let length = pair[1] - pair[0];
        // In quarters where it is whole quarters; anything else is a metre that nobody asks for.
        let meter = [4u8, 16, 64]
            .into_iter()
            .map(|denominator| (4 * PULSES_PER_BEAT / i64::from(denominator), denominator))
            .find(|&(unit, _)| length % unit == 0)
            .and_then(|(unit, denominator)| {
                Some(Meter { numerator: u8::try_from(length / unit).ok()?, denominator })
            })
            .unwrap_or(Meter { numerator: 1, denominator: 64 });
        changes.push((pair[0], meter));
    }
    MeterMap::new(&changes)
}
