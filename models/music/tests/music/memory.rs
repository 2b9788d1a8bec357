//! How much memory reading takes.

use std::time::Instant;

use sideman_allocator::peak;
use sideman_music::hostile::{Track, corpus};
use sideman_music::smf::{MidiFile, PianoChoice};
use sideman_music::summary::Summary;

#[test]
fn memory_is_a_small_multiple_of_the_file() {
    for case in corpus() {
        let bytes = (case.make)();
        let (used, _) = peak(|| {
            if let Ok(file) = MidiFile::parse(&bytes) {
                drop(Summary::of(&file));
                drop(file.accompany(&PianoChoice::Auto, &[]));
            }
        });
        let limit = (4 << 20) + 50 * bytes.len();
        assert!(used <= limit, "{}: {used} bytes for a file of {}", case.name, bytes.len());
    }

    // A hundred megabytes of the densest music there is: six bytes a note.
    let mut track = Track::default();
    track.event(0, &[0x90, 0, 1]).event(0, &[0, 0]);
    let size = 100 << 20;
    track.0.reserve_exact(size);
    let mut i = 0u32;
    while track.0.len() < size {
        let pitch = (i % 128) as u8;
        track.event(u32::from(i.is_multiple_of(128)), &[pitch, 100]).event(0, &[pitch, 0]);
        i += 1;
    }
    let bytes = track.file();
    drop(track);
    let start = Instant::now();
    let (used, file) = peak(|| MidiFile::parse(&bytes).unwrap());
    println!(
        "{} MB, {} notes: {:.1} s, {:.1} bytes for each byte of the file",
        bytes.len() >> 20,
        file.score().tracks[0].notes.len(),
        start.elapsed().as_secs_f64(),
        used as f64 / bytes.len() as f64
    );
    assert!(used < 12 * bytes.len(), "{used} bytes for a file of {}", bytes.len());
}
