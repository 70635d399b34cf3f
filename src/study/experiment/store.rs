//! What the browser keeps of experiments, in IndexedDB: each as its JSON, under a number.

use crate::app::study::played::Played;
use idb::{
    Database, DatabaseEvent, Error, Factory, ObjectStore, ObjectStoreParams, Query, Transaction,
    TransactionMode,
};
use wasm_bindgen::JsValue;

const DATABASE: &str = "glasshive-experiments";
const EXPERIMENTS: &str = "experiments";

/// Keeps one.
pub async fn put(played: &Played) -> Result<(), Error> {
    let (transaction, store) = open(TransactionMode::ReadWrite).await?;
    store.add(&JsValue::from_str(&played.to_json()), None)?.await?;
    transaction.await?;
    Ok(())
}

/// All that is kept, the newest first, with the numbers. What another version kept and this one cannot read is left alone.
pub async fn all() -> Result<Vec<(f64, Played)>, Error> {
    let (_, store) = open(TransactionMode::ReadOnly).await?;
    let (keys, values) = (store.get_all_keys(None, None)?, store.get_all(None, None)?);
    let (keys, values) = (keys.await?, values.await?);
    let read =
        |(key, value): (&JsValue, &JsValue)| Some((key.as_f64()?, Played::from_json(&value.as_string()?)?));
    Ok(keys.iter().zip(&values).rev().filter_map(read).collect())
}

/// Forgets one.
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
        // Without it nothing is kept, which is said.
        let _ = event.database().and_then(|database| database.create_object_store(EXPERIMENTS, numbered));
    });
    let database: Database = request.await?;
    let transaction = database.transaction(&[EXPERIMENTS], mode)?;
    let store = transaction.object_store(EXPERIMENTS)?;
    // Once this is done: no page of a later version is to wait for this one.
    database.close();
    Ok((transaction, store))
}
