//! Updates of training: forward, backward, Adam. The LSTM of two layers of 512 units and the plainest VAE of P2, as
//! in `training.py` beside this file, which does the same in PyTorch. Medians, in milliseconds of the clock and of
//! processor time; the latter is what to compare on a machine that others use, with one thread
//! (`RAYON_NUM_THREADS=1`).

use std::collections::BTreeMap;
use std::time::Instant;

use candle_core::{Device, Result, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use sideman_inference::band::normal;
use sideman_nets::nn::{self, Linear, Module, Parameters, Specs, VarBuilder};
use sideman_nets::ops::{Activation, binary_cross_entropy, cross_entropy};
use sideman_trainer::train::Optimizer;

const LANES: usize = 32;
const STEPS: usize = 64;
const WIDTH: usize = 512;
const CLASSES: usize = 128;
const CELLS: usize = 128 * 128;
/// Updates that are timed, after some that are not.
const UPDATES: usize = 20;
const WARM: usize = 4;

/// A network with its batch.
trait Subject {
    fn loss(&self, vb: &VarBuilder<'_>) -> Result<Tensor>;
}

/// Two layers over 64 steps, a class a step.
struct Lstm {
    x: Tensor,
    y: Vec<u32>,
}

impl Subject for Lstm {
    fn loss(&self, vb: &VarBuilder<'_>) -> Result<Tensor> {
        let first = nn::Lstm::new(WIDTH, WIDTH, vb.pp("first"))?;
        let second = nn::Lstm::new(WIDTH, WIDTH, vb.pp("second"))?;
        let last = Linear::new(WIDTH, CLASSES, Activation::None, vb.pp("last"))?;
        let h = second.forward(&first.forward(&self.x)?)?.reshape((STEPS * LANES, WIDTH))?;
        cross_entropy(&last.forward(&h)?, &self.y)? / (STEPS * LANES) as f64
    }
}

/// One hidden layer of 512, latent 512.
struct Vae {
    x: Tensor,
    cells: Vec<f32>,
    weights: Vec<f32>,
    noise: Tensor,
}

impl Subject for Vae {
    fn loss(&self, vb: &VarBuilder<'_>) -> Result<Tensor> {
        let linear =
            |inputs, outputs, activation, name: &str| Linear::new(inputs, outputs, activation, vb.pp(name));
        let encode = linear(CELLS, 512, Activation::Relu, "encode")?;
        let latent = linear(512, 1024, Activation::None, "latent")?;
        let widen = linear(512, 512, Activation::Relu, "widen")?;
        let decode = linear(512, CELLS, Activation::None, "decode")?;
        let latent = latent.forward(&encode.forward(&self.x)?)?;
        let (mean, log) = (latent.narrow(1, 0, 512)?, latent.narrow(1, 512, 512)?);
        let z = (&mean + (&self.noise * (&log * 0.5)?.exp()?)?)?;
        let logits = decode.forward(&widen.forward(&z)?)?;
        let cells = binary_cross_entropy(&logits, &self.cells, &self.weights)?;
        let divergence = ((((log.clone() + 1.0)? - mean.sqr()?)? - log.exp()?)?.sum_all()? * -0.5)?;
        (cells + divergence)? / LANES as f64
    }
}

/// Processor time of this process in milliseconds.
fn processor() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure outlives the call, which fills it.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 * 1e3 + t.tv_nsec as f64 / 1e6
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn time(name: &str, subject: &dyn Subject) -> Result<()> {
    let fresh = Parameters::fresh(&Specs::of(|vb| subject.loss(vb)), 1)?;
    let mut vars = BTreeMap::new();
    for (name, tensor) in &fresh.tensors {
        vars.insert(name.clone(), Var::from_tensor(tensor)?);
    }
    let tensors = vars.iter().map(|(k, v)| (k.clone(), v.as_tensor().clone())).collect();
    let mut adam = Optimizer::new(0.0, 1e9).with_beta2(0.999);
    let running = BTreeMap::new();
    let (mut clock, mut spent) = (vec![], vec![]);
    for update in 0..WARM + UPDATES {
        let (began, before) = (Instant::now(), processor());
        let grads = subject.loss(&VarBuilder::new(&tensors, &running))?.backward()?;
        adam.step(&vars, &grads, 1e-3)?;
        if update >= WARM {
            clock.push(began.elapsed().as_secs_f64() * 1e3);
            spent.push(processor() - before);
        }
    }
    let threads = rayon::current_num_threads();
    println!(
        "{name}: {:.1} ms an update, {:.1} of processor time, {threads} threads",
        median(clock),
        median(spent)
    );
    Ok(())
}

fn main() -> Result<()> {
    // Cargo runs the benches of a test run with this, where nothing is to be timed.
    if std::env::args().any(|a| a == "--test") {
        return Ok(());
    }
    sideman_trainer::memory::keep();
    let mut rng = Pcg64::seed_from_u64(1);
    let mut noise = |n: usize| -> Vec<f32> { (0..n).map(|_| normal(&mut rng)).collect() };
    let x = Tensor::from_vec(noise(STEPS * LANES * WIDTH), (STEPS, LANES, WIDTH), &Device::Cpu)?;
    let z = Tensor::from_vec(noise(LANES * 512), (LANES, 512), &Device::Cpu)?;
    let y = (0..STEPS * LANES).map(|_| rng.random_range(0..CLASSES as u32)).collect();
    time("lstm 2x512", &Lstm { x, y })?;
    let cells: Vec<f32> = (0..LANES * CELLS).map(|_| f32::from(u8::from(rng.random_bool(0.03)))).collect();
    let x = Tensor::from_slice(&cells, (LANES, CELLS), &Device::Cpu)?;
    time("vae 128x128", &Vae { x, weights: vec![1.0; cells.len()], cells, noise: z })
}
