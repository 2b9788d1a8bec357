//! A plain piano roll: what was given, and what was added to it.

use image::{Rgb, RgbImage};
use sideman_music::{Note, PULSES_PER_BEAT};

const ROW: u32 = 4;
const BEAT: u32 = 24;
/// Beats in a line of the picture.
const BEATS: i64 = 48;
const PAPER: Rgb<u8> = Rgb([255, 255, 255]);
const LINE: Rgb<u8> = Rgb([228, 230, 234]);
const GIVEN: Rgb<u8> = Rgb([120, 124, 132]);
const ADDED: Rgb<u8> = Rgb([0, 95, 170]);

/// Draws lines of 48 quarter notes under one another: given notes grey, added ones blue.
pub(super) fn draw(given: &[Note], added: &[Note]) -> RgbImage {
    let notes = || given.iter().map(|n| (n, GIVEN)).chain(added.iter().map(|n| (n, ADDED)));
    let low = u32::from(notes().map(|n| n.0.pitch).min().unwrap_or(60).saturating_sub(2));
    let high = u32::from(notes().map(|n| n.0.pitch).max().unwrap_or(60)) + 2;
    let start = notes().map(|n| n.0.onset).min().unwrap_or(0).div_euclid(4 * PULSES_PER_BEAT) * 4;
    let end = notes().map(|n| n.0.end()).max().unwrap_or(1) / PULSES_PER_BEAT + 1;
    let end = end.max(start + 1);
    let rows = ((end - start) as u32).div_ceil(BEATS as u32).clamp(1, 24);
    let tall = (high - low + 1) * ROW + 8;
    let mut out = RgbImage::from_pixel(BEATS as u32 * BEAT, rows * tall, PAPER);
    let mut fill = |row: u32, x: (i64, i64), y: (u32, u32), colour: Rgb<u8>| {
        for x in x.0.max(0)..x.1.min(i64::from(BEATS as u32 * BEAT)) {
            for y in y.0..y.1 {
                out.put_pixel(x as u32, row * tall + y.min(tall - 1), colour);
            }
        }
    };
    for row in 0..rows {
        for beat in (0..BEATS).step_by(4) {
            let x = beat * i64::from(BEAT);
            fill(row, (x, x + 1), (0, tall - 8), LINE);
        }
        fill(row, (0, BEATS * i64::from(BEAT)), (tall - 8, tall - 7), LINE);
    }
    for (note, colour) in notes() {
        let y = (high - u32::from(note.pitch)) * ROW;
        let x = |pulse: i64| (pulse - start * PULSES_PER_BEAT) * i64::from(BEAT) / PULSES_PER_BEAT;
        for row in 0..rows {
            let shift = i64::from(row) * BEATS * i64::from(BEAT);
            fill(
                row,
                (x(note.onset) - shift, (x(note.end()) - 1).max(x(note.onset) + 1) - shift),
                (y, y + ROW - 1),
                colour,
            );
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_and_added_notes_are_drawn() {
        let note = |onset, pitch| Note { onset, pitch, length: 480, velocity: 80 };
        let given: Vec<Note> = (0..60).map(|i| note(i * 480, 60)).collect();
        let picture = draw(&given, &[note(60 * 480, 70)]);
        let count = |c: Rgb<u8>| picture.pixels().filter(|p| **p == c).count();
        assert_eq!(count(ADDED), 23 * 3);
        assert_eq!(count(GIVEN), 60 * 23 * 3);
        assert!(draw(&[], &[]).width() > 0);
    }
}
