//! A load of many tenants' rows that failed.

use super::RequestError;
use crate::NodeAddress;

/// Why [`BulkLoad`](crate::BulkLoad) failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BulkLoadError {
    /// An earlier row could not be written, so that nothing of the load is kept.
    #[error("the load has failed with an earlier row")]
    Failed,
    /// A row could not be written. Nothing of the load is kept.
    #[error("row {row} cannot be loaded: {error}")]
    Row {
        /// Its number, from 1.
        row: u64,
        /// Why.
        error: RequestError,
    },
    /// A node refused its rows, or was lost.
    #[error("the rows of a node were not loaded: {error}")]
    Node {
        /// What happened. Where the connection was lost while the load was ended, nobody knows whether the
        /// node's rows are there.
        error: RequestError,
        /// The nodes whose rows are there, and how many.
        loaded: Vec<(NodeAddress, u64)>,
    },
}
