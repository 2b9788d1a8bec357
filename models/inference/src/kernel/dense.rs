//! A dense layer in plain code: no threads, no allocation, the same sums in the same order.

/// Weights and biases.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dense {
    inputs: usize,
    /// (outputs, inputs).
    w: Vec<f32>,
    b: Vec<f32>,
}

impl Dense {
    /// From weights (outputs, inputs), row-major, and biases (outputs).
    pub(crate) fn new(inputs: usize, w: Vec<f32>, b: Vec<f32>) -> Self {
        debug_assert_eq!(w.len(), inputs * b.len());
        Self { inputs, w, b }
    }

    /// Number of outputs.
    pub(crate) fn outputs(&self) -> usize {
        self.b.len()
    }

    /// `y = w x + b`, with what is negative made 0 if `rectify`.
    pub(crate) fn run(&self, x: &[f32], rectify: bool, y: &mut [f32]) {
        for ((y, w), b) in y.iter_mut().zip(self.w.chunks_exact(self.inputs)).zip(&self.b) {
            *y = b + product(w, x);
            if rectify {
                *y = y.max(0.0);
            }
        }
    }
}

/// Sum of products in eight parts, which compilers turn into vectors.
fn product(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; 8];
    let (pairs, rest) = (a.chunks_exact(8).zip(b.chunks_exact(8)), a.len() / 8 * 8);
    for (a, b) in pairs {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    let tail: f32 = a[rest..].iter().zip(&b[rest..]).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + tail
}
