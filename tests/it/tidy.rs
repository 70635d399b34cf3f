//! What the tree promises about itself: layers, versions, module documents.

use std::fs;

#[test]
fn pinned_versions_agree_everywhere() {
    let versions = fs::read_to_string("script/versions.sh").unwrap();
    let cargo = fs::read_to_string("Cargo.toml").unwrap();
    let trunk = fs::read_to_string("Trunk.toml").unwrap();
    let version = versions.lines().find_map(|line| line.strip_prefix("WASM_BINDGEN_VERSION=")).unwrap();
    assert!(cargo.contains(&format!("wasm-bindgen = \"={version}\"")));
    assert!(trunk.contains(&format!("wasm_bindgen = \"{version}\"")));
}
