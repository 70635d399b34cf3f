//! Samples in the order in which they came, in about half the memory of a list.
//!
//! Every [`CHUNK`] of them are packed: as whole numbers, less the least of them, with as many bits as the greatest needs.
//! Times are whole nanoseconds, whose differences need some 30 bits; of what is none the number is the float's own bits. So
//! each comes back bit for bit. Packed chunks are shared by clones, and nothing is moved when another is added.

use std::rc::Rc;

const CHUNK: usize = 512;
const SIGN: u64 = 1 << 63;

/// A list that only grows.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    packed: Vec<Rc<Packed>>,
    /// Fewer than a chunk.
    last: Vec<f64>,
}

impl Samples {
    pub(super) fn push(&mut self, x: f64) {
        self.last.push(x);
        if self.last.len() == CHUNK {
            self.packed.push(Rc::new(Packed::new(&self.last)));
            self.last.clear();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.packed.len() * CHUNK + self.last.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = f64> + Clone {
        let packed = self.packed.iter().flat_map(|chunk| (0..CHUNK).map(|place| chunk.get(place)));
        packed.chain(self.last.iter().copied())
    }
}

/// How a sample is written as a whole number.
#[derive(Clone, Copy, Debug)]
enum Code {
    /// Milliseconds, as nanoseconds.
    Nanoseconds,
    Float,
}

impl Code {
    /// `None` if it would not come back bit for bit.
    fn write(self, x: f64) -> Option<u64> {
        let number = match self {
            Code::Nanoseconds => (x * 1e6 + 0.5) as u64,
            Code::Float => ascending(x),
        };
        (self.read(number).to_bits() == x.to_bits()).then_some(number)
    }

    fn read(self, number: u64) -> f64 {
        match self {
            Code::Nanoseconds => number as f64 / 1e6,
            Code::Float => from_ascending(number),
        }
    }
}

/// A chunk of samples.
#[derive(Debug)]
struct Packed {
    code: Code,
    /// What is to be added to each.
    least: u64,
    /// The bits of each.
    width: usize,
    words: Box<[u64]>,
}

impl Packed {
    fn new(samples: &[f64]) -> Self {
        let written = |code: Code| samples.iter().map(|&x| code.write(x)).collect::<Option<Vec<u64>>>();
        let (code, numbers) = match written(Code::Nanoseconds) {
            Some(numbers) => (Code::Nanoseconds, numbers),
            None => (Code::Float, samples.iter().map(|&x| ascending(x)).collect()),
        };
        let least = numbers.iter().copied().min().unwrap_or(0);
        let greatest = numbers.iter().copied().max().unwrap_or(0);
        let width = (u64::BITS - (greatest - least).leading_zeros()) as usize;
        let mut words = vec![0; (samples.len() * width).div_ceil(64)];
        for (place, number) in numbers.into_iter().enumerate().filter(|_| width > 0) {
            let (bits, word, shift) = (number - least, place * width / 64, place * width % 64);
            words[word] |= bits << shift;
            if shift + width > 64 {
                words[word + 1] = bits >> (64 - shift);
            }
        }
        Packed { code, least, width, words: words.into() }
    }

    fn get(&self, place: usize) -> f64 {
        let width = self.width;
        if width == 0 {
            return self.code.read(self.least);
        }
        let (word, shift) = (place * width / 64, place * width % 64);
        let mut bits = self.words[word] >> shift;
        if shift + width > 64 {
            bits |= self.words[word + 1] << (64 - shift);
        }
        self.code.read(self.least + (bits & (u64::MAX >> (64 - width))))
    }
}

/// A float's bits, turned so that they ascend with it.
pub(super) fn ascending(x: f64) -> u64 {
    let bits = x.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The float of such bits.
pub(super) fn from_ascending(turned: u64) -> f64 {
    f64::from_bits(if turned & SIGN == 0 { !turned } else { turned ^ SIGN })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Rng;

    #[test]
    fn samples_come_back_bit_for_bit_in_their_order() {
        let times = |rng: &mut Rng| rng.below(5_000_000_000) as f64 / 1e6;
        let laws: [fn(&mut Rng) -> f64; 7] = [
            times,
            |rng| rng.unit(),
            |rng| f64::from_bits(rng.below(0x7ff << 52) | rng.below(2) << 63),
            |rng| [0.0, -0.0, 1.0, 0.25][rng.below(4) as usize],
            |_| 1.0 / 3.0,
            |_| 40.0,
            |rng| if rng.chance(0.001) { -7.5 } else { rng.below(1 << 53) as f64 / 1e6 },
        ];
        for (law, seed) in laws.iter().zip(1..) {
            for count in [0, 1, CHUNK - 1, CHUNK, 3 * CHUNK + 17] {
                let mut rng = Rng::new(seed);
                let list: Vec<f64> = (0..count).map(|_| law(&mut rng)).collect();
                let mut samples = Samples::default();
                list.iter().for_each(|&x| samples.push(x));
                assert_eq!(samples.len(), count);
                assert!(samples.iter().map(f64::to_bits).eq(list.iter().map(|x| x.to_bits())), "{seed}");
            }
        }
    }

    #[test]
    fn times_take_half_the_memory_and_equal_ones_none() {
        let words = |law: fn(&mut Rng) -> f64| {
            let mut rng = Rng::new(9);
            Packed::new(&[(); CHUNK].map(|()| law(&mut rng))).words.len()
        };
        assert!(words(|rng| rng.below(4_000_000_000) as f64 / 1e6) <= CHUNK / 2);
        assert_eq!(words(|_| 12.5), 0);
    }
}
