//! How long a task takes: the laws. Each is drawn by inversion: its quantile function, at one uniform draw.
//!
//! Logarithms, powers and roots are `libm`'s, so a draw is the same bits on every target.

use crate::kernel::{Duration, Rng};
use crate::substrate::decimal;
use crate::systems::oracle::Params;
use std::rc::Rc;

/// No draw is longer: a law without an upper end, such as a Pareto law of a small shape, is cut off here.
pub const DELAY_MAX: Duration = Duration::from_secs(3600);
/// The most quantiles that an empirical law has.
pub const QUANTILES_MAX: usize = 1000;
/// The standard normal law's 0.99 quantile.
const Z99: f64 = 2.326_347_874_040_841;

/// The laws by which tasks take their time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DelayLaw {
    /// Between `delay-min` and `delay-max`, all equally likely, to the nanosecond.
    #[default]
    Uniform,
    /// Always `delay-mean`.
    Constant,
    /// Without memory, of mean `delay-mean`.
    Exponential,
    /// Its logarithm is normal; half take less than `delay-p50`, one in a hundred more than `delay-p99`.
    Lognormal,
    /// A task takes longer than t with probability (`delay-min` / t)^`delay-shape`.
    Pareto,
    /// As it was measured: `delays`.
    Empirical,
}

impl DelayLaw {
    /// All of them.
    pub const ALL: [DelayLaw; 6] = [
        DelayLaw::Uniform,
        DelayLaw::Constant,
        DelayLaw::Exponential,
        DelayLaw::Lognormal,
        DelayLaw::Pareto,
        DelayLaw::Empirical,
    ];
    /// Their names in parameters, in the same order.
    pub const NAMES: [&'static str; 6] =
        ["uniform", "constant", "exponential", "lognormal", "pareto", "empirical"];

    /// Its name in parameters.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The law called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|law| law.name() == name)
    }
}

/// A law with its numbers, in seconds.
#[derive(Clone, Debug)]
pub enum Delay {
    /// From the first to the second.
    Uniform(Duration, Duration),
    /// Always that.
    Constant(Duration),
    /// Of that mean.
    Exponential(f64),
    /// Median, and standard deviation of the logarithm.
    Lognormal(f64, f64),
    /// The least, and −1 / shape.
    Pareto(f64, f64),
    /// Quantiles.
    Empirical(Rc<Quantiles>),
}

impl Delay {
    /// The law that the parameters say.
    pub fn of(params: &Params) -> Self {
        let model = &params.model;
        match model.law {
            DelayLaw::Uniform => Delay::Uniform(params.delay_min, params.delay_max),
            DelayLaw::Constant => Delay::Constant(model.mean),
            DelayLaw::Exponential => Delay::Exponential(model.mean.as_secs_f64()),
            DelayLaw::Lognormal => {
                let (p50, p99) = (model.p50.as_secs_f64(), model.p99.as_secs_f64());
                Delay::Lognormal(p50, libm::log(p99 / p50) / Z99)
            }
            DelayLaw::Pareto => Delay::Pareto(params.delay_min.as_secs_f64(), -1.0 / model.shape),
            DelayLaw::Empirical => Delay::Empirical(Rc::clone(&model.delays.quantiles)),
        }
    }

    /// One draw.
    #[inline]
    pub fn draw(&self, mut rng: Rng) -> Duration {
        match self {
            Delay::Uniform(low, high) => rng.duration(*low, *high),
            Delay::Constant(delay) => *delay,
            _ => self.quantile(rng.unit()),
        }
    }

    /// The time that a task takes at most with probability `p`, in [0, 1).
    pub fn quantile(&self, p: f64) -> Duration {
        let seconds = match self {
            Delay::Uniform(low, high) => return *low + (*high - *low).scale(p),
            Delay::Constant(delay) => return *delay,
            Delay::Exponential(mean) => -mean * libm::log(1.0 - p),
            Delay::Lognormal(median, sigma) => median * libm::exp(sigma * normal_quantile(p)),
            Delay::Pareto(least, exponent) => least * libm::pow(1.0 - p, *exponent),
            Delay::Empirical(quantiles) => quantiles.at(p),
        };
        Duration::from_secs_f64(seconds).min(DELAY_MAX)
    }

