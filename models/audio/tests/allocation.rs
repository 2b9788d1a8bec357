//! Once made, a front end allocates nothing, whatever it receives.

use sideman_allocator::calls;
use sideman_audio::FrontEnd;

#[test]
fn hearing_asks_for_no_memory() {
    let sound: Vec<f32> = (0..40_000).map(|i| (i as f32 * 0.1).sin()).collect();
    for rate in [8_000, 22_050, 44_100, 48_000, 192_000] {
        let mut front = FrontEnd::new(rate).unwrap();
        let mut loudest = 0.0f32;
        let mut columns = 0;
        let calls = calls(|| {
            for block in [1, 64, 500, 8192] {
                for chunk in sound.chunks(block) {
                    front.push(chunk, |column| {
                        columns += 1;
                        loudest = column.iter().copied().fold(loudest, f32::max);
                    });
                }
                front.finish(|_| columns += 1);
            }
            front.reset();
        });
        assert_eq!(calls, 0, "at {rate} Hz");
        assert!(columns > 20 && loudest > 1.0);
    }
    assert_eq!(calls(|| drop(std::hint::black_box(vec![0u8; 100]))), 2, "the counter works");
}
