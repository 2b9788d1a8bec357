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
use sideman_nets::genre::{Parameters, Pass, Specs};
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
    fn specs(&self) -> Specs;
    fn loss(&self, pass: &mut Pass<'_>) -> Result<Tensor>;
}

/// Two layers over 64 steps, a class a step.
struct Lstm {
    x: Tensor,
    y: Vec<u32>,
}

impl Subject for Lstm {
    fn specs(&self) -> Specs {
        let mut specs = Specs::default();
        specs.lstm("first", WIDTH, WIDTH).lstm("second", WIDTH, WIDTH).linear("last", WIDTH, CLASSES);
        specs
    }

    fn loss(&self, pass: &mut Pass<'_>) -> Result<Tensor> {
        let h = pass.lstm("second", &pass.lstm("first", &self.x)?)?.reshape((STEPS * LANES, WIDTH))?;
        cross_entropy(&pass.linear("last", &h, Activation::None)?, &self.y)? / (STEPS * LANES) as f64
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
    fn specs(&self) -> Specs {
        let mut specs = Specs::default();
        specs.linear("encode", CELLS, 512).linear("latent", 512, 1024).linear("widen", 512, 512);
        specs.linear("decode", 512, CELLS);
        specs
    }

    fn loss(&self, pass: &mut Pass<'_>) -> Result<Tensor> {
        let latent =
            pass.linear("latent", &pass.linear("encode", &self.x, Activation::Relu)?, Activation::None)?;
        let (mean, log) = (latent.narrow(1, 0, 512)?, latent.narrow(1, 512, 512)?);
        let z = (&mean + (&self.noise * (&log * 0.5)?.exp()?)?)?;
        let logits = pass.linear("decode", &pass.linear("widen", &z, Activation::Relu)?, Activation::None)?;
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
    let fresh = Parameters::fresh(&subject.specs(), 1)?;
    let mut vars = BTreeMap::new();
    for (name, tensor) in &fresh.tensors {
        vars.insert(name.clone(), Var::from_tensor(tensor)?);
    }
    let tensors = vars.iter().map(|(k, v)| (k.clone(), v.as_tensor().clone())).collect();
    let mut adam = Optimizer::new(0.0, 1e9).with_beta2(0.999);
    let (mut running, mut rng) = (BTreeMap::new(), Pcg64::seed_from_u64(1));
    let (mut clock, mut spent) = (vec![], vec![]);
    for update in 0..WARM + UPDATES {
        let (began, before) = (Instant::now(), processor());
        let mut pass = Pass::training(&tensors, &mut running, &mut rng);
        let grads = subject.loss(&mut pass)?.backward()?;
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