    /// Where charts end that are to show nearly all of it.
    pub fn long(&self) -> Duration {
        match self {
            Delay::Uniform(_, high) => *high,
            _ => self.quantile(0.99),
        }
    }
}

/// The standard normal law's quantile function, to about 16 digits: Wichura's PPND16.
///
/// Source: M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics 37
/// (1988), 477–484.
fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * ratio(r, &CENTRE);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = libm::sqrt(-libm::log(tail));
    let z = if r <= 5.0 { ratio(r - 1.6, &TAIL) } else { ratio(r - 5.0, &FAR) };
    if q < 0.0 { -z } else { z }
}

/// A ratio of two polynomials of degree seven, lowest coefficient first.
fn ratio(r: f64, [above, below]: &[[f64; 8]; 2]) -> f64 {
    let value = |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, c| sum * r + c);
    value(above) / value(below)
}

#[rustfmt::skip]
#[allow(clippy::excessive_precision)] // As they are published.
const CENTRE: [[f64; 8]; 2] = [
    [3.387_132_872_796_366_608, 1.331_416_678_917_843_774_5e2, 1.971_590_950_306_551_442_7e3, 1.373_169_376_550_946_112_5e4,
     4.592_195_393_154_987_145_7e4, 6.726_577_092_700_870_085_3e4, 3.343_057_558_358_812_810_5e4, 2.509_080_928_730_122_672_7e3],
    [1.0, 4.231_333_070_160_091_125_2e1, 6.871_870_074_920_579_083e2, 5.394_196_021_424_751_107_7e3,
     2.121_379_430_158_659_586_7e4, 3.930_789_580_009_271_061e4, 2.872_908_573_572_194_267_4e4, 5.226_495_278_852_854_561e3],
];
#[rustfmt::skip]
#[allow(clippy::excessive_precision)] // As they are published.
const TAIL: [[f64; 8]; 2] = [
    [1.423_437_110_749_683_577_34, 4.630_337_846_156_545_295_9, 5.769_497_221_460_691_405_5, 3.647_848_324_763_204_605_04,
     1.270_458_252_452_368_382_58, 2.417_807_251_774_506_117_7e-1, 2.272_384_498_926_918_458_33e-2, 7.745_450_142_783_414_076_4e-4],
    [1.0, 2.053_191_626_637_758_821_87, 1.676_384_830_183_803_849_4, 6.897_673_349_851_000_045_5e-1,
     1.481_039_764_274_800_745_9e-1, 1.519_866_656_361_645_719_66e-2, 5.475_938_084_995_344_946e-4, 1.050_750_071_644_416_843_24e-9],
];
#[rustfmt::skip]
#[allow(clippy::excessive_precision)] // As they are published.
const FAR: [[f64; 8]; 2] = [
    [6.657_904_643_501_103_777_2, 5.463_784_911_164_114_369_9, 1.784_826_539_917_291_335_8, 2.965_605_718_285_048_912_3e-1,
     2.653_218_952_657_612_309_3e-2, 1.242_660_947_388_078_438_6e-3, 2.711_555_568_743_487_578_15e-5, 2.010_334_399_292_288_132_65e-7],
    [1.0, 5.998_322_065_558_879_376_9e-1, 1.369_298_809_227_358_053_1e-1, 1.487_536_129_085_061_485_25e-2,
     7.868_691_311_456_132_591e-4, 1.846_318_317_510_054_681_8e-5, 1.421_511_758_316_445_888_7e-7, 2.044_263_103_389_939_785_64e-15],
];

// --- as it was measured -------------------------------------------------------------------------------------------

