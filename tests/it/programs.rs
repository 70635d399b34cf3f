//! Which program has which shipped scenario, as `web/boot.js` is told: the one that the page opens with has the system of
//! the first. After a change of the table of presets:
//! `GLASSHIVE_BLESS=1 cargo test --test it programs` writes the file anew.

use glasshive::lab::presets;
use serde_json::json;
use std::fs;

const FILE: &str = "web/presets.json";

#[test]
fn the_boot_module_knows_which_program_has_a_scenario() {
    let opening = presets::all().next().expect("one that the page opens with").system;
    let names = |in_opening: bool| -> Vec<&str> {
        let here = presets::all().filter(|preset| (preset.system == opening) == in_opening);
        here.map(|preset| preset.name).collect()
    };
    let table = json!({"glasshive-app": names(true), "glasshive-all": names(false)});
    let text = serde_json::to_string_pretty(&table).expect("JSON") + "\n";
    if std::env::var_os("GLASSHIVE_BLESS").is_some() {
        fs::write(FILE, &text).expect("the file can be written");
    }
    assert_eq!(
        fs::read_to_string(FILE).expect("the file is there"),
        text,
        "{FILE} is not the table of presets"
    );
}
