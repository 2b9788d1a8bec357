//! Labelled MIDI played through a soundfont: clips for models that hear, where there is no labelled audio.
//!
//! P4 takes the first 660,000 samples of a song at 22,050 Hz, mono. A clip begins with the first sound, for
//! MIDI files often begin with a bar of settings; it is brought to one peak, as mastered music is; and a piece
//! that is shorter than a clip is left out. What is rendered differs from recordings in kind: one room, one
//! set of instruments, no voice. Figures on it are not figures on GTZAN.

use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use rustysynth::{MidiFile, MidiFileSequencer, SoundFont, Synthesizer, SynthesizerSettings};
use sha2::Digest;

use super::cache::{self, ITEMS};
use super::codec;
use super::collection::{Collection, LeftOut, Raw, RawContent};
use super::labelled::{Content, Facts, Kind, Labelled};
use super::prepare::{PrepareOptions, open};
use super::report::{Report, index};
use super::scheme::Scheme;
use crate::data::Split;
use crate::data::cache::hex;
use crate::data::read::{Visit, read_all};

/// Samples a second.
pub const RATE: u32 = 22_050;
/// Samples of a clip, 29.9 s (P4, section 2.1).
pub const CLIP: usize = 660_000;
/// Where Debian's soundfonts lie.
pub const FONT_FOLDER: &str = "/usr/share/sounds/sf2";
/// Soundfonts that are preferred, in this order.
const FONTS: [&str; 3] = ["FluidR3_GM.sf2", "TimGM6mb.sf2", "default-GM.sf2"];
/// Raise it when the rendering changes.
const VERSION: u32 = 1;
/// Largest sample of a clip.
const PEAK: f32 = 0.9;
/// A block in which no sample is above this is silence: -80 dB.
const SILENCE: f32 = 1e-4;
/// Longest silence before the first note, in seconds.
const MOST_SILENCE: f64 = 300.0;

/// Command line of `genre render`.
#[derive(Debug, Clone, clap::Args)]
pub struct RenderOptions {
    /// Folder of the collection, laid out as `genre prepare` takes it.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Folder for the clips and their cache; made when it does not exist.
    #[arg(long, value_name = "CACHE_DIR")]
    pub out: PathBuf,
    /// SoundFont 2 with the General MIDI instruments; looked for in /usr/share/sounds/sf2 when not named.
    #[arg(long, value_name = "FILE.sf2")]
    pub soundfont: Option<PathBuf>,
    /// Classes whose music is rendered.
    #[arg(long, value_enum, default_value = "band")]
    pub scheme: Scheme,
    /// Most clips of a class; GTZAN has 100.
    #[arg(long, value_name = "N")]
    pub per_class: Option<usize>,
    /// Whether to draw a progress bar.
    #[arg(skip)]
    pub progress: bool,
}

impl RenderOptions {
    /// All that is in the product's scheme, with the system's soundfont.
    pub fn new(data: &Path, out: &Path) -> Self {
        let (data, out) = (data.to_owned(), out.to_owned());
        Self { data, out, soundfont: None, scheme: Scheme::Band, per_class: None, progress: false }
    }
}

/// Runs the command.
///
/// # Errors
/// As [`render`].
pub fn run(args: &RenderOptions) -> anyhow::Result<()> {
    print!("{}", render(&RenderOptions { progress: true, ..args.clone() })?);
    println!("Clips and their cache in {}", args.out.display());
    Ok(())
}

/// The named soundfont, or one of Debian's.
///
/// # Errors
/// When there is none.
pub fn find_soundfont(named: Option<&Path>, folder: &Path) -> anyhow::Result<PathBuf> {
    if let Some(path) = named {
        if path.is_file() {
            return Ok(path.to_path_buf());
        }
        bail!("no soundfont at {}: name a .sf2 file", path.display());
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|e| e.path()).collect())
        .unwrap_or_default();
    found.retain(|p| p.is_file() && p.extension().is_some_and(|e| e.eq_ignore_ascii_case("sf2")));
    found.sort();
    let preferred = FONTS.iter().map(|f| folder.join(f)).find(|p| p.is_file());
    preferred.or_else(|| found.into_iter().next()).with_context(|| {
        format!(
            "no soundfont in {}: install fluid-soundfont-gm or timgm6mb-soundfont, or give --soundfont FILE.sf2",
            folder.display()
        )
    })
}

