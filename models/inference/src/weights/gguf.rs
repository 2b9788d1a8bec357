//! GGUF files of F32 and Q8_0 tensors, after <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.
//!
//! Version 2 is written; versions 2 and 3, which are the same for what we use, are read.

use std::collections::BTreeMap;

/// Values of a block of Q8_0, which share a scale.
pub(crate) const BLOCK: usize = 32;
/// Bytes of a block: a scale in half precision, then the whole numbers.
pub(crate) const BLOCK_BYTES: usize = 2 + BLOCK;
/// Tensors begin at multiples of this.
const ALIGNMENT: usize = 32;
const MAGIC: &[u8] = b"GGUF";
/// Number of the type "string" of metadata, and bytes of the types below and above it; 0 for those without a fixed size.
const STRING: u32 = 8;
const SCALARS: [usize; 13] = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
/// Most axes of a tensor.
const MOST_AXES: u32 = 4;

/// Why bytes are no GGUF file that we can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GgufError {
    /// It ends within a value.
    #[error("the file ends too early")]
    CutOff,
    /// It is of another format or version.
    #[error("no GGUF of version 2 or 3")]
    Version,
    /// A text is no UTF-8.
    #[error("a text that is no UTF-8")]
    Text,
    /// A value of metadata or a tensor is of a type that we do not use.
    #[error("{0} is of type {1}, which is not used here")]
    Type(String, u32),
    /// A tensor has too many values or axes.
    #[error("the tensor {0} has an absurd shape")]
    Shape(String),
    /// A key or tensor is there twice.
    #[error("{0} is there twice")]
    Twice(String),
}

/// How values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As they are.
    F32,
    /// Blocks of 32 whole numbers of 8 bits with a common scale in half precision.
    Q8,
}

impl Encoding {
    /// Its number in files.
    fn number(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::Q8 => 8,
        }
    }
}

/// A tensor as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<B> {
    /// Shape; of [`Encoding::Q8`] the last axis is a multiple of 32.
    pub shape: Vec<usize>,
    /// How the values are stored.
    pub encoding: Encoding,
    /// The values, row-major.
    pub bytes: B,
}

impl<B: AsRef<[u8]>> Stored<B> {
    /// The values, row-major.
    pub fn values(&self) -> Vec<f32> {
        let bytes = self.bytes.as_ref();
        match self.encoding {
            Encoding::F32 => {
                bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
            }
            Encoding::Q8 => bytes
                .chunks_exact(BLOCK_BYTES)
                .flat_map(|b| {
                    let scale = from_half(u16::from_le_bytes([b[0], b[1]]));
                    b[2..].iter().map(move |&q| f32::from(q.cast_signed()) * scale)
                })
                .collect(),
        }
    }
}

impl Stored<Vec<u8>> {
    /// Values as they are.
    pub fn plain(shape: &[usize], values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self { shape: shape.to_vec(), encoding: Encoding::F32, bytes }
    }

    /// Rows of a matrix in blocks, the last of each row filled up with zeros. A block's scale is its largest size over
    /// 127, rounded to half precision after the values were divided by it.
    pub fn quantised([rows, columns]: [usize; 2], values: &[f32]) -> Self {
        debug_assert_eq!(values.len(), rows * columns);
        let wide = columns.next_multiple_of(BLOCK);
        let mut bytes = Vec::with_capacity(rows * wide / BLOCK * BLOCK_BYTES);
        for block in values.chunks_exact(columns.max(1)).flat_map(|row| row.chunks(BLOCK)) {
            let scale = block.iter().fold(0f32, |m, v| m.max(v.abs())) / 127.0;
            let steps = if scale == 0.0 { 0.0 } else { 1.0 / scale };
            bytes.extend(to_half(scale).to_le_bytes());
            bytes.extend(block.iter().map(|v| ((v * steps).round() as i8).cast_unsigned()));
            bytes.resize(bytes.len() + BLOCK - block.len(), 0);
        }
        Self { shape: vec![rows, wide], encoding: Encoding::Q8, bytes }
    }
}

/// Half precision to single, which holds every such number.
pub(crate) fn from_half(bits: u16) -> f32 {
    let (sign, exponent, mantissa) = (bits >> 15, bits >> 10 & 31, bits & 1023);
    let size = match exponent {
        0 => f32::from(mantissa) * 2f32.powi(-24),
        31 if mantissa == 0 => f32::INFINITY,
        31 => f32::NAN,
        _ => f32::from(1024 + mantissa) * 2f32.powi(i32::from(exponent) - 25),
    };
    if sign == 1 { -size } else { size }
}

/// Single precision to half, to the nearest, ties to even; for numbers that are not negative.
fn to_half(value: f32) -> u16 {
    let bits = value.to_bits();
    // The exponent in half precision, less one so that the mantissa's leading 1 adds it.
    let exponent = (bits >> 23).cast_signed() - 112;
    if exponent >= 31 {
        return 0x7C00;
    }
    let mantissa = bits & 0x7F_FFFF | 0x80_0000;
    let (dropped, base) = if exponent > 0 { (13, (exponent - 1) << 10) } else { (14 - exponent, 0) };
    if dropped > 24 {
        return 0;
    }
    let (kept, rest, half) = (mantissa >> dropped, mantissa & ((1 << dropped) - 1), 1 << (dropped - 1));
    let up = rest > half || rest == half && kept & 1 == 1;
    (base.cast_unsigned() + kept + u32::from(up)) as u16
}

