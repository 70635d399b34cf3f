# The tools that the build pins. Cargo.toml, Trunk.toml and package.json name the same versions;
# a test (tests/it/tidy.rs) fails when they drift apart.
TRUNK_VERSION=0.21.14
WASM_BINDGEN_VERSION=0.2.129
