//! The page's program with every system; its twin `main.rs` is the small one that the page opens with.

fn main() {
    #[cfg(target_arch = "wasm32")]
    {
        console_error_panic_hook::set_once();
        glasshive::ui::mount();
    }
}
