//! The page's binary: mounts the app. On other targets than wasm32 it does nothing.

fn main() {
    #[cfg(target_arch = "wasm32")]
    {
        console_error_panic_hook::set_once();
        glasshive::ui::mount();
    }
}
