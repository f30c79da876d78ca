//! Where names are looked up.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;

/// Looks names of hosts up.
#[derive(Clone)]
pub(crate) struct Resolver(
    Arc<dyn Fn(String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> + Send + Sync>,
);

impl Resolver {
    pub(super) fn new<F, A>(look_up: F) -> Self
    where
        F: Fn(String) -> A + Send + Sync + 'static,
        A: Future<Output = std::io::Result<Vec<IpAddr>>> + Send + 'static,
    {
        Self(Arc::new(move |host| Box::pin(look_up(host))))
    }

    pub(crate) async fn resolve(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        (self.0)(host.to_owned()).await
    }
}