/// A file's metadata, of which only texts are kept, and its tensors.
#[derive(Debug)]
pub(crate) struct Gguf<'a> {
    pub(crate) texts: BTreeMap<&'a str, &'a str>,
    pub(crate) tensors: BTreeMap<&'a str, Stored<&'a [u8]>>,
}

/// What is left of a file.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: u64) -> Result<&'a [u8], GgufError> {
        let count = usize::try_from(count).map_err(|_| GgufError::CutOff)?;
        let (own, rest) = self.0.split_at_checked(count).ok_or(GgufError::CutOff)?;
        self.0 = rest;
        Ok(own)
    }

    fn u32(&mut self) -> Result<u32, GgufError> {
        let (own, rest) = self.0.split_first_chunk().ok_or(GgufError::CutOff)?;
        self.0 = rest;
        Ok(u32::from_le_bytes(*own))
    }

    fn u64(&mut self) -> Result<u64, GgufError> {
        let (own, rest) = self.0.split_first_chunk().ok_or(GgufError::CutOff)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*own))
    }

    fn text(&mut self) -> Result<&'a str, GgufError> {
        let length = self.u64()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| GgufError::Text)
    }
}

impl<'a> Gguf<'a> {
    /// Reads all of a file but the tensors' values, which stay where they are.
    pub(crate) fn read(file: &'a [u8]) -> Result<Self, GgufError> {
        let mut rest = Rest(file);
        if rest.take(4)? != MAGIC || !(2..=3).contains(&rest.u32()?) {
            return Err(GgufError::Version);
        }
        let (tensor_count, text_count) = (rest.u64()?, rest.u64()?);
        let mut texts = BTreeMap::new();
        for _ in 0..text_count {
            let key = rest.text()?;
            match rest.u32()? {
                STRING => {
                    if texts.insert(key, rest.text()?).is_some() {
                        return Err(GgufError::Twice(key.to_owned()));
                    }
                }
                kind => match SCALARS.get(kind as usize) {
                    Some(&bytes) if bytes > 0 => drop(rest.take(bytes as u64)?),
                    _ => return Err(GgufError::Type(key.to_owned(), kind)),
                },
            }
        }
        let mut infos = vec![];
        for _ in 0..tensor_count {
            let name = rest.text()?;
            let axes = rest.u32()?;
            if axes > MOST_AXES {
                return Err(GgufError::Shape(name.to_owned()));
            }
            let mut shape = vec![];
            for _ in 0..axes {
                shape.push(usize::try_from(rest.u64()?).map_err(|_| GgufError::Shape(name.to_owned()))?);
            }
            // The file has the innermost axis first.
            shape.reverse();
            let (kind, offset) = (rest.u32()?, rest.u64()?);
            infos.push((name, shape, kind, offset));
        }
        let start = (file.len() - rest.0.len()).next_multiple_of(ALIGNMENT);
        let values = file.get(start..).unwrap_or_default();
        let mut tensors = BTreeMap::new();
        for (name, shape, kind, offset) in infos {
            let absurd = || GgufError::Shape(name.to_owned());
            let count = shape.iter().try_fold(1usize, |n, &axis| n.checked_mul(axis)).ok_or_else(absurd)?;
            let (encoding, size) = match kind {
                0 => (Encoding::F32, count.checked_mul(4).ok_or_else(absurd)?),
                8 if shape.last().is_some_and(|n| n.is_multiple_of(BLOCK)) => {
                    (Encoding::Q8, (count / BLOCK).checked_mul(BLOCK_BYTES).ok_or_else(absurd)?)
                }
                8 => return Err(absurd()),
                _ => return Err(GgufError::Type(name.to_owned(), kind)),
            };
            let mut at = Rest(values);
            at.take(offset)?;
            let stored = Stored { shape, encoding, bytes: at.take(size as u64)? };
            if tensors.insert(name, stored).is_some() {
                return Err(GgufError::Twice(name.to_owned()));
            }
        }
        Ok(Self { texts, tensors })
    }
}

/// A file of texts and tensors, in this order.
pub(crate) fn write(texts: &[(&str, String)], tensors: &[(&str, Stored<Vec<u8>>)]) -> Vec<u8> {
    fn text(out: &mut Vec<u8>, text: &str) {
        out.extend((text.len() as u64).to_le_bytes());
        out.extend(text.as_bytes());
    }
    let mut out = MAGIC.to_vec();
    out.extend(2u32.to_le_bytes());
    out.extend((tensors.len() as u64).to_le_bytes());
    out.extend((texts.len() as u64).to_le_bytes());
    for (key, value) in texts {
        text(&mut out, key);
        out.extend(STRING.to_le_bytes());
        text(&mut out, value);
    }
    let mut offset = 0;
    for (name, stored) in tensors {
        text(&mut out, name);
        out.extend((stored.shape.len() as u32).to_le_bytes());
        stored.shape.iter().rev().for_each(|&axis| out.extend((axis as u64).to_le_bytes()));
        out.extend(stored.encoding.number().to_le_bytes());
        out.extend((offset as u64).to_le_bytes());
        offset += stored.bytes.len().next_multiple_of(ALIGNMENT);
    }
    out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
    for (_, stored) in tensors {
        out.extend(&stored.bytes);
        out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
    }
    out
}
