//! What the browser keeps for a person, in IndexedDB: each thing as its text, under a number.

use idb::{
    Database, DatabaseEvent, Error, Factory, ObjectStore, ObjectStoreParams, Query, Transaction,
    TransactionMode,
};
use wasm_bindgen::JsValue;

/// Where things of one kind are kept.
#[derive(Clone, Copy, Debug)]
pub struct Keeper {
    database: &'static str,
    store: &'static str,
}

/// A person's runs.
pub const RUNS: Keeper = Keeper { database: "glasshive", store: "runs" };
/// What came of experiments.
pub const EXPERIMENTS: Keeper = Keeper { database: "glasshive-experiments", store: "experiments" };

impl Keeper {
    /// Keeps one.
    pub async fn put(self, text: &str) -> Result<(), Error> {
        let (transaction, store) = self.open(TransactionMode::ReadWrite).await?;
        store.add(&JsValue::from_str(text), None)?.await?;
        transaction.await?;
        Ok(())
    }

    /// All that is kept and can be read, the newest first, with the numbers. What another version kept and this one cannot read is
    /// left alone.
    pub async fn all<T>(self, read: impl Fn(&str) -> Option<T>) -> Result<Vec<(f64, T)>, Error> {
        let (_, store) = self.open(TransactionMode::ReadOnly).await?;
        let (keys, values) = (store.get_all_keys(None, None)?, store.get_all(None, None)?);
        let (keys, values) = (keys.await?, values.await?);
        let kept = keys.iter().zip(&values).rev();
        Ok(kept.filter_map(|(key, value)| Some((key.as_f64()?, read(&value.as_string()?)?))).collect())
    }

    /// Forgets one.
    pub async fn remove(self, key: f64) -> Result<(), Error> {
        let (transaction, store) = self.open(TransactionMode::ReadWrite).await?;
        store.delete(Query::Key(JsValue::from_f64(key)))?.await?;
        transaction.await?;
        Ok(())
    }

    async fn open(self, mode: TransactionMode) -> Result<(Transaction, ObjectStore), Error> {
        let mut request = Factory::new()?.open(self.database, Some(1))?;
        request.on_upgrade_needed(move |event| {
            let mut numbered = ObjectStoreParams::new();
            numbered.auto_increment(true);
            // Without it nothing is kept, which whoever wants to keep something is told.
            let _ = event.database().and_then(|database| database.create_object_store(self.store, numbered));
        });
        let database: Database = request.await?;
        let transaction = database.transaction(&[self.store], mode)?;
        let store = transaction.object_store(self.store)?;
        // Once this is done: no page of a later version is to wait for this one.
        database.close();
        Ok((transaction, store))
    }
}
