//! How a convolution reads its source: padded copies in which every tap is the same walk along one line.
//!
//! The rows of a plane, padding included, follow one another, and so do the planes of several images. Then
//! a tap (ky, kx) of every output position is the source at that position plus one offset, whatever the
//! padding, and a stretch of positions is a stretch of memory: nothing is gathered per tap, as im2col
//! would. With strides the source is first dealt out into as many planes as there are phases, after which
//! it is as without. Positions between rows compute nothing of use and are not stored.

/// Values that a padded copy may be read beyond its end: a tile's width.
const SLACK: usize = 64;
/// About as many values of a source as the second cache holds beside everything else.
const CACHED: usize = 128 * 1024;

/// One side of a correlation: output (row, column) sums source (row * stride + start + tap) over the taps.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Channels of the source.
    pub channels: usize,
    /// Rows and columns of the source.
    pub size: (usize, usize),
    /// Taps down and across.
    pub taps: (usize, usize),
    /// Steps of the source an output row and column.
    pub stride: (usize, usize),
    /// Where in the source the first tap of the first output lies; negative in the padding.
    pub start: (isize, isize),
    /// Rows and columns of the output.
    pub out: (usize, usize),
}

/// A part of the work: some whole images, or some output rows of one.
#[derive(Debug, Clone, Copy)]
pub struct Band {
    /// Images.
    pub images: usize,
    /// First output row.
    pub first: usize,
    /// Output rows of each image.
    pub rows: usize,
}

impl Frame {
    /// Taps altogether, over all channels.
    pub fn depth(&self) -> usize {
        self.channels * self.taps.0 * self.taps.1
    }

    /// Phases of the stride that have a tap.
    fn phases(&self) -> (usize, usize) {
        (self.stride.0.min(self.taps.0), self.stride.1.min(self.taps.1))
    }

    /// Positions from one row to the next.
    fn pitch(&self) -> usize {
        self.out.1 + (self.taps.1 - 1) / self.stride.1
    }

    /// Rows of a phase that a band reads for each of its images.
    fn tall(&self, band: Band) -> usize {
        band.rows + (self.taps.0 - 1) / self.stride.0
    }

    /// Values of one phase.
    fn plane(&self, band: Band) -> usize {
        band.images * self.tall(band) * self.pitch()
    }

    /// Values from one channel to the next: never a multiple of the size at which caches collide.
    fn channel(&self, band: Band) -> usize {
        let phases = self.phases();
        ((phases.0 * phases.1 * self.plane(band)).div_ceil(16) | 1) * 16
    }

    /// Values of the copy of a band.
    pub fn copied(&self, band: Band) -> usize {
        self.channels * self.channel(band) + SLACK
    }

    /// Positions of a band from its first output to the end of its last.
    pub fn positions(&self, band: Band) -> usize {
        if band.rows == 0 || band.images == 0 {
            return 0;
        }
        self.at(band, band.images - 1, band.rows - 1) + self.out.1
    }

    /// Position of the first output of a row, counted within the band.
    pub fn at(&self, band: Band, image: usize, row: usize) -> usize {
        (image * self.tall(band) + row) * self.pitch()
    }

    /// How much to take at a time: whole images while they fit into the cache, otherwise rows, of which `least`
    /// at least.
    pub fn portion(&self, images: usize, least: usize) -> Band {
        let phases = self.phases();
        let fit = (CACHED / (self.channels * phases.0 * phases.1).max(1)).clamp(384, 2048);
        let whole = Band { images: 1, first: 0, rows: self.out.0 };
        let all = self.plane(whole);
        if all <= fit {
            return Band { images: (fit / all.max(1)).clamp(1, images.max(1)), ..whole };
        }
        Band { images: 1, first: 0, rows: (fit / self.pitch()).max(least).clamp(1, self.out.0.max(1)) }
    }

    /// Where each tap of each channel lies from a position on, in the order of weights (channel, row, column).
    pub fn offsets(&self, band: Band, offsets: &mut Vec<usize>) {
        offsets.clear();
        let across = self.phases().1;
        for channel in 0..self.channels {
            for y in 0..self.taps.0 {
                for x in 0..self.taps.1 {
                    let phase = y % self.stride.0 * across + x % self.stride.1;
                    let within = y / self.stride.0 * self.pitch() + x / self.stride.1;
                    offsets.push(channel * self.channel(band) + phase * self.plane(band) + within);
                }
            }
        }
    }

    /// Copies what a band reads of `source` (images, channels, rows, columns).
    pub fn fill(&self, source: &[f32], band: Band, copy: &mut Vec<f32>) {
        let (height, width) = self.size;
        let (pitch, tall) = (self.pitch(), self.tall(band));
        let phases = self.phases();
        let wanted = self.copied(band);
        // What is between planes keeps old values: nothing stored reads them.
        if copy.len() < wanted {
            copy.resize(wanted, 0.0);
        }
        for channel in 0..self.channels {
            let planes = &mut copy[channel * self.channel(band)..];
            for phase in 0..phases.0 * phases.1 {
                let (down, across) = (phase / phases.1, phase % phases.1);
                let x0 = self.start.1 + across as isize;
                let planes = &mut planes[phase * self.plane(band)..];
                for (i, row) in planes.chunks_exact_mut(pitch).take(band.images * tall).enumerate() {
                    let (image, i) = (i / tall, i % tall);
                    let y = self.start.0 + ((band.first + i) * self.stride.0 + down) as isize;
                    if y < 0 || y >= height as isize {
                        row.fill(0.0);
                        continue;
                    }
                    let from = ((image * self.channels + channel) * height + y as usize) * width;
                    deal(&source[from..from + width], x0, self.stride.1, row);
                }
            }
        }
    }

    /// Copies a gradient (images, channels, output rows, columns) to the positions of a band, `stretch` a
    /// channel, with zeros where there is no output.
    pub fn spread(&self, gradient: &[f32], channels: usize, band: Band, stretch: usize, copy: &mut Vec<f32>) {
        copy.clear();
        copy.resize(channels * stretch, 0.0);
        for (channel, copy) in copy.chunks_exact_mut(stretch).enumerate() {
            for image in 0..band.images {
                for row in 0..band.rows {
                    let from = ((image * channels + channel) * self.out.0 + band.first + row) * self.out.1;
                    let at = self.at(band, image, row);
                    copy[at..at + self.out.1].copy_from_slice(&gradient[from..from + self.out.1]);
                }
            }
        }
    }
}

/// `row[i] = source[x0 + i * step]`, zero outside.
fn deal(source: &[f32], x0: isize, step: usize, row: &mut [f32]) {
    let before = (-x0).max(0) as usize;
    let first = before.div_ceil(step).min(row.len());
    let beyond = (source.len() as isize - x0).max(0) as usize;
    let end = beyond.div_ceil(step).clamp(first, row.len());
    row[..first].fill(0.0);
    row[end..].fill(0.0);
    if first == end {
        return;
    }
    let from = &source[(x0 + (first * step) as isize) as usize..];
    if step == 1 {
        row[first..end].copy_from_slice(&from[..end - first]);
    } else {
        row[first..end].iter_mut().zip(from.iter().step_by(step)).for_each(|(v, s)| *v = *s);
    }
}
