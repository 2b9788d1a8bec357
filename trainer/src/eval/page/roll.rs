//! Piano rolls of several bands to one piano, bar under bar, so that they can be compared by eye.

use image::RgbImage;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use sideman_music::chord::{Quality, Reading};
use sideman_music::encoding::grid::{DRUM_CLASSES, DRUM_NAMES, drum_class};
use sideman_music::family::{PIANO_COLOUR, Part};
use sideman_music::score::Note;

use crate::eval::song::{BAR_PULSES, HALF_PULSES, Parts};
use sideman_draw::Canvas;

const BACKGROUND: RGBColor = RGBColor(0x14, 0x14, 0x19);
const LANE: RGBColor = RGBColor(0x1C, 0x1C, 0x23);
const OCTAVE_LINE: RGBColor = RGBColor(0x2B, 0x2B, 0x35);
const BEAT_LINE: RGBColor = RGBColor(0x27, 0x27, 0x30);
const BAR_LINE: RGBColor = RGBColor(0x50, 0x50, 0x5E);
const TEXT: RGBColor = RGBColor(0xD8, 0xD6, 0xE0);
const FAINT: RGBColor = RGBColor(0x92, 0x90, 0xA0);

const WIDTH: i32 = 1232;
const LEFT: i32 = 92;
const RIGHT: i32 = 12;
/// Room for the title, bar numbers and chords.
const TOP: i32 = 58;
/// Room above a band for its name.
const NAME: i32 = 22;
const GAP: i32 = 3;
/// Pixels a semitone and a drum.
const SEMITONE: i32 = 3;
const DRUM: i32 = 10;

/// A band in the picture.
pub(crate) struct Block<'a> {
    pub(crate) name: &'a str,
    pub(crate) parts: &'a Parts,
}

/// Some bars of a piano and of bands that play to it.
pub(crate) struct Roll<'a> {
    pub(crate) title: &'a str,
    pub(crate) piano: &'a [Note],
    pub(crate) blocks: &'a [Block<'a>],
    /// First bar, from 0.
    pub(crate) first: usize,
    pub(crate) bars: usize,
}

type Area<'a> = DrawingArea<&'a mut Canvas, Shift>;

/// What the lanes of one part look like in all bands.
enum Scale {
    /// Lowest and highest pitch.
    Pitches(i32, i32),
    /// The drum classes that anyone plays, the kick last.
    Drums(Vec<usize>),
}

impl Scale {
    fn pitches(notes: impl Iterator<Item = Note>) -> Option<Self> {
        let (low, high) =
            notes.fold((127, 0), |(l, h), n| (i32::from(n.pitch).min(l), i32::from(n.pitch).max(h)));
        // A lane is at least as high as its name.
        (low <= high).then_some(Self::Pitches(low - 1, (high + 1).max(low + 6)))
    }

    fn height(&self) -> i32 {
        match self {
            Self::Pitches(low, high) => (high - low + 1) * SEMITONE,
            Self::Drums(classes) => classes.len() as i32 * DRUM + 2,
        }
    }
}

