//! Shipped scenarios: names and texts, so that a program which lacks a system still knows what there is.

pub use super::system::Preset;

use super::systems;

/// All of them, system by system, see `systems.rs`.
pub fn all() -> impl Iterator<Item = &'static Preset> + Clone {
    systems::presets()
}

/// The preset called `name`.
pub fn find(name: &str) -> Option<&'static Preset> {
    all().find(|preset| preset.name == name)
}

/// Whether this program can play it, as far as its system goes: which one nobody has is not known.
pub fn is_here(name: &str) -> bool {
    find(name).is_none_or(|preset| systems::defaults(preset.system).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_opens_at_the_slowest_speed_that_shows_its_point_in_time() {
        let speed = |name| find(name).map(Preset::speed);
        // As slow as its system may be; its axis would take too long; so would the way to its point.
        assert_eq!((speed("colluding-third"), speed("config")), (Some(0.5), Some(1.0)));
        assert_eq!((speed("heartbeat-trap"), speed("oracle-http")), (Some(2.0), Some(1.0)));
        // What comes before its start takes no time.
        assert_eq!((speed("thundering-herd"), speed("mmc")), (Some(2.0), Some(5.0)));
        for preset in all() {
            let (speed, to) = (preset.speed(), |s: u32| f64::from(s - preset.start_s));
            let in_time = to(preset.point_s) <= 20.0 * speed && to(preset.axis_s) <= 60.0 * speed;
            assert!(in_time && (speed >= 1.0 || preset.system.title == "Oracle"), "{}", preset.name);
        }
    }
}
