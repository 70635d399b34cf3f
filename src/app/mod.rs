//! What stands between a run and the page.
