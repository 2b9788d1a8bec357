//! A piano-roll picture: a lane for the piano and each part in its colour, several rows of bars.

mod bars;

use sideman_music::encoding::grid::{DRUM_CLASSES, DRUM_NAMES, drum_class};
use sideman_music::family::PIANO_COLOUR;
use sideman_music::{MeterMap, Note, PULSES_PER_BEAT, Part, Pulse, STEP_PULSES};

use crate::canvas::{Canvas, Colour, LETTER, blend};
use bars::{Span, chords, rows, spans};

const BACKGROUND: Colour = [0x14, 0x14, 0x19];
const LANE: Colour = [0x1C, 0x1C, 0x23];
const OCTAVE_LINE: Colour = [0x2B, 0x2B, 0x35];
const BEAT_LINE: Colour = [0x27, 0x27, 0x30];
const BAR_LINE: Colour = [0x50, 0x50, 0x5E];
const TEXT: Colour = [0xD8, 0xD6, 0xE0];
const FAINT_TEXT: Colour = [0x82, 0x80, 0x90];

/// Room for lane names, octaves and drum names, in pixels.
const LEFT: i64 = 92;
const RIGHT: i64 = 16;
/// Room for the title and the legend.
const TOP: i64 = 64;
/// Room above each row for bar numbers and chords.
const ROW_HEAD: i64 = 26;
const ROW_GAP: i64 = 18;
const LANE_GAP: i64 = 3;
const DRUM_ROW: i64 = 10;
/// Most pixels of a picture; beyond, it shows the beginning of the piece.
const MOST_PIXELS: i64 = 24_000_000;
/// Pixels a 16th and pixels of a row, tried in turn until the whole piece fits.
const SCALES: [(i64, i64); 4] = [(10, 1280), (6, 1536), (4, 2048), (2, 4096)];

/// What a piano roll shows. All notes are sorted by onset.
pub struct PianoRoll<'a> {
    /// Heading, ASCII.
    pub title: &'a str,
    /// The piano.
    pub piano: &'a [Note],
    /// What was added to the piano; without notes it gets no lane.
    pub added: &'a [Note],
    /// The parts in the order of [`Part::ALL`]; parts without notes get no lane.
    pub parts: [&'a [Note]; 4],
    /// Where the bars are.
    pub meters: &'a MeterMap,
    /// Names of places in the piece.
    pub markers: &'a [(Pulse, String)],
}

/// What a lane shows.
struct Lane<'a> {
    name: &'static str,
    colour: Colour,
    notes: &'a [Note],
    kind: Kind,
}

enum Kind {
    /// Lowest and highest pitch, pixels a semitone.
    Pitches { low: u8, high: u8, scale: i64 },
    /// The drum classes that play, from the top row to the bottom.
    Drums(Vec<usize>),
}

impl<'a> Lane<'a> {
    fn pitched(name: &'static str, colour: Colour, notes: &'a [Note]) -> Option<Self> {
        let low = notes.iter().map(|n| n.pitch).min()?;
        let high = notes.iter().map(|n| n.pitch).max()?;
        let scale = if high - low > 40 { 3 } else { 4 };
        // Single pitches would make a lane too flat for its name.
        let kind =
            Kind::Pitches { low: low.saturating_sub(2), high: (high + 2).max(low.saturating_add(7)), scale };
        Some(Self { name, colour, notes, kind })
    }

    fn drums(notes: &'a [Note]) -> Option<Self> {
        // The kick lies at the bottom, as the lowest sound.
        let plays = |class: &usize| notes.iter().any(|n| drum_class(n.pitch) == *class);
        let classes: Vec<usize> = (0..DRUM_CLASSES).rev().filter(plays).collect();
        let (name, colour) = (Part::Drums.name(), Part::Drums.colour());
        (!classes.is_empty()).then_some(Self { name, colour, notes, kind: Kind::Drums(classes) })
    }

    fn height(&self) -> i64 {
        match self.kind {
            Kind::Pitches { low, high, scale } => (i64::from(high) - i64::from(low) + 1) * scale,
            Kind::Drums(ref classes) => classes.len() as i64 * DRUM_ROW + 2,
        }
    }
}

