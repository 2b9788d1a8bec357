//! What is typical of a song's band: the statistics from which style codes are made.

use sideman_inference::band::{PianoFeatures, STATISTICS, StepPosition};
use sideman_music::encoding::grid::{BASS_LOW, CHORD_LOW, DRUM_CLASSES, LENGTH_TICKS};
use sideman_music::{BandStep, Part};

use super::batch::GridSong;

/// Mean and deviation.
fn moments(values: &[f32], empty: f32) -> [f32; 2] {
    if values.is_empty() {
        return [empty, 0.0];
    }
    let n = values.len() as f32;
    let mean = values.iter().sum::<f32>() / n;
    [mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n).sqrt()]
}

/// Groups of drum classes whose patterns are told apart.
fn drum_group(class: usize) -> Option<usize> {
    match class {
        0 => Some(0),
        1..=4 => Some(1),
        5..=8 => Some(2),
        9 => Some(4),
        10..=12 => Some(3),
        13.. => Some(5),
    }
}

/// The statistics of a song's band: where in the bar each group of drums, and each part, plays; how
/// loudly, how long, how high, on which degrees above the piano's lowest note; how far off the grid; and
/// how alike neighbouring bars are. Values lie roughly within -4 to 4.
pub fn statistics(song: &GridSong) -> Vec<f32> {
    let mut out = Vec::with_capacity(STATISTICS);
    let steps = song.band.len().max(1);
    let bars = steps as f32 / f32::from(song.bar_steps.max(1));
    let references = references(song);

    let mut patterns = [[0f32; 6]; 16];
    let mut hits = [0f32; DRUM_CLASSES];
    let (mut loudness, mut off_grid, mut played) = (vec![], 0, 0);
    let mut offsets = [(0f32, 0f32); 4];
    for (i, step) in song.band.iter().enumerate() {
        let position = i % usize::from(song.bar_steps) % 16;
        let mut groups = [false; 6];
        for c in (0..DRUM_CLASSES).filter(|&c| step.drums[c] > 0) {
            hits[c] += 1.0;
            loudness.push(f32::from(step.drums[c]) / 16.0);
            if let Some(g) = drum_group(c) {
                groups[g] = true;
            }
        }
        (0..6).filter(|&g| groups[g]).for_each(|g| patterns[position][g] += 1.0 / bars);
        if step.plays(Part::Drums) {
            played += 1;
            off_grid += usize::from(step.offsets[0] != 0);
            let o = &mut offsets[position % 4];
            *o = (o.0 + f32::from(step.offsets[0]), o.1 + 1.0);
        }
    }
    out.extend(patterns.as_flattened());
    out.extend(hits.map(|h| 4.0 * h / steps as f32));
    out.extend(moments(&loudness, 1.0));
    out.push(off_grid as f32 / played.max(1) as f32);
    out.extend(offsets.map(|(sum, n)| sum / n.max(1.0)));

    for part in [Part::Bass, Part::Guitar, Part::Strings] {
        pitched(song, part, &references, bars, &mut out);
    }
    out.extend(song.parts.map(|p| f32::from(u8::from(p))));
    out.extend(Part::ALL.map(|p| likeness(song, p)));
    debug_assert_eq!(out.len(), STATISTICS);
    out.iter_mut().for_each(|v| *v = if v.is_finite() { v.clamp(-4.0, 4.0) } else { 0.0 });
    out
}

fn references(song: &GridSong) -> Vec<u8> {
    let mut piano = PianoFeatures::default();
    let bar = usize::from(song.bar_steps.max(1));
    let hear = |(i, frame)| {
        let place = StepPosition {
            step: i as i64,
            in_bar: (i % bar) as u16,
            bar: (i / bar) as i64,
            bar_steps: song.bar_steps,
            half_steps: song.half_steps,
        };
        piano.hear(frame, &place);
        piano.reference()
    };
    song.frames.iter().enumerate().map(hear).collect()
}

/// (pitch, length bin) of what a part starts, and its velocity bin.
fn notes_of(step: &BandStep, part: Part) -> (Vec<(u8, u8)>, u8) {
    match part {
        Part::Bass => step.bass.map_or((vec![], 0), |b| (vec![(b.pitch, b.length)], b.velocity)),
        _ => (step.chord(part).notes().collect(), step.chord(part).velocity),
    }
}

fn pitched(song: &GridSong, part: Part, references: &[u8], bars: f32, out: &mut Vec<f32>) {
    let mut pattern = [0f32; 16];
    let mut degrees = [0f32; 12];
    let mut polyphony = [0f32; 8];
    let (mut onsets, mut off_grid) = (0f32, 0f32);
    let (mut velocities, mut lengths, mut pitches) = (vec![], vec![], vec![]);
    let middle = if part == Part::Bass { 40.0 } else { 60.0 };
    for (i, step) in song.band.iter().enumerate().filter(|(_, s)| s.plays(part)) {
        onsets += 1.0;
        pattern[i % usize::from(song.bar_steps) % 16] += 1.0 / bars;
        off_grid += f32::from(u8::from(step.offsets[part.index()] != 0));
        let (notes, velocity) = notes_of(step, part);
        velocities.push(f32::from(velocity) / 16.0);
        polyphony[notes.len().min(7)] += 1.0;
        for (pitch, length) in notes {
            lengths.push(f32::from(LENGTH_TICKS[usize::from(length)]).ln() / 3.0);
            pitches.push((f32::from(pitch) - middle) / 24.0);
            degrees[usize::from((12 + pitch % 12 - references[i]) % 12)] += 1.0;
        }
    }
    let n = onsets.max(1.0);
    let total = degrees.iter().sum::<f32>().max(1.0);
    out.push(4.0 * onsets / song.band.len().max(1) as f32);
    out.extend(pattern);
    out.extend(moments(&velocities, 1.0));
    out.push(off_grid / n);
    out.extend(moments(&lengths, 0.0));
    out.extend(moments(&pitches, 0.0));
    out.extend(degrees.map(|d| d / total));
    if part != Part::Bass {
        out.extend(polyphony.map(|p| p / n));
    }
}

/// How alike neighbouring bars are in a part, 1 for the same.
fn likeness(song: &GridSong, part: Part) -> f32 {
    let bar = usize::from(song.bar_steps.max(1));
    let bits = |s: &BandStep| -> u64 {
        match part {
            Part::Drums => (0..DRUM_CLASSES).filter(|&c| s.drums[c] > 0).fold(0, |m, c| m | 1 << c),
            Part::Bass => s.bass.map_or(0, |b| 1 << (b.pitch - BASS_LOW)),
            _ => s.chord(part).pitches().iter().fold(0, |m, &p| m | 1 << (p - CHORD_LOW)),
        }
    };
    let bars: Vec<&[BandStep]> = song.band.chunks_exact(bar).collect();
    let (mut different, mut played) = (0f32, 0f32);
    for pair in bars.windows(2) {
        for (a, b) in pair[0].iter().zip(pair[1]) {
            different += (bits(a) ^ bits(b)).count_ones() as f32;
            played += bits(b).count_ones() as f32;
        }
    }
    1.0 - different / (2.0 * played).max(0.1)
}
