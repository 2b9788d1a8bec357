//! Says what a file holds.

use anyhow::{Context, Result, bail};
use sideman_music::smf::MidiFile;
use sideman_music::summary::Summary;

use crate::args::InspectArgs;
use crate::render::read_input;

/// First bytes of a weights file.
const GGUF: &[u8] = b"GGUF";

/// The text to print for a MIDI file or a weights file.
pub(crate) fn inspect(args: &InspectArgs) -> Result<String> {
    let bytes = read_input(&args.file)?;
    let name = args.file.display();
    if bytes.starts_with(GGUF) {
        bail!("{name} is a weights file, and this build cannot read weights yet");
    }
    let file = MidiFile::parse(&bytes).with_context(|| format!("cannot read {name}"))?;
    let summary = Summary::of(&file);
    Ok(if args.json { serde_json::to_string_pretty(&summary)? } else { summary.to_string() })
}
