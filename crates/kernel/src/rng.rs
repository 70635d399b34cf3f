//! Seeded randomness in named sub-streams.
//!
//! A run's seed never feeds one shared generator. Each (entity, purpose) pair has a [`Stream`] of its own, derived
//! from the seed by name, and each use draws from a [`Rng`] addressed by an index within it (a task's number, a
//! message's number). So changing one arm of a comparison leaves every other draw unchanged: common random numbers.
//!
//! The generator is xoshiro256++ 1.0 seeded through SplitMix64, both by David Blackman and Sebastiano Vigna
//! (public domain, <https://prng.di.unimi.it>). Logarithms come from `libm`, whose bits are the same on every target.

use crate::time::Duration;

/// The 64-bit FNV-1a hash of a name; stable for ever, as streams and record kinds are derived from it.
pub const fn hash_name(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        i += 1;
    }
    hash
}

/// One SplitMix64 step: a bijection that scatters neighbouring inputs.
const fn split_mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The draws of one purpose of one entity in one run.
///
/// ```
/// use glasshive_kernel::Stream;
///
/// let delays = Stream::new(7, "worker-3", "delay");
/// let tenth = delays.at(10).uniform(0.1, 2.0);
/// // Nothing that was drawn elsewhere, or before, changes it.
/// Stream::new(7, "worker-4", "delay").at(1).next_u64();
/// delays.at(9).next_u64();
/// assert_eq!(delays.at(10).uniform(0.1, 2.0), tenth);
/// assert_ne!(Stream::new(8, "worker-3", "delay").at(10).uniform(0.1, 2.0), tenth);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Stream(u64);

impl Stream {
    /// The stream of `purpose` at `entity` under `seed`.
    pub fn new(seed: u64, entity: &str, purpose: &str) -> Self {
        Stream(split_mix(split_mix(split_mix(seed) ^ hash_name(entity)) ^ hash_name(purpose)))
    }

    /// The generator at `index`: independent of every other index, and of how much was drawn there.
    pub fn at(self, index: u64) -> Rng {
        Rng::new(self.0 ^ split_mix(index))
    }
}

/// xoshiro256++.
///
/// ```
/// use glasshive_kernel::Rng;
///
/// let mut rng = Rng::new(42);
/// let dice: Vec<u64> = (0..100).map(|_| 1 + rng.below(6)).collect();
/// assert!(dice.iter().all(|&eyes| (1..=6).contains(&eyes)));
/// assert_eq!(rng.sample(5, 5), [0, 1, 2, 3, 4]);
/// assert!(rng.exponential(3.0) >= 0.0);
/// ```
#[derive(Clone, Debug)]
pub struct Rng([u64; 4]);

impl Rng {
    /// A generator whose state is four SplitMix64 steps from `seed`.
    pub fn new(seed: u64) -> Self {
        let step = 0x9e37_79b9_7f4a_7c15_u64;
        Rng([0, 1, 2, 3].map(|i: u64| split_mix(seed.wrapping_add(i.wrapping_mul(step)))))
    }

