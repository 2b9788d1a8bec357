//! The sound that comes in.

use std::time::Duration;

use super::*;
use crate::genre::Source;

#[test]
fn sound_that_comes_in_is_heard_and_leads_the_style() {
    let piano = crate::genre::tests::jazz(0, 11);
    let shared = Arc::new(Shared::default());
    let mut host = Host::new(48_000.0, 120.0, 480);
    host.performer =
        Processor::new(shared.clone()).with_audio_classifier(crate::genre::sound::tests::Fake::make());
    host.performer.activate(48_000.0, 480);
    host.shared = shared.clone();
    host.controls.weights = WeightsChoice::Rules;
    host.block(480, &[]);
    // Slowly enough for the thread to take in all of it: nothing waits for sound.
    let sound = |host: &mut Host, sample: f32, seconds: usize| {
        for _ in 0..seconds * 100 {
            host.performer.listen(&[sample; 480], &[sample; 480]);
            std::thread::sleep(Duration::from_micros(300));
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    let shown = |shared: &Shared| shared.editor_state(|b| b.genre.clone());
    sound(&mut host, 0.25, 3);
    let genre = shown(&shared);
    assert_eq!((genre.source, genre.genre().map(|g| g.0)), (Source::Audio, Some("reggae")));
    host.play(&piano, 1920 * 10, || 480);
    assert_eq!(shared.editor_state(|b| b.style.clone()), "reggae");
    // The sound is gone: the piano is shown, and what is nothing is soon not even handed on.
    sound(&mut host, 0.0, 12);
    assert_eq!(shown(&shared).source, Source::Piano);
    assert_eq!(shared.status().unheard, 0);
}

#[test]
fn sound_for_which_there_is_no_room_is_left_out_and_counted() {
    let shared = Arc::new(Shared::default());
    let mut performer = Processor::new(shared.clone());
    let block = [0.5; 4096];
    performer.listen(&block, &block);
    assert_eq!(shared.status().unheard, 0, "nobody would listen");
    let never = Arc::new(|| -> Result<Box<dyn crate::genre::AudioClassifier>, String> {
        std::thread::sleep(Duration::from_secs(2));
        Err("on purpose".into())
    });
    let mut performer = Processor::new(shared.clone()).with_audio_classifier(never);
    performer.activate(48_000.0, 4096);
    let controls = Controls::default();
    let settings = LiveSettings::default();
    let transport = Transport::default();
    let block_of = Block {
        frames: 64,
        transport,
        controls: &controls,
        settings: &settings,
        offline: false,
        bypass: false,
    };
    performer.process(&block_of, &[]);
    // Six seconds at once, while the thread makes the classifier.
    (0..72).for_each(|_| performer.listen(&block, &block));
    let lost = shared.status().unheard;
    assert!(lost > 72 * 4096 - (1 << 18) && lost < 72 * 4096 && lost > 0, "{lost}");
    // Without a channel, or of two lengths: as much as there is.
    performer.listen(&[], &block);
    performer.listen(&[f32::NAN; 3], &[1.0; 2]);
    // The thread says why nobody listens, and that once.
    let told = |shared: &Shared| shared.editor_state(|b| b.notices.iter().any(|n| n.contains("on purpose")));
    while !told(&shared) {
        std::thread::sleep(Duration::from_millis(5));
    }
    performer.deactivate();
}
