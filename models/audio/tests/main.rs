//! Audio files, resampling and mel spectrograms, from outside.

mod allocation;
mod decode;
mod hostile;
mod parity;
mod streams;
