//! What the browser keeps of a person's runs, in IndexedDB: each as its JSON, under a number.

use crate::app::saved::Saved;
use idb::{
    Database, DatabaseEvent, Error, Factory, ObjectStore, ObjectStoreParams, Query, Transaction,
    TransactionMode,
};
use wasm_bindgen::JsValue;

const DATABASE: &str = "glasshive";
const RUNS: &str = "runs";

/// Keeps a run.
pub async fn put(saved: &Saved) -> Result<(), Error> {
    let (transaction, store) = open(TransactionMode::ReadWrite).await?;
    // Plain data cannot fail to be JSON.
    let text = serde_json::to_string(saved).unwrap_or_default();
    store.add(&JsValue::from_str(&text), None)?.await?;
    transaction.await?;
    Ok(())
}

/// All that is kept, the newest first, with the numbers. What another version kept and this one cannot read is left alone.
pub async fn all() -> Result<Vec<(f64, Saved)>, Error> {
    let (_, store) = open(TransactionMode::ReadOnly).await?;
    let (keys, values) = (store.get_all_keys(None, None)?, store.get_all(None, None)?);
    let (keys, values) = (keys.await?, values.await?);
    let kept = keys.iter().zip(&values).rev();
    let read = |(key, value): (&JsValue, &JsValue)| {
        Some((key.as_f64()?, serde_json::from_str(&value.as_string()?).ok()?))
    };
    Ok(kept.filter_map(read).collect())
}

/// Forgets a run.
pub async fn remove(key: f64) -> Result<(), Error> {
    let (transaction, store) = open(TransactionMode::ReadWrite).await?;
    store.delete(Query::Key(JsValue::from_f64(key)))?.await?;
    transaction.await?;
    Ok(())
}

async fn open(mode: TransactionMode) -> Result<(Transaction, ObjectStore), Error> {
    let mut request = Factory::new()?.open(DATABASE, Some(1))?;
    request.on_upgrade_needed(|event| {
        let mut numbered = ObjectStoreParams::new();
        numbered.auto_increment(true);
        // Without it nothing is kept, which whoever wants to keep something is told.
        let _ = event.database().and_then(|database| database.create_object_store(RUNS, numbered));
    });
    let database: Database = request.await?;
    let transaction = database.transaction(&[RUNS], mode)?;
    let store = transaction.object_store(RUNS)?;
    // Once this is done: no page of a later version is to wait for this one.
    database.close();
    Ok((transaction, store))
}
