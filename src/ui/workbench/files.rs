//! Files that the page gives away: made here, saved by the browser, sent to nobody.

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Blob, HtmlAnchorElement, Url};

/// Saves bytes as a file of that name, as the browser does with downloads.
pub fn save(bytes: &[u8], name: &str) {
    // The browser copies what it is given.
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
    let Ok(blob) = Blob::new_with_u8_array_sequence(&parts) else { return };
    let Ok(url) = Url::create_object_url_with_blob(&blob) else { return };
    let link = document().create_element("a").ok().and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok());
    if let Some(link) = link {
        link.set_href(&url);
        link.set_download(name);
        link.click();
    }
    // By now the download has begun, or will not.
    let _ = Url::revoke_object_url(&url);
}