impl Roll<'_> {
    fn start(&self) -> i64 {
        self.first as i64 * BAR_PULSES
    }

    fn end(&self) -> i64 {
        (self.first + self.bars) as i64 * BAR_PULSES
    }

    fn x(&self, pulse: i64) -> i32 {
        let share = (pulse - self.start()) as f64 / (self.end() - self.start()) as f64;
        LEFT + (share * f64::from(WIDTH - LEFT - RIGHT)).round() as i32
    }

    /// The notes that sound in the bars, cut to them.
    fn inside<'n>(&self, notes: &'n [Note]) -> impl Iterator<Item = Note> + use<'n> {
        let (start, end) = (self.start(), self.end());
        notes.iter().filter(move |n| n.onset < end && n.end() > start).map(move |n| {
            let onset = n.onset.max(start);
            Note { onset, length: n.end().min(end) - onset, ..*n }
        })
    }

    fn scale(&self, part: Part) -> Option<Scale> {
        let notes = || self.blocks.iter().flat_map(|b| self.inside(&b.parts[part.index()]));
        if part != Part::Drums {
            return Scale::pitches(notes());
        }
        let plays = |class: &usize| notes().any(|n| drum_class(n.pitch) == *class);
        let classes: Vec<usize> = (0..DRUM_CLASSES).rev().filter(plays).collect();
        (!classes.is_empty()).then_some(Scale::Drums(classes))
    }

    /// Draws the picture.
    pub(crate) fn draw(&self) -> anyhow::Result<RgbImage> {
        let piano = Scale::pitches(self.inside(self.piano));
        let scales: Vec<(Part, Scale)> = [Part::Strings, Part::Guitar, Part::Bass, Part::Drums]
            .into_iter()
            .filter_map(|p| Some((p, self.scale(p)?)))
            .collect();
        let lanes: i32 = scales.iter().map(|s| s.1.height() + GAP).sum();
        let over = piano.as_ref().map_or(0, |s| s.height() + GAP);
        let height = TOP + over + self.blocks.len() as i32 * (NAME + lanes) + 10;
        let mut paper = Canvas::new(WIDTH as u32, height as u32, [255; 3]);
        {
            let root = (&mut paper).into_drawing_area();
            root.fill(&BACKGROUND)?;
            text(&root, 16, 8, 16, self.title, TEXT)?;
            let mut y = TOP;
            self.heads(&root)?;
            if let Some(scale) = &piano {
                self.lane(&root, "piano", PIANO_COLOUR, scale, self.piano, y)?;
                y += scale.height() + GAP;
            }
            for block in self.blocks {
                text(&root, 16, y + 7, 8, block.name, TEXT)?;
                y += NAME;
                for (part, scale) in &scales {
                    let name = part.name().to_lowercase();
                    self.lane(&root, &name, part.colour(), scale, &block.parts[part.index()], y)?;
                    y += scale.height() + GAP;
                }
            }
        }
        Ok(paper.image)
    }

    /// Numbers of the bars, and the piano's chords by half-bar.
    fn heads(&self, root: &Area<'_>) -> anyhow::Result<()> {
        for bar in 0..self.bars {
            let at = (self.first + bar) as i64 * BAR_PULSES;
            text(root, self.x(at) + 3, TOP - 26, 8, &(self.first + bar + 1).to_string(), TEXT)?;
            let mut before = String::new();
            for half in 0..2 {
                let from = at + half * HALF_PULSES;
                let Some(name) = chord(self.piano, from, from + HALF_PULSES).filter(|n| *n != before) else {
                    continue;
                };
                let room = ((self.x(from + HALF_PULSES) - self.x(from) - 4) / 8) as usize;
                let short: String = name.chars().take(room).collect();
                text(root, self.x(from) + 3, TOP - 12, 8, &short, FAINT)?;
                before = name;
            }
        }
        Ok(())
    }

    fn lane(
        &self,
        root: &Area<'_>,
        name: &str,
        colour: [u8; 3],
        scale: &Scale,
        notes: &[Note],
        top: i32,
    ) -> anyhow::Result<()> {
        let (left, right) = (LEFT, WIDTH - RIGHT);
        let bottom = top + scale.height();
        let rgb = RGBColor(colour[0], colour[1], colour[2]);
        fill(root, left, top, right, bottom, LANE)?;
        for beat in 0..=self.bars * 4 {
            let x = self.x(self.start() + beat as i64 * BAR_PULSES / 4);
            let line = if beat % 4 == 0 { BAR_LINE } else { BEAT_LINE };
            fill(root, x, top, x + 1, bottom, line)?;
        }
        match scale {
            Scale::Pitches(low, high) => {
                text(root, 16, top + 2, 8, name, rgb)?;
                for c in (*low..=*high).filter(|p| p % 12 == 0) {
                    let y = top + (high - c + 1) * SEMITONE;
                    fill(root, left, y - 1, right, y, OCTAVE_LINE)?;
                    // Names go first.
                    if y - 4 > top + 12 && y + 4 <= bottom + 3 {
                        right_text(root, left - 5, y - 5, &format!("C{}", c / 12 - 1), FAINT)?;
                    }
                }
                for n in self.inside(notes) {
                    let y = top + (high - i32::from(n.pitch)) * SEMITONE;
                    let x = self.x(n.onset);
                    let end = (self.x(n.end()) - 1).max(x + 2);
                    fill(root, x, y, end, y + SEMITONE, shade(rgb, n.velocity))?;
                }
            }
            Scale::Drums(classes) => {
                for (row, &class) in classes.iter().enumerate() {
                    let y = top + row as i32 * DRUM + 1;
                    right_text(root, left - 5, y + 1, DRUM_NAMES[class], rgb)?;
                    fill(root, left, y + DRUM - 1, right, y + DRUM, OCTAVE_LINE)?;
                }
                for n in notes.iter().filter(|n| (self.start()..self.end()).contains(&n.onset)) {
                    let Some(row) = classes.iter().position(|&c| c == drum_class(n.pitch)) else { continue };
                    let (x, y) = (self.x(n.onset), top + row as i32 * DRUM + 2);
                    fill(root, x, y, x + 4, y + DRUM - 4, shade(rgb, n.velocity))?;
                }
            }
        }
        Ok(())
    }
}