/// The quantiles of an empirical law, as they are written and as they are used.
#[derive(Clone, Debug, Default)]
pub struct Delays {
    /// `120,180.5,250`, or `0.5:120,0.99:1.5s`: see [`Quantiles::parse`].
    pub text: Rc<str>,
    /// Empty if the text is wrong.
    pub(super) quantiles: Rc<Quantiles>,
}

impl PartialEq for Delays {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Delays {
    /// Those that a text says.
    pub fn of(text: &str) -> Self {
        Delays { text: text.into(), quantiles: Rc::new(Quantiles::parse(text).unwrap_or_default()) }
    }
}

/// A distribution by its quantiles: probabilities, ascending, and seconds. Between two of them it is linear (Hyndman and
/// Fan's definition 7, where they are evenly spaced); before the first and behind the last it is as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quantiles(Vec<(f64, f64)>);

/// What of a text is wrong, and what is allowed there.
pub type Wrong = (String, String);

impl Quantiles {
    /// Reads times, evenly spaced from probability 0 to 1, or `probability:time` each; separated by commas.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let count = if text.is_empty() { 0 } else { text.split(',').count() };
        if !(1..=QUANTILES_MAX).contains(&count) {
            return Err((count.to_string(), format!("from 1 to {QUANTILES_MAX} quantiles")));
        }
        let has_probabilities = text.contains(':');
        let mut quantiles = Quantiles(Vec::with_capacity(count));
        for (item, place) in text.split(',').zip(0_u32..) {
            let (probability, time) = match item.split_once(':') {
                Some((probability, time)) if has_probabilities => (read_probability(probability)?, time),
                None if !has_probabilities => (f64::from(place) / (count - 1).max(1) as f64, item),
                _ => {
                    return Err((
                        item.to_owned(),
                        "probability:time for all of them, or for none".to_owned(),
                    ));
                }
            };
            quantiles.add(probability, read_time(time)?, item)?;
        }
        Ok(quantiles)
    }

    /// Adds one behind the others; `item` is how it is written.
    pub fn add(&mut self, probability: f64, seconds: f64, item: &str) -> Result<(), Wrong> {
        if let Some((before, time)) = self.0.last() {
            let wrong = |allowed: &str, least: f64| {
                Err((item.to_owned(), format!("{allowed}, which is {}", decimal::plain(least))))
            };
            if probability <= *before {
                return wrong("a probability above the one before", *before);
            }
            if seconds < *time {
                return wrong("a time no shorter than the one before, in milliseconds", time * 1e3);
            }
        }
        self.0.push((probability, seconds));
        Ok(())
    }

    /// The quantile at probability `p`, in seconds.
    fn at(&self, p: f64) -> f64 {
        let above = self.0.partition_point(|(probability, _)| *probability <= p);
        match (above.checked_sub(1).map(|below| self.0[below]), self.0.get(above)) {
            (Some((p0, t0)), Some((p1, t1))) => t0 + (t1 - t0) * ((p - p0) / (p1 - p0)),
            (Some((_, time)), None) | (None, Some(&(_, time))) => time,
            (None, None) => 0.0,
        }
    }
}

/// A probability, from 0 to 1.
pub fn read_probability(text: &str) -> Result<f64, Wrong> {
    let p = decimal::read(text.trim()).filter(|p| (0.0..=1.0).contains(p));
    p.ok_or_else(|| (text.trim().to_owned(), "a probability from 0 to 1".to_owned()))
}

/// A time in seconds: milliseconds, or a number with a unit.
pub fn read_time(text: &str) -> Result<f64, Wrong> {
    let text = text.trim();
    let of_unit = || text.parse().ok().map(Duration::as_secs_f64);
    let seconds = decimal::read(text).map(|ms| ms / 1e3).or_else(of_unit);
    seconds.filter(|seconds| (0.0..=DELAY_MAX.as_secs_f64()).contains(seconds)).ok_or_else(|| {
        let allowed =
            format!("a time from 0 to {DELAY_MAX}: a number of milliseconds, or with a unit such as 1.5s");
        (text.to_owned(), allowed)
    })
}
