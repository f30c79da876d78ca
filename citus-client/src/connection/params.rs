//! The parameters of a statement: the caller's, and the tenant's value after them.

use postgres_types::ToSql;

use crate::tenant_id::ColumnValue;

/// What is bound to `$1`, `$2`, …
#[derive(Clone, Copy)]
pub(crate) struct Params<'a> {
    caller: &'a [&'a (dyn ToSql + Sync)],
    tenant: Option<&'a ColumnValue<'a>>,
}

impl<'a> Params<'a> {
    pub(crate) fn new(
        caller: &'a [&'a (dyn ToSql + Sync)],
        tenant: Option<&'a ColumnValue<'a>>,
    ) -> Self {
        Self { caller, tenant }
    }

    pub(super) fn iter(self) -> Iter<'a> {
        Iter {
            caller: self.caller.iter(),
            tenant: self.tenant,
        }
    }
}

/// An iterator that knows its length, which a chain does not.
pub(super) struct Iter<'a> {
    caller: std::slice::Iter<'a, &'a (dyn ToSql + Sync)>,
    tenant: Option<&'a ColumnValue<'a>>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a (dyn ToSql + Sync);

    fn next(&mut self) -> Option<Self::Item> {
        match self.caller.next() {
            Some(param) => Some(*param),
            None => self.tenant.take().map(|tenant| tenant as _),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let length = self.caller.len() + usize::from(self.tenant.is_some());
        (length, Some(length))
    }
}

impl ExactSizeIterator for Iter<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_comes_last() {
        let tenant = ColumnValue::Integer(7);
        let caller: [&(dyn ToSql + Sync); 2] = [&1_i32, &"x"];
        let shown = |tenant| {
            let params = Params::new(&caller, tenant).iter();
            (
                params.len(),
                params.map(|param| format!("{param:?}")).collect::<Vec<_>>(),
            )
        };
        assert_eq!(shown(None), (2, vec!["1".to_owned(), "\"x\"".to_owned()]));
        assert_eq!(shown(Some(&tenant)).0, 3);
        assert_eq!(shown(Some(&tenant)).1[2], "tenant");
    }
}