/// The colour of a note of a velocity.
fn shade(colour: RGBColor, velocity: u8) -> RGBColor {
    let share = 0.35 + 0.65 * f64::from(velocity) / 127.0;
    let mix = |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * share).round() as u8;
    RGBColor(mix(LANE.0, colour.0), mix(LANE.1, colour.1), mix(LANE.2, colour.2))
}

fn fill(root: &Area<'_>, x: i32, y: i32, right: i32, bottom: i32, colour: RGBColor) -> anyhow::Result<()> {
    // The last pixel of a rectangle is part of it.
    let corners = [(x, y), (right - 1, bottom - 1)];
    root.draw(&Rectangle::new(corners, colour.filled()))?;
    Ok(())
}

fn text(root: &Area<'_>, x: i32, y: i32, size: i32, text: &str, colour: RGBColor) -> anyhow::Result<()> {
    let style: TextStyle<'_> = ("sans-serif", size).into_font().color(&colour);
    root.draw(&Text::new(text.to_owned(), (x, y), style))?;
    Ok(())
}

fn right_text(root: &Area<'_>, x: i32, y: i32, text: &str, colour: RGBColor) -> anyhow::Result<()> {
    let style: TextStyle<'_> = ("sans-serif", 8).into_font().color(&colour);
    let style = style.pos(Pos::new(HPos::Right, VPos::Top));
    root.draw(&Text::new(text.to_owned(), (x, y), style))?;
    Ok(())
}

/// Name of the chord of what sounds in a stretch of time; `None` for nothing and single notes.
fn chord(notes: &[Note], start: i64, end: i64) -> Option<String> {
    let mut weights = [0.0f32; 12];
    let mut lowest: Option<u8> = None;
    for n in notes.iter().filter(|n| n.onset < end) {
        let sounds = n.end().min(end) - n.onset.max(start);
        // What merely begins early or ends late belongs to the neighbour.
        if sounds > (end - start) / 16 {
            weights[usize::from(n.pitch % 12)] += sounds as f32;
            lowest = Some(lowest.map_or(n.pitch, |l| l.min(n.pitch)));
        }
    }
    Reading::weighted(&weights, lowest?).filter(|r| r.quality != Quality::Single).map(|r| r.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::fixtures;
    use image::Rgb;

    #[test]
    fn each_band_is_drawn_under_the_other_on_the_same_scale() {
        let songs = fixtures::songs(2, 16, 1);
        let people = Block { name: "people", parts: &songs[0].people };
        let mut silent = Parts::default();
        silent[1] = vec![Note { onset: 8 * 1920, pitch: 40, length: 1920, velocity: 127 }];
        let model = Block { name: "model", parts: &silent };
        let draw = |blocks: &[Block<'_>]| {
            Roll { title: "Song", piano: &songs[0].piano, blocks, first: 8, bars: 8 }.draw().unwrap()
        };
        let one = draw(&[people]);
        let people = Block { name: "people", parts: &songs[0].people };
        let two = draw(&[people, model]);
        assert_eq!(one.width(), WIDTH as u32);
        // The block of the model is as high as that of people.
        let block = two.height() - one.height();
        assert!(block > 100, "{block}");
        // Of the model, one bar of bass in full colour is all.
        let bass = Part::Bass.colour();
        let from = one.height() as i32 - 10 + NAME;
        let lit = two.enumerate_pixels().filter(|(x, y, p)| {
            (*x as i32) > LEFT && *y as i32 >= from && p.0.iter().zip(bass).all(|(a, b)| a.abs_diff(b) < 4)
        });
        let wide = (WIDTH - LEFT - RIGHT) / 8;
        let count = lit.count() as i32;
        assert!((count - wide * SEMITONE).abs() < wide, "{count}");
        assert!(two.pixels().any(|p| *p == Rgb([LANE.0, LANE.1, LANE.2])));
    }

    #[test]
    fn nothing_at_all_is_a_picture_too() {
        let silent = Parts::default();
        let blocks = [Block { name: "nobody", parts: &silent }];
        let image = Roll { title: "", piano: &[], blocks: &blocks, first: 0, bars: 8 }.draw().unwrap();
        assert!(image.height() > 50);
    }

    #[test]
    fn chords_are_read_from_what_sounds() {
        let note = |onset, pitch, length| Note { onset, pitch, length, velocity: 80 };
        let notes = [note(0, 48, 960), note(0, 64, 960), note(0, 67, 960), note(940, 50, 20)];
        assert_eq!(chord(&notes, 0, 960), Some("C".to_owned()));
        assert_eq!(chord(&notes[..1], 0, 960), None);
        assert_eq!(chord(&notes, 960, 1920), None);
    }
}