/// Renders the labelled MIDI of a collection and writes a cache of [`Kind::Audio`] beside the clips. Clips that
/// are there already, from the same soundfont, are kept: an interrupted run goes on where it stopped.
///
/// # Errors
/// When there is no soundfont, the collection cannot be read, nothing is left, or a clip cannot be written.
pub fn render(options: &RenderOptions) -> anyhow::Result<Report> {
    let path = find_soundfont(options.soundfont.as_deref(), Path::new(FONT_FOLDER))?;
    let (font, fingerprint) = read_font(&path)?;
    let collections = open(&PrepareOptions::new(&options.data, &options.out))?;
    let wanted = choose(&collections, options);
    let out = &options.out;
    // Clips of another soundfont have another folder.
    let folder = out.join(format!("audio-{}", &hex(&fingerprint)[..8]));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let folder = folder.canonicalize().with_context(|| format!("cannot find {}", folder.display()))?;

    let len = options.progress.then_some(wanted.len());
    let (outcomes, warnings) = read_all(
        len,
        "clips",
        |visit| {
            let chosen = |visit: Visit<'_, Raw>, c: &dyn Collection| {
                c.visit(&mut |raw| !wanted.contains(&raw.facts.id) || visit(raw))
            };
            collections.iter().flat_map(|c| chosen(visit, c.as_ref())).collect()
        },
        |raw: Raw| {
            let clip = folder.join(format!("{}.wav", &hex(&sha2::Sha256::digest(&raw.facts.id))[..16]));
            let outcome = one(&raw.content, &font, clip);
            (raw.facts, outcome)
        },
    );
    write(outcomes, warnings, &fingerprint, out)
}

/// Loads a soundfont. Its fingerprint is of the file and of [`VERSION`].
fn read_font(path: &Path) -> anyhow::Result<(Arc<SoundFont>, [u8; 32])> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut digest = sha2::Sha256::new();
    digest.update(VERSION.to_le_bytes());
    digest.update(&bytes);
    // The reader indexes its tables without checking all of what a damaged font may hold.
    let loaded = catch_unwind(AssertUnwindSafe(|| SoundFont::new(&mut BufReader::new(&bytes[..]))));
    let font = match loaded {
        Ok(Ok(font)) => font,
        Ok(Err(e)) => bail!("{} is no SoundFont 2 that can be played ({e}): name another", path.display()),
        Err(_) => bail!("{} is damaged: name another .sf2 file", path.display()),
    };
    Ok((Arc::new(font), digest.finalize().into()))
}

/// Ids of the items to render: those with a class, and of each class the first by digest of the id.
fn choose(collections: &[Box<dyn Collection>], options: &RenderOptions) -> std::collections::HashSet<String> {
    let mut of_class: std::collections::BTreeMap<String, Vec<(Vec<u8>, String)>> = Default::default();
    for collection in collections {
        collection.visit(&mut |raw| {
            if let (RawContent::Midi(_), Some(class)) = (&raw.content, options.scheme.class(&raw.facts)) {
                let key = sha2::Sha256::digest(&raw.facts.id).to_vec();
                of_class.entry(class.to_string()).or_default().push((key, raw.facts.id.clone()));
            }
            true
        });
    }
    let most = options.per_class.unwrap_or(usize::MAX);
    of_class
        .into_values()
        .flat_map(|mut ids| {
            ids.sort();
            ids.into_iter().take(most).map(|i| i.1)
        })
        .collect()
}

/// What became of an item: the file of its clip, or why there is none. The error is that of writing it.
type Outcome = (Facts, anyhow::Result<Result<PathBuf, LeftOut>>);

/// One item: the file of its clip, or why there is none.
///
/// # Errors
/// When the clip cannot be written.
fn one(
    content: &RawContent,
    font: &Arc<SoundFont>,
    clip: PathBuf,
) -> anyhow::Result<Result<PathBuf, LeftOut>> {
    if clip.is_file() {
        return Ok(Ok(clip));
    }
    let RawContent::Midi(bytes) = content else {
        return Ok(Err(LeftOut::Missing("it was there a moment ago".to_string())));
    };
    match play(bytes, font) {
        Err(why) => Ok(Err(why)),
        Ok(samples) => {
            write_clip(&clip, &samples)?;
            Ok(Ok(clip))
        }
    }
}

/// The clip of a MIDI file, [`CLIP`] samples of mono at [`RATE`].
///
/// # Errors
/// What cannot be read, makes no sound, or is too short.
pub fn play(bytes: &[u8], font: &Arc<SoundFont>) -> Result<Vec<i16>, LeftOut> {
    let unreadable = |e: &dyn std::fmt::Display| LeftOut::Unreadable(e.to_string());
    let score = sideman_music::smf::read(bytes).map_err(|e| unreadable(&e))?;
    let Some(first) = score.tracks.iter().flat_map(|t| &t.notes).map(|n| n.onset).min() else {
        return Err(LeftOut::Silent);
    };
    let start = score.tempos.seconds_at(first);
    let length = score.tempos.seconds_at(score.end()) - start;
    if start > MOST_SILENCE {
        return Err(LeftOut::Silent);
    }
    if length * f64::from(RATE) < CLIP as f64 {
        return Err(LeftOut::Short(length as u32));
    }
    // Another reader than ours, which repairs less, and a synthesiser that may meet odd presets.
    let played = catch_unwind(AssertUnwindSafe(|| -> Result<Vec<f32>, LeftOut> {
        let midi = MidiFile::new(&mut &bytes[..]).map_err(|e| unreadable(&e))?;
        let settings = SynthesizerSettings::new(RATE as i32);
        let synth = Synthesizer::new(font, &settings).map_err(|e| unreadable(&e))?;
        let mut sequencer = MidiFileSequencer::new(synth);
        sequencer.play(&Arc::new(midi), false);
        mono(&mut sequencer, start + 2.0)
    }));
    let samples =
        played.unwrap_or_else(|_| Err(LeftOut::Unreadable("the synthesiser failed".to_string())))?;
    let loudest = samples.iter().fold(0.0f32, |m, s| m.max(s.abs()));
    let gain = PEAK / loudest.max(SILENCE) * f32::from(i16::MAX);
    Ok(samples.into_iter().map(|s| (s * gain).round() as i16).collect())
}