    /// 64 uniform bits.
    pub fn next_u64(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform in [low, high).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Uniform in 0 … `n` − 1 without bias (Lemire's rejection); `n` must not be 0.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "below(0) has no value to return");
        loop {
            let wide = u128::from(self.next_u64()) * u128::from(n);
            let low = wide as u64;
            // What is rejected is below 2⁶⁴ mod n, and so below n: nearly always the division is not needed.
            if low >= n || low >= n.wrapping_neg() % n {
                return (wide >> 64) as u64;
            }
        }
    }

    /// Uniform in [low, high], to the nanosecond.
    pub fn duration(&mut self, low: Duration, high: Duration) -> Duration {
        low + Duration::from_nanos(self.below((high - low).as_nanos().saturating_add(1)))
    }

    /// Exponential with the given mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// `k` distinct values of 0 … `n` − 1, in ascending order (Floyd's sampling); all of them if k ≥ n.
    pub fn sample(&mut self, n: u64, k: u64) -> Vec<u64> {
        let mut chosen = Vec::new();
        for j in n.saturating_sub(k)..n {
            let t = self.below(j + 1);
            match chosen.binary_search(&t) {
                // Greater than all that were chosen before.
                Ok(_) => chosen.push(j),
                Err(place) => chosen.insert(place, t),
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_seed_entity_purpose_and_index_alone() {
        let draw = |seed, entity, purpose, index| Stream::new(seed, entity, purpose).at(index).next_u64();
        let base = draw(7, "w-01", "delay", 3);
        assert_eq!(base, draw(7, "w-01", "delay", 3));
        for other in [
            draw(8, "w-01", "delay", 3),
            draw(7, "w-02", "delay", 3),
            draw(7, "w-01", "noise", 3),
            draw(7, "w-01", "delay", 4),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn draws_have_their_mean_and_stay_in_range() {
        let stream = Stream::new(1, "test", "moments");
        let n = 20_000;
        let (mut unit, mut exponential) = (0.0, 0.0);
        for i in 0..n {
            let mut rng = stream.at(i);
            let u = rng.unit();
            assert!((0.0..1.0).contains(&u));
            unit += u;
            exponential += rng.exponential(2.0);
            assert!(rng.below(7) < 7);
        }
        // Four standard errors: sd 1/√12 and 2 over √20,000.
        assert!((unit / n as f64 - 0.5).abs() < 4.0 * 0.289 / 141.0);
        assert!((exponential / n as f64 - 2.0).abs() < 4.0 * 2.0 / 141.0);
    }

    #[test]
    fn a_sample_has_k_distinct_values() {
        for k in 0..12 {
            let sample = Rng::new(5).sample(10, k);
            assert_eq!(sample.len() as u64, k.min(10));
            assert!(sample.windows(2).all(|w| w[0] < w[1]));
        }
    }

    #[test]
    fn whole_numbers_and_samples_are_uniform() {
        let mut rng = Rng::new(3);
        let n = 70_000;
        let (mut drawn, mut sampled) = ([0_u32; 7], [0_u32; 7]);
        for _ in 0..n {
            drawn[rng.below(7) as usize] += 1;
            rng.sample(7, 3).into_iter().for_each(|value| sampled[value as usize] += 1);
        }
        // Five standard deviations of a binomial.
        let near = |count: u32, p: f64| {
            let expected = f64::from(n) * p;
            (f64::from(count) - expected).abs() < 5.0 * (expected * (1.0 - p)).sqrt()
        };
        assert!(drawn.iter().all(|&count| near(count, 1.0 / 7.0)), "{drawn:?}");
        assert!(sampled.iter().all(|&count| near(count, 3.0 / 7.0)), "{sampled:?}");
    }

    #[test]
    fn the_generators_match_the_published_algorithms() {
        // The first outputs of xoshiro256++ from the state {1, 2, 3, 4}; two of them follow by hand from the definition.
        let mut rng = Rng([1, 2, 3, 4]);
        assert_eq!(
            [(); 10].map(|()| rng.next_u64()),
            [
                41_943_041,
                58_720_359,
                3_588_806_011_781_223,
                3_591_011_842_654_386,
                9_228_616_714_210_784_205,
                9_973_669_472_204_895_162,
                14_011_001_112_246_962_877,
                12_406_186_145_184_390_807,
                15_849_039_046_786_891_736,
                10_450_023_813_501_588_000,
            ]
        );
        // SplitMix64 from 0, four of whose outputs are a seeded state.
        let state = [
            16_294_208_416_658_607_535,
            7_960_286_522_194_355_700,
            487_617_019_471_545_679,
            17_909_611_376_780_542_444,
        ];
        assert_eq!(Rng::new(0).0, state);
    }
}
