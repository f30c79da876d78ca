//! One thing for each node of a cluster.

/// One thing for each node of a cluster, which always has a coordinator.
#[derive(Debug, Clone)]
pub(crate) struct Nodes<T> {
    pub(crate) coordinator: T,
    pub(crate) workers: Vec<T>,
}

impl<T> Nodes<T> {
    /// The coordinator first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.coordinator).chain(&self.workers)
    }

    /// The coordinator first.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        std::iter::once(&mut self.coordinator).chain(&mut self.workers)
    }

    pub(crate) fn map<U>(self, f: impl FnMut(T) -> U) -> Nodes<U> {
        let mut f = f;
        Nodes {
            coordinator: f(self.coordinator),
            workers: self.workers.into_iter().map(f).collect(),
        }
    }
}
