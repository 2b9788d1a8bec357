//! Every implementation against the portable one, and that one against plain arithmetic.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use super::functions::cell;
use super::quantised::{Block, COLUMNS, Layer, ROWS, Values, Work, quantise};
use super::simd::Simd;
use crate::weights;

/// What no network should meet, and a kernel must survive.
const ODD: [f32; 12] = [
    0.0,
    -0.0,
    f32::NAN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::MAX,
    f32::MIN,
    f32::MIN_POSITIVE,
    1e-40,
    -1e-31,
    1.0,
    -3e38,
];

/// A vector of one of several kinds.
fn vector(n: usize, kind: usize, rng: &mut Pcg64) -> Vec<f32> {
    let scale = 10f32.powi(rng.random_range(-6..6));
    (0..n)
        .map(|_| match kind % 5 {
            0 => 0.0,
            1 => rng.random_range(-scale..scale),
            2 => f32::from(u8::from(rng.random_bool(0.05))),
            3 => scale * if rng.random_bool(0.5) { 1.0 } else { -1.0 },
            _ => ODD[rng.random_range(0..ODD.len())] * [1.0, scale][rng.random_range(0..2usize)],
        })
        .collect()
}

fn bits(v: &[f32]) -> Vec<u32> {
    // The bits of NaN may differ.
    v.iter().map(|v| if v.is_nan() { u32::MAX } else { v.to_bits() }).collect()
}

fn values(n: usize) -> Vec<Values> {
    vec![Values([0; COLUMNS]); n.div_ceil(COLUMNS)]
}

#[test]
fn the_fastest_is_not_the_portable_one_where_there_is_a_faster() {
    let all = Simd::all();
    assert_eq!(all.last(), Some(&Simd::best()));
    let names: Vec<&str> = all.iter().map(|s| s.name()).collect();
    assert_eq!(names[0], "portable");
    println!("this machine has {names:?}");
    #[cfg(target_arch = "aarch64")]
    assert!(names.contains(&"NEON"), "every such processor has it");
}

#[test]
fn vectors_are_rounded_to_the_nearest_and_alike_everywhere() {
    let mut rng = Pcg64::seed_from_u64(1);
    for round in 0..4000 {
        let n = rng.random_range(1..200);
        let x = vector(n, round, &mut rng);
        let mut expected = values(n);
        let scale = quantise(&x, &mut expected);
        for simd in Simd::all() {
            // What stood there before does not shine through.
            let mut own = values(n);
            own.iter_mut().for_each(|v| v.0.fill(77));
            assert_eq!(simd.quantise(&x, &mut own).to_bits(), scale.to_bits(), "{simd:?}");
            assert_eq!(own, expected, "{simd:?}");
        }
        let flat: Vec<i16> = expected.iter().flat_map(|v| v.0).collect();
        assert!(flat[n..].iter().all(|&v| v == 0), "filled up with zeros");
        assert!(flat.iter().all(|&v| v > i16::MIN));
        for (&v, &q) in x.iter().zip(&flat) {
            if v.is_nan() {
                assert_eq!(q, 0);
            } else {
                let v = f64::from(v.clamp(f32::MIN, f32::MAX));
                // Two roundings of up to 32767 steps on top of half a step; a vector under 1e-30 is zero.
                let most = f64::from(scale) * 0.505 + 1e-30;
                assert!((v - f64::from(q) * f64::from(scale)).abs() <= most, "{v} is {q} of {scale}");
            }
        }
        let largest = x.iter().filter(|v| !v.is_nan()).fold(0f32, |m, v| m.max(v.abs()));
        assert_eq!(flat.iter().any(|v| v.unsigned_abs() == 32767), largest >= 1e-30, "{x:?}");
    }
}