/// A clip from the first sound on, which must come within `until` seconds.
fn mono(sequencer: &mut MidiFileSequencer, until: f64) -> Result<Vec<f32>, LeftOut> {
    const BLOCK: usize = 512;
    let (mut left, mut right) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
    let mut samples: Vec<f32> = Vec::with_capacity(CLIP + BLOCK);
    let mut silent = 0;
    while samples.len() < CLIP {
        sequencer.render(&mut left, &mut right);
        let mixed = left.iter().zip(&right).map(|(l, r)| (l + r) / 2.0);
        if samples.is_empty() && mixed.clone().all(|s| s.abs() <= SILENCE) {
            silent += BLOCK;
            if silent as f64 > until * f64::from(RATE) {
                return Err(LeftOut::Silent);
            }
            continue;
        }
        samples.extend(mixed);
    }
    samples.truncate(CLIP);
    Ok(samples)
}

/// Writes a clip as WAV of 16 bits. Whole or not at all.
fn write_clip(path: &Path, samples: &[i16]) -> anyhow::Result<()> {
    let partial = path.with_extension("partial");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let write = || -> Result<(), hound::Error> {
        let mut wav = hound::WavWriter::create(&partial, spec)?;
        let mut fast = wav.get_i16_writer(samples.len() as u32);
        samples.iter().for_each(|&s| fast.write_sample(s));
        fast.flush()?;
        wav.finalize()?;
        Ok(std::fs::rename(&partial, path)?)
    };
    write().with_context(|| format!("cannot write {}; check the free space", path.display()))
}

/// Reads a clip of [`render`]: its samples, -32,768 to 32,767.
///
/// # Errors
/// When it cannot be read or is no mono WAV of 16 bits at [`RATE`].
pub fn read_clip(path: &Path) -> anyhow::Result<Vec<i16>> {
    let wav = hound::WavReader::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let spec = wav.spec();
    if (spec.channels, spec.sample_rate, spec.bits_per_sample) != (1, RATE, 16) {
        bail!("{} is no clip of `genre render`: expected mono of 16 bits at {RATE} Hz", path.display());
    }
    let samples: Result<Vec<i16>, _> = wav.into_samples::<i16>().collect();
    samples.with_context(|| format!("{} is damaged: delete it and run `genre render` again", path.display()))
}

/// Writes the cache of the clips.
fn write(
    mut outcomes: Vec<Outcome>,
    warnings: Vec<String>,
    fingerprint: &[u8; 32],
    out: &Path,
) -> anyhow::Result<Report> {
    outcomes.sort_by(|a, b| a.0.id.cmp(&b.0.id));
    let mut report = Report { fingerprint: hex(fingerprint), warnings, ..Report::default() };
    let mut records: std::collections::BTreeMap<Split, Vec<Vec<u8>>> = Default::default();
    for (facts, outcome) in outcomes {
        let cell = report.cell(Kind::Audio.name(), &facts.set, &facts.genre, &facts.source);
        match outcome? {
            Ok(path) => {
                cell.kept[index(facts.split)] += 1;
                let split = facts.split;
                let item = Labelled { facts, content: Content::Audio(path) };
                records.entry(split).or_default().push(codec::encode(&item));
            }
            Err(why) => {
                *cell.left_out.entry(why.class().to_string()).or_default() += 1;
                report.name(why.class(), &facts.id, &why.detail());
            }
        }
    }
    if records.is_empty() {
        bail!("no clip could be made: {}", report.to_string().trim());
    }
    for kind in Kind::ALL {
        for split in [Split::Train, Split::Valid, Split::Test] {
            let own = records.get(&split).filter(|_| kind == Kind::Audio);
            let items: Vec<&[u8]> = own.into_iter().flatten().map(Vec::as_slice).collect();
            ITEMS.write(&cache::file(out, kind, split), fingerprint, &items)?;
        }
    }
    ITEMS.write_index(out, &report.fingerprint)?;
    Ok(report)
}
