//! Networks of the papers that can be played.

pub mod p2;
pub mod p5;

#[cfg(test)]
pub(crate) mod tests {
    //! Weights of chance.

    use rand::{Rng, SeedableRng};
    use rand_pcg::Pcg64;

    use crate::weights::{Shaped, Values};

    /// Matrices after Glorot & Bengio, biases of zero.
    pub(crate) fn random(tensors: &[(String, Vec<usize>)], seed: u64) -> Shaped {
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut one = |shape: &[usize]| -> Vec<f32> {
            match *shape {
                [rows, columns] => {
                    let bound = (6.0 / (rows + columns) as f32).sqrt();
                    (0..rows * columns).map(|_| rng.random_range(-bound..bound)).collect()
                }
                _ => vec![0.0; shape.iter().product()],
            }
        };
        tensors.iter().map(|(name, shape)| (name.clone(), (shape.clone(), one(shape)))).collect()
    }

    pub(crate) fn values(tensors: &Shaped) -> Values {
        tensors.iter().map(|(name, (_, values))| (name.clone(), values.clone())).collect()
    }
}
