//! Once made, a live listener asks for no memory, whatever it hears.

use std::sync::Arc;

use sideman_allocator::calls;
use sideman_inference::genre::audio::{AudioListener, AudioVerdict, ListenerKernel, ListenerStream};
use sideman_inference::genre::audio::{ListenerStage, MelClassifier};
use sideman_inference::genre::weights::{AudioWeights, Head, InputKind};
use sideman_inference::weights::Card;
use sideman_nets::nn::{Network, Parameters};

fn kernel(config: &MelClassifier) -> Arc<ListenerKernel> {
    let fresh = Parameters::fresh(&config.specs(), 1).unwrap();
    Arc::new(sideman_nets::genre::kernel_of(config, &fresh).unwrap())
}

#[test]
fn streams_and_listeners_ask_for_no_memory() {
    let stage = |channels, pool| ListenerStage { channels, pool };
    let other = MelClassifier {
        stages: vec![stage(5, (3, 1)), stage(9, (2, 3)), stage(12, (1, 2)), stage(7, (4, 1))],
        hidden: 16,
        ..MelClassifier::product(10)
    };
    let kernels = vec![kernel(&MelClassifier::product(10)), kernel(&other)];
    let columns: Vec<f32> = (0..128 * 90).map(|i| (i as f32 * 0.7).sin()).collect();
    for kernel in &kernels {
        let mut stream = ListenerStream::new(kernel.clone(), 100, 60);
        let calls = calls(|| {
            // Every size of piece, each time meeting other columns that wait.
            for size in (1..=90).rev().chain([90]) {
                stream.push(&columns[..size * 128]);
                std::hint::black_box(stream.logits());
            }
            stream.reset();
        });
        assert_eq!(calls, 0);
    }

    let head = Head {
        hears: InputKind::Audio,
        classes: (0..10).map(|i| i.to_string()).collect(),
        temperature: 1.0,
        unsure: 0.0,
        card: Card::default(),
    };
    let weights = AudioWeights { head, kernels };
    let tune: Vec<f32> = (0..44_100 * 8).map(|i| (i as f32 * 0.03).sin() * (i as f32 * 1e-4).sin()).collect();
    let silence = vec![0.0; 44_100 * 4];
    for rate in [22_050, 44_100, 48_000] {
        let mut listener = AudioListener::new(&weights, rate).unwrap();
        let mut verdicts = 0;
        let calls = calls(|| {
            for sound in std::iter::repeat_n([&tune, &silence], 4).flatten() {
                for chunk in sound.chunks(3_000) {
                    listener.push(chunk);
                    verdicts += usize::from(matches!(listener.verdict(), AudioVerdict::Genre(_)));
                }
            }
            listener.reset();
        });
        assert_eq!(calls, 0, "at {rate} Hz");
        assert!(verdicts > 50, "{verdicts}");
    }
    assert_eq!(calls(|| drop(std::hint::black_box(vec![0u8; 100]))), 2, "the counter works");
}