/// A stretch of time on the paper.
struct Row<'a> {
    spans: &'a [Span],
    top: i64,
    pulses_per_pixel: f64,
}

impl Row<'_> {
    fn start(&self) -> Pulse {
        self.spans[0].start
    }

    fn end(&self) -> Pulse {
        self.spans[self.spans.len() - 1].end
    }

    fn x(&self, at: Pulse) -> i64 {
        LEFT + ((at - self.start()) as f64 / self.pulses_per_pixel).round() as i64
    }
}

impl PianoRoll<'_> {
    /// Draws the picture.
    pub fn draw(&self) -> Canvas {
        let lanes: Vec<Lane<'_>> = [
            Lane::pitched("Piano", PIANO_COLOUR, self.piano),
            Lane::pitched("Added", Part::Strings.colour(), self.added),
            part_lane(self, Part::Strings),
            part_lane(self, Part::Guitar),
            part_lane(self, Part::Bass),
            Lane::drums(self.parts[Part::Drums.index()]),
        ]
        .into_iter()
        .flatten()
        .collect();
        let end = lanes.iter().flat_map(|l| l.notes).map(Note::end).max().unwrap_or(4 * PULSES_PER_BEAT);
        let row_height =
            ROW_HEAD + ROW_GAP + lanes.iter().map(|l| l.height() + LANE_GAP).sum::<i64>().max(4 * LETTER);

        let (mut step_pixels, mut all, mut lines, mut width) = (0, Vec::new(), Vec::new(), 0);
        let mut fits = 1;
        for (pixels, row_pixels) in SCALES {
            let row_pulses = row_pixels / pixels * STEP_PULSES;
            (step_pixels, width) = (pixels, LEFT + row_pixels + RIGHT);
            fits = ((MOST_PIXELS / width - TOP) / row_height).max(1) as usize;
            all = spans(self.meters, end, row_pulses, fits * 400);
            lines = rows(&all, row_pulses);
            if lines.len() <= fits {
                break;
            }
        }
        let shown = &lines[..lines.len().min(fits)];
        let height = TOP + row_height * shown.len() as i64;
        let mut canvas = Canvas::new(width as u32, height as u32, BACKGROUND);
        let cut = (shown.len() < lines.len()).then(|| all[shown[shown.len() - 1].end - 1].number);
        heading(&mut canvas, self, &lanes, cut);
        for (i, line) in shown.iter().enumerate() {
            let row = Row {
                spans: &all[line.clone()],
                top: TOP + row_height * i as i64,
                pulses_per_pixel: STEP_PULSES as f64 / step_pixels as f64,
            };
            draw_row(&mut canvas, self, &lanes, &row, step_pixels >= 8);
        }
        canvas
    }
}

fn part_lane<'a>(picture: &PianoRoll<'a>, part: Part) -> Option<Lane<'a>> {
    Lane::pitched(part.name(), part.colour(), picture.parts[part.index()])
}

/// The title and the legend: a swatch, a name and a number of notes for each lane.
fn heading(canvas: &mut Canvas, picture: &PianoRoll<'_>, lanes: &[Lane<'_>], cut: Option<i64>) {
    canvas.text(16, 12, 2, picture.title, TEXT);
    let mut x = 16;
    for lane in lanes {
        canvas.fill(x, 40, 10, 10, lane.colour);
        let label = format!("{} {}", lane.name, lane.notes.len());
        canvas.text(x + 15, 41, 1, &label, TEXT);
        x += 15 + (label.len() as i64 + 3) * LETTER;
    }
    canvas.text(x, 41, 1, "(number of notes; brighter is louder)", FAINT_TEXT);
    if let Some(bar) = cut {
        let note = format!("The piece goes on after bar {bar}.");
        canvas.text_left_of(i64::from(canvas.image.width()) - RIGHT, 16, &note, FAINT_TEXT);
    }
}

