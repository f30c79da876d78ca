//! `TABLESAMPLE`.

use sqlparser::ast::{
    TableSample, TableSampleMethod, TableSampleModifier, TableSampleQuantity, TableSampleSeed,
    TableSampleSeedModifier,
};

use crate::Refusal;
use crate::facts::{Expressions, Relation};
use crate::lexer::Kind;

use super::cast::is_constant;
use super::reader::Reader;

impl Reader<'_> {
    /// `TABLESAMPLE BERNOULLI (50) [REPEATABLE (7)]`: other methods take whole blocks, in which
    /// tenants are neighbours.
    pub(super) fn sample(
        &mut self,
        sample: &TableSample,
        relation: &mut Relation,
    ) -> Result<(), Refusal> {
        let TableSample {
            modifier,
            name,
            quantity,
            seed,
            bucket,
            offset,
        } = sample;
        let renamed = relation
            .alias
            .as_ref()
            .is_some_and(|alias| !alias.columns.is_empty());
        let known = matches!(modifier, TableSampleModifier::TableSample)
            && matches!(name, Some(TableSampleMethod::Bernoulli))
            && bucket.is_none()
            && offset.is_none()
            && !renamed;
        self.absent(known, "this sample")?;
        let Some(TableSampleQuantity {
            parenthesized: true,
            value,
            unit: None,
        }) = quantity
        else {
            return Err(self.unknown("this sample"));
        };
        self.absent(is_constant(value), "a sample of no constant size")?;
        self.words("tablesample bernoulli")?;
        self.mark(b'(')?;
        self.expression(value, &mut Expressions::default())?;
        self.mark(b')')?;
        if let Some(TableSampleSeed { modifier, value: _ }) = seed {
            let repeatable = matches!(modifier, TableSampleSeedModifier::Repeatable);
            self.absent(repeatable, "this sample")?;
            self.words("repeatable")?;
            self.mark(b'(')?;
            self.take(Kind::Number)?;
            self.mark(b')')?;
        }
        relation.sample_end = Some(self.end());
        Ok(())
    }
}