#[test]
fn products_are_the_same_to_the_bit_with_any_instructions() {
    let mut rng = Pcg64::seed_from_u64(2);
    for round in 0..2000 {
        let (tiles, across) = (rng.random_range(1..5), rng.random_range(1..7));
        let extreme = round % 7 == 0;
        let mut weight = |_| match extreme {
            true => [i8::MIN, i8::MAX][rng.random_range(0..2usize)],
            false => rng.random(),
        };
        let mut blocks: Vec<Block> = vec![];
        for _ in 0..tiles * across {
            let weights = std::array::from_fn(|_| std::array::from_fn(&mut weight));
            blocks.push(Block { scales: [0.0; ROWS], weights });
        }
        for block in &mut blocks {
            block.scales.copy_from_slice(&vector(ROWS, if round % 11 == 0 { 4 } else { 1 }, &mut rng));
        }
        let x: Vec<Values> = (0..across)
            .map(|_| match extreme {
                true => Values([[-32767, 32767][rng.random_range(0..2usize)]; COLUMNS]),
                false => Values(std::array::from_fn(|_| rng.random_range(-32767..=32767))),
            })
            .collect();
        let multiply = |simd: Simd| {
            let mut sums = vec![[f32::NAN; ROWS]; tiles];
            simd.multiply(&blocks, &x, &mut sums);
            bits(sums.as_flattened())
        };
        let expected = multiply(Simd::all()[0]);
        for simd in Simd::all() {
            assert!(multiply(simd) == expected, "{simd:?}, {tiles} by {across}, round {round}");
        }
        // The definition, with whole numbers that cannot overflow.
        let (tile, row) = (rng.random_range(0..tiles), rng.random_range(0..ROWS));
        let mut sum = 0f32;
        for (block, x) in blocks[tile * across..(tile + 1) * across].iter().zip(&x) {
            let product: i64 = (0..COLUMNS)
                .map(|c| i64::from(block.weights[c / 2][2 * row + c % 2]) * i64::from(x.0[c]))
                .sum();
            sum += product as f32 * block.scales[row];
        }
        assert_eq!(bits(&[sum])[0], expected[tile * ROWS + row]);
    }
}

#[test]
fn cells_are_the_same_to_the_bit_with_any_instructions() {
    let mut rng = Pcg64::seed_from_u64(3);
    for round in 0..1000 {
        let n = rng.random_range(1..80);
        let gates: Vec<f32> = vector(4 * n, round, &mut rng);
        let before = vector(n, 1, &mut rng);
        let (mut c, mut h) = (before.clone(), vec![0.0; n]);
        cell(&gates, &mut c, &mut h);
        for simd in Simd::all() {
            let (mut own_c, mut own_h) = (before.clone(), vec![0.0; n]);
            simd.cell(&gates, &mut own_c, &mut own_h);
            assert!(bits(&own_c) == bits(&c) && bits(&own_h) == bits(&h), "{simd:?}");
        }
    }
}

/// A layer's product beside the same in double precision, from values that Q8_0 can hold and others.
#[test]
fn layers_multiply_what_a_weights_file_holds() {
    let mut rng = Pcg64::seed_from_u64(4);
    for (rows, columns) in [(1, 4096), (16, 256), (17, 300), (60, 160), (145, 96), (132, 33), (640, 513)] {
        let w: Vec<f32> = (0..rows * columns).map(|_| rng.random_range(-0.5..0.5)).collect();
        let bias = vector(rows, 1, &mut rng);
        let shape = [rows, columns];
        let kept = weights::rounded(&shape, &w);
        let layer = Layer::stored(&weights::quantise(&shape, &w), bias.clone(), columns);
        // Rounding what was rounded changes nothing, so that a kernel may be made from a file's values.
        let again = Layer::stored(&weights::quantise(&shape, &kept), bias.clone(), columns);
        assert!(format!("{layer:?}") == format!("{:?}", again));
        assert_eq!(layer.rows(), rows);

        let mut work = Work::new([&layer].into_iter());
        for kind in 0..4 {
            let x = vector(columns, kind, &mut rng);
            let mut out = vec![1.0; rows];
            layer.add(Simd::best(), &x, &mut work, &mut out);
            let mut applied = vec![7.0; rows];
            layer.apply(Simd::best(), &x, &mut work, &mut applied);
            let largest = x.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
            for r in 0..rows {
                let row = &kept[r * columns..(r + 1) * columns];
                let exact: f64 = row.iter().zip(&x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
                // Half a step of the vector's scale times every weight at worst; and f32's own rounding.
                let size: f64 = row.iter().map(|w| f64::from(w.abs())).sum::<f64>() * largest;
                let most = size * (0.51 / 32767.0) + 1e-6 * f64::from(bias[r].abs()) + 1e-6;
                let expected = exact + f64::from(bias[r]);
                assert!((f64::from(applied[r]) - expected).abs() <= most, "{rows}x{columns}: row {r}");
                assert!((f64::from(out[r]) - expected - 1.0).abs() <= most, "{rows}x{columns}: row {r}");
            }
        }
        for kind in [4, 4, 4, 4] {
            // Whatever it makes of it, it does not stop.
            layer.apply(Simd::best(), &vector(columns, kind, &mut rng), &mut work, &mut vec![0.0; rows]);
        }
    }
}