fn draw_row(
    canvas: &mut Canvas,
    picture: &PianoRoll<'_>,
    lanes: &[Lane<'_>],
    row: &Row<'_>,
    chord_names: bool,
) {
    let (left, right) = (LEFT, row.x(row.end()));
    let mut y = row.top + ROW_HEAD;
    let first_lane = y;
    for lane in lanes {
        canvas.fill(left, y, right - left, lane.height(), LANE);
        lane_scale(canvas, lane, y, left, right);
        y += lane.height() + LANE_GAP;
    }
    for span in row.spans {
        for beat in (span.start..span.end).step_by(span.beat as usize).skip(1) {
            canvas.fill(row.x(beat), first_lane, 1, y - LANE_GAP - first_lane, BEAT_LINE);
        }
        if span.is_start {
            canvas.fill(row.x(span.start), first_lane - 12, 1, y - LANE_GAP - first_lane + 12, BAR_LINE);
            bar_head(canvas, picture, row, span, first_lane);
        }
        if chord_names {
            let named = chords(picture.piano, span);
            for (i, (at, name)) in named.iter().enumerate() {
                // A long name ends where the next one begins.
                let until = named.get(i + 1).map_or(span.end, |next| next.0);
                let room = ((row.x(until) - row.x(*at) - 4) / LETTER) as usize;
                let name: String = name.chars().take(room).collect();
                canvas.text(row.x(*at) + 4, first_lane - 11, 1, &name, FAINT_TEXT);
            }
        }
    }
    canvas.fill(right, first_lane - 12, 1, y - LANE_GAP - first_lane + 12, BAR_LINE);
    let mut y = first_lane;
    for lane in lanes {
        lane_notes(canvas, lane, row, y);
        y += lane.height() + LANE_GAP;
    }
}

/// The number of a bar and, where one lies in it, the name of a marker.
fn bar_head(canvas: &mut Canvas, picture: &PianoRoll<'_>, row: &Row<'_>, span: &Span, first_lane: i64) {
    let number = span.number.to_string();
    let x = row.x(span.start);
    canvas.text(x + 2, first_lane - 23, 1, &number, TEXT);
    let markers = &picture.markers[picture.markers.partition_point(|m| m.0 < span.start)..];
    if let Some((_, name)) = markers.first().filter(|m| m.0 < span.end) {
        let room = ((row.x(span.end) - x) / LETTER - number.len() as i64 - 2).max(0) as usize;
        let name: String = name.chars().take(room).collect();
        canvas.text(x + 2 + (number.len() as i64 + 1) * LETTER, first_lane - 23, 1, &name, PIANO_COLOUR);
    }
}

/// The lane's name and the lines and labels of its octaves or drums.
fn lane_scale(canvas: &mut Canvas, lane: &Lane<'_>, top: i64, left: i64, right: i64) {
    match lane.kind {
        Kind::Pitches { low, high, scale } => {
            canvas.text(8, top + 2, 1, lane.name, lane.colour);
            for c in (low..=high).filter(|p| p % 12 == 0) {
                let y = top + i64::from(high - c + 1) * scale - 1;
                canvas.fill(left, y, right - left, 1, OCTAVE_LINE);
                // The name of the lane goes first.
                if y - 5 > top + LETTER + 2 {
                    let label = format!("C{}", i64::from(c) / 12 - 1);
                    canvas.text_left_of(left - 4, y - 6, &label, FAINT_TEXT);
                }
            }
        }
        Kind::Drums(ref classes) => {
            for (row, &class) in classes.iter().enumerate() {
                let y = top + row as i64 * DRUM_ROW + 1;
                canvas.text_left_of(left - 4, y + 1, DRUM_NAMES[class], lane.colour);
                canvas.fill(left, y + DRUM_ROW - 1, right - left, 1, OCTAVE_LINE);
            }
        }
    }
}

fn lane_notes(canvas: &mut Canvas, lane: &Lane<'_>, row: &Row<'_>, top: i64) {
    // Notes are sorted by onset, so all that can matter begin before the row's end.
    let until = lane.notes.partition_point(|n| n.onset < row.end());
    for note in lane.notes[..until].iter().filter(|n| n.end() > row.start()) {
        let colour = blend(LANE, lane.colour, 0.35 + 0.65 * f64::from(note.velocity) / 127.0);
        let shown = note.end().min(row.end()) - note.onset.max(row.start());
        // A note that merely begins ahead of the bar line, or ends after it, belongs to the other row.
        if shown < note.length.min(STEP_PULSES / 2) {
            continue;
        }
        let x = row.x(note.onset.max(row.start()));
        match lane.kind {
            Kind::Pitches { high, scale, .. } => {
                // A pixel stays dark between a note and the next.
                let width = (row.x(note.end().min(row.end())) - x - 1).max(2);
                canvas.fill(x, top + i64::from(high - note.pitch) * scale, width, scale, colour);
            }
            Kind::Drums(ref classes) => {
                // A hit is a moment; it belongs to the row in which it starts.
                let line = classes.iter().position(|&c| c == drum_class(note.pitch));
                if let Some(line) = line.filter(|_| note.onset >= row.start()) {
                    canvas.fill(x, top + line as i64 * DRUM_ROW + 2, 5, DRUM_ROW - 4, colour);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(onset: Pulse, pitch: u8, length: Pulse) -> Note {
        Note { onset, pitch, length, velocity: 127 }
    }

    fn picture<'a>(piano: &'a [Note], parts: [&'a [Note]; 4], meters: &'a MeterMap) -> PianoRoll<'a> {
        PianoRoll { title: "Test", piano, added: &[], parts, meters, markers: &[] }
    }

    fn count(canvas: &Canvas, colour: Colour) -> usize {
        canvas.image.pixels().filter(|p| p.0 == colour).count()
    }

    #[test]
    fn every_part_is_drawn_in_its_colour() {
        let piano = [note(0, 60, 480), note(480, 64, 480)];
        let drums = [note(0, 36, 48), note(480, 42, 48)];
        let others: [[Note; 1]; 3] = [[note(0, 40, 960)], [note(0, 55, 960)], [note(960, 72, 960)]];
        let meters = MeterMap::default();
        let parts = [&drums[..], &others[0], &others[1], &others[2]];
        let canvas = picture(&piano, parts, &meters).draw();
        // Two notes of a beat, 40 pixels less the gap, 4 high, beside swatch and name.
        assert!(count(&canvas, PIANO_COLOUR) >= 2 * 39 * 4);
        for part in Part::ALL {
            assert!(count(&canvas, part.colour()) > 100, "{part}");
        }
        let empty = picture(&piano, [&[]; 4], &meters).draw();
        assert!(Part::ALL.iter().all(|p| count(&empty, p.colour()) == 0));
        assert!(empty.image.height() < canvas.image.height());
    }

    #[test]
    fn long_and_strange_pieces_stay_within_bounds() {
        let meters = MeterMap::new(&[(5000, sideman_music::Meter { numerator: 255, denominator: 1 })]);
        let long = [note(0, 0, 10), note(86_400_000, 127, 10)];
        let canvas = picture(&long, [&[]; 4], &meters).draw();
        let pixels = i64::from(canvas.image.width()) * i64::from(canvas.image.height());
        assert!(pixels <= MOST_PIXELS && canvas.image.width() <= 16_000, "{pixels}");
        // Nothing at all is a picture, too.
        assert!(picture(&[], [&[]; 4], &meters).draw().image.height() > 50);
    }

    #[test]
    fn a_note_across_two_rows_is_drawn_in_both() {
        let meters = MeterMap::default();
        // The piece has nine bars; eight fit in a row.
        let across = [note(7 * 1920, 60, 2 * 1920)];
        let canvas = picture(&across, [&[]; 4], &meters).draw();
        let rows: std::collections::BTreeSet<u32> = canvas
            .image
            .enumerate_pixels()
            .filter(|(x, _, p)| *x > LEFT as u32 && p.0 == PIANO_COLOUR)
            .map(|(_, y, _)| y)
            .filter(|y| *y > TOP as u32)
            .collect();
        assert_eq!(rows.len(), 8, "four pixels in each of two rows: {rows:?}");
    }

    #[test]
    fn the_file_is_a_png() {
        let mut bytes = Vec::new();
        let piano = [note(0, 60, 480)];
        picture(&piano, [&[]; 4], &MeterMap::default()).draw().write_png(&mut bytes).unwrap();
        let read = image::load_from_memory(&bytes).unwrap();
        assert_eq!(read.width(), (LEFT + SCALES[0].1 + RIGHT) as u32);
    }
}
