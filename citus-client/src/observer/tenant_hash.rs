//! A tenant's stand-in where its value must not appear.

use std::fmt;
use std::hash::{Hash, Hasher};

use siphasher::sip::SipHasher24;

use crate::TenantId;

/// Stands for a tenant in a log or a metric: the same for the same tenant under one key, and without the
/// key it cannot be told which tenant it is. Shown as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantHash(u64);

/// The key of [`TenantHash`]es (SipHash-2-4). By chance unless said otherwise, so that a process has its
/// own; processes whose figures are to be put together need the same one, which is a secret.
#[derive(Clone)]
pub struct TenantHashKey([u8; 16]);

impl TenantHashKey {
    /// A key of the application's.
    pub fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    /// What stands for a tenant.
    ///
    /// ```
    /// use citus_client::{TenantHashKey, TenantId};
    ///
    /// let key = TenantHashKey::new(*b"16 secret bytes!");
    /// assert_eq!(key.hash(&TenantId::from(42)), key.hash(&TenantId::from(42)));
    /// assert_ne!(key.hash(&TenantId::from(42)), key.hash(&TenantId::from(43)));
    /// ```
    pub fn hash(&self, tenant: &TenantId) -> TenantHash {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        tenant.hash(&mut hasher);
        TenantHash(hasher.finish())
    }
}

impl Default for TenantHashKey {
    fn default() -> Self {
        Self(rand::random())
    }
}

/// Without the key.
impl fmt::Debug for TenantHashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TenantHashKey")
    }
}

impl fmt::Display for TenantHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for TenantHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantHash({self})")
    }
}
