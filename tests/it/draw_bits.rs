//! Draws of every law of delays to the bit: the same natively and in a browser.

use glasshive::kernel::{Duration, Stream};
use glasshive::systems::oracle::delay::{Delay, DelayLaw, Delays};
use glasshive::systems::oracle::{Model, Params};

/// By law, a mix of ten thousand draws.
const MIXES: [(DelayLaw, u64); 6] = [
    (DelayLaw::Uniform, 0xf97d_d5ba_e737_e82d),
    (DelayLaw::Constant, 0xbe46_bbca_fce2_9a1e),
    (DelayLaw::Exponential, 0x3ca2_6c85_cf13_2d10),
    (DelayLaw::Lognormal, 0xfce6_991e_3e87_e8b7),
    (DelayLaw::Pareto, 0xfd3b_3ab3_430f_93ab),
    (DelayLaw::Empirical, 0xb387_fc7d_d1d9_ae54),
];

/// Compares them with the constants.
pub fn check() {
    let stream = Stream::new(7, "w-03", "delay");
    let found = MIXES.map(|(law, _)| {
        let model = Model { law, delays: Delays::of("0.1:20,0.5:33.3,0.99:1.7s"), ..Model::default() };
        let delay = Delay::of(&Params { model, ..Params::default() });
        let draws = (0..10_000).map(|i| delay.draw(stream.at(i)));
        (
            law,
            draws
                .map(Duration::as_nanos)
                .fold(0, |mix: u64, ns| (mix.rotate_left(5) ^ ns).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        )
    });
    assert_eq!(found, MIXES);
}
