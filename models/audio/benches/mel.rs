//! From samples to mel columns, beside the Fourier transform that it cannot do without; then the ratios, and how
//! long an hour of sound takes, from all of them in turns.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_main};
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use sideman_audio::decode::AudioFile;
use sideman_audio::mel::{HOP, N_FFT};
use sideman_audio::{Column, FrontEnd, MelStream, SAMPLE_RATE};

/// Seconds of the wav file: long enough that opening it and the ends do not count.
const SECONDS: u32 = 300;
/// Times that each is measured.
const TURNS: usize = 15;

fn sound(rate: u32, seconds: u32) -> Vec<f32> {
    let mut seed = 1u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    (0..rate * seconds).map(|i| 0.3 * (i as f32 * 0.05).sin() + 0.1 * noise()).collect()
}

/// Stereo, 44,100 Hz, 16 bits, as most wav files are.
fn write_wav(path: &Path) -> hound::Result<()> {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec)?;
    for sample in sound(spec.sample_rate, SECONDS) {
        let sample = (sample * 32_767.0) as i16;
        file.write_sample(sample)?;
        file.write_sample(sample / 2)?;
    }
    file.finalize()
}

fn consume(column: &Column) {
    black_box(column);
}

/// The transform alone, of as many windows.
struct Transform {
    fft: std::sync::Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
}

impl Transform {
    fn new() -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(N_FFT);
        let (spectrum, scratch) = (fft.make_output_vec(), fft.make_scratch_vec());
        Self { fft, window: vec![0.1; N_FFT], spectrum, scratch }
    }

    fn run(&mut self, samples: &[f32]) {
        for at in (0..samples.len() - N_FFT).step_by(HOP) {
            // The transform writes over its input.
            self.window.copy_from_slice(&samples[at..at + N_FFT]);
            let _ = self.fft.process_with_scratch(&mut self.window, &mut self.spectrum, &mut self.scratch);
            black_box(&self.spectrum);
        }
    }
}

fn columns_of_file(path: &Path) -> usize {
    let Ok(mut file) = AudioFile::open(path) else { return 0 };
    let Ok(mut front) = FrontEnd::new(file.sample_rate()) else { return 0 };
    let mut columns = 0;
    while let Some(chunk) = file.next_chunk() {
        front.push(chunk, |column| columns += usize::from(black_box(column)[0] >= 0.0));
    }
    front.finish(|_| columns += 1);
    columns
}

fn decode_only(path: &Path) -> usize {
    let Ok(mut file) = AudioFile::open(path) else { return 0 };
    let mut samples = 0;
    while let Some(chunk) = file.next_chunk() {
        samples += black_box(chunk).len();
    }
    samples
}

fn median(mut v: Vec<f64>) -> f64 {
    v.sort_by(f64::total_cmp);
    v[v.len() / 2]
}

fn benches(c: &mut Criterion) {
    let Ok(folder) = tempfile::tempdir() else { return eprintln!("skipped: no folder to write to") };
    let path = folder.path().join("long.wav");
    if let Err(e) = write_wav(&path) {
        return eprintln!("skipped: {e}");
    }
    let second = sound(SAMPLE_RATE, 1);
    // As many windows as the stream makes of a second.
    let windows = sound(SAMPLE_RATE + N_FFT as u32, 1);
    let at_44100 = sound(44_100, 1);
    let (mut mel, mut transform) = (MelStream::new(), Transform::new());
    let mut front = FrontEnd::new(44_100).ok();

    let mut group = c.benchmark_group("columns");
    group.throughput(Throughput::Elements((second.len() / HOP) as u64));
    group.bench_function("MelStream, a second of sound", |b| {
        b.iter(|| mel.push(&second, consume));
    });
    group.bench_function("its Fourier transforms alone", |b| b.iter(|| transform.run(&windows)));
    group.finish();

    let mut times = [const { vec![] }; 5];
    for _ in 0..TURNS {
        let mut time = |i: usize, seconds: f64, run: &mut dyn FnMut()| {
            let start = Instant::now();
            run();
            let per_hour = start.elapsed().as_secs_f64() * 3600.0 / seconds;
            let times: &mut Vec<f64> = &mut times[i];
            times.push(per_hour);
        };
        let repeat = 100;
        time(0, f64::from(repeat), &mut || (0..repeat).for_each(|_| transform.run(&windows)));
        time(1, f64::from(repeat), &mut || {
            (0..repeat).for_each(|_| mel.push(&second, consume));
        });
        time(2, f64::from(repeat), &mut || {
            for _ in 0..repeat {
                if let Some(front) = &mut front {
                    front.push(&at_44100, consume);
                }
            }
        });
        time(3, f64::from(SECONDS), &mut || {
            black_box(decode_only(&path));
        });
        time(4, f64::from(SECONDS), &mut || {
            black_box(columns_of_file(&path));
        });
    }
    // Ratios within a turn, so that what else the machine does meets both sides alike.
    let over = |a: usize, b: usize| median(times[a].iter().zip(&times[b]).map(|(a, b)| a / b).collect());
    let (columns, rates) = (over(1, 0), over(2, 1));
    let fastest = times.each_ref().map(|t| t.iter().copied().fold(f64::INFINITY, f64::min));
    let [transform, mel, front, decode, all] = times.map(median);
    println!("an hour of sound on one core, medians of {TURNS} turns, fastest {fastest:.2?}:");
    println!("  Fourier transforms alone      {transform:.2} s");
    println!("  mel columns                   {mel:.2} s, {columns:.2} times the transforms");
    println!("  44,100 Hz to mel columns      {front:.2} s, {rates:.2} times the columns");
    println!("  reading a stereo wav          {decode:.2} s");
    println!("  from that wav to mel columns  {all:.2} s, {:.0} times real time", 3600.0 / all);
}

// The macro makes a public function without a comment.
#[allow(missing_docs)]
mod group {
    criterion::criterion_group!(group, super::benches);
}
criterion_main!(group::group);
