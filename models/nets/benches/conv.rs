//! Networks of convolutions, forward and with all gradients, beside the same through candle's own operation.
//!
//! Candle's weight gradient for one axis is wrong, so it gets two there as well; its pooling is left out.

use std::hint::black_box;

use candle_core::{DType, Device, Result, Tensor, Var};
use criterion::{Criterion, criterion_main};
use sideman_nets::ops::{Activation, Convolution, ConvolutionWork, Window, conv2d};

/// A convolution: outputs, kernel, stride, padding.
type Layer = (usize, (usize, usize), usize, usize);

/// What is measured.
struct Subject {
    name: &'static str,
    /// Images, channels, rows, columns.
    input: (usize, usize, usize, usize),
    layers: &'static [Layer],
}

/// The three of the bench: a piano-roll network with early strides, a mel network, a raw waveform layer.
const SUBJECTS: [Subject; 3] = [
    Subject {
        name: "roll 3x128x1024, 4 layers, batch 4",
        input: (4, 3, 128, 1024),
        layers: &[(16, (3, 3), 2, 1), (32, (3, 3), 2, 1), (64, (3, 3), 2, 1), (64, (3, 3), 2, 1)],
    },
    Subject {
        name: "mel 128x1292, 3x3, 32 and 64 channels, batch 8",
        input: (8, 1, 128, 1292),
        layers: &[(32, (3, 3), 2, 1), (32, (3, 3), 1, 1), (64, (3, 3), 2, 1), (64, (3, 3), 1, 1)],
    },
    Subject {
        name: "wave conv1d 110 to 100, k 5, 60 steps, batch 32",
        input: (32, 110, 1, 60),
        layers: &[(100, (1, 5), 1, 0)],
    },
];

/// Its weights and biases.
struct Network {
    layers: Vec<(Var, Var, Window)>,
    x: Tensor,
}

impl Network {
    fn new(subject: &Subject) -> Result<Self> {
        let mut inputs = subject.input.1;
        let mut layers = vec![];
        for &(outputs, (kh, kw), stride, padding) in subject.layers {
            let bound = 1.0 / ((inputs * kh * kw) as f64).sqrt();
            let w = Var::rand_f64(-bound, bound, (outputs, inputs, kh, kw), DType::F32, &Device::Cpu)?;
            let b = Var::zeros(outputs, DType::F32, &Device::Cpu)?;
            let window = Window { stride: (stride, stride), padding: (padding, padding) };
            layers.push((w, b, window));
            inputs = outputs;
        }
        Ok(Self { layers, x: Tensor::rand(-1f32, 1f32, subject.input, &Device::Cpu)? })
    }

    fn forward(&self) -> Result<Tensor> {
        let mut x = self.x.clone();
        for (w, b, window) in &self.layers {
            x = conv2d(&x, w, b, *window, Activation::Relu)?;
        }
        Ok(x)
    }

    fn candle(&self) -> Result<Tensor> {
        let mut x = self.x.clone();
        for (w, b, window) in &self.layers {
            let (stride, padding) = (window.stride.0, window.padding.0);
            x = x.conv2d(w, padding, stride, 1, 1)?.broadcast_add(&b.reshape((1, (), 1, 1))?)?.relu()?;
        }
        Ok(x)
    }

    /// Ready for inference, one image at a time.
    fn ready(&self) -> Result<Vec<Convolution>> {
        let ready = |(w, b, window): &(Var, Var, Window)| {
            let shape: [usize; 4] = w.dims().try_into().expect("four sizes");
            let (w, b) = (w.flatten_all()?.to_vec1::<f32>()?, b.to_vec1::<f32>()?);
            Ok(Convolution::new(&w, shape, &b, *window, Activation::Relu))
        };
        self.layers.iter().map(ready).collect()
    }
}

fn train(y: Result<Tensor>) -> Result<usize> {
    Ok(y?.sum_all()?.backward()?.get_ids().count())
}

fn benches(c: &mut Criterion) {
    for subject in &SUBJECTS {
        let network = Network::new(subject).expect("a network");
        let mut group = c.benchmark_group(subject.name);
        group.sample_size(10);
        group.bench_function("forward", |b| b.iter(|| black_box(network.forward().expect("a result"))));
        group.bench_function("forward and backward", |b| {
            b.iter(|| black_box(train(network.forward()).expect("gradients")));
        });
        group.bench_function("forward, candle", |b| {
            b.iter(|| black_box(network.candle().expect("a result")));
        });
        group.bench_function("forward and backward, candle", |b| {
            b.iter(|| black_box(train(network.candle()).expect("gradients")));
        });
        let ready = network.ready().expect("layers");
        let image = network.x.get(0).and_then(|x| x.flatten_all()?.to_vec1::<f32>()).expect("an image");
        let (mut x, mut y, mut work) = (vec![], vec![], ConvolutionWork::default());
        group.bench_function("inference of one, one thread", |b| {
            b.iter(|| {
                let mut size = (subject.input.2, subject.input.3);
                x.clone_from(&image);
                for layer in &ready {
                    size = layer.run(&x, size, &mut y, &mut work).expect("a size that fits");
                    std::mem::swap(&mut x, &mut y);
                }
                black_box(x[0])
            });
        });
        group.finish();
    }
}

// The macro makes a public function without a comment.
#[allow(missing_docs)]
mod group {
    criterion::criterion_group!(group, super::benches);
}
criterion_main!(group::group);
