//! `RETURNING`.

use pg_query::NodeEnum;
use pg_query::protobuf::{Node, ReturningClause, ReturningOption, ReturningOptionKind};

use crate::facts::Returning;
use crate::{Ident, Refusal};

use super::nodes::unknown;
use super::statement::Reader;

impl Reader<'_> {
    pub(super) fn returning(
        &mut self,
        clause: Option<&ReturningClause>,
    ) -> Result<Returning, Refusal> {
        let mut returning = Returning::default();
        let Some(ReturningClause { options, exprs }) = clause else {
            return Ok(returning);
        };
        for option in options {
            read_option(option, &mut returning)?;
        }
        returning.outputs = self.targets(exprs, &mut returning.expressions)?;
        Ok(returning)
    }
}

fn read_option(node: &Node, returning: &mut Returning) -> Result<(), Refusal> {
    let Some(NodeEnum::ReturningOption(option)) = &node.node else {
        return Err(unknown("this RETURNING WITH"));
    };
    let ReturningOption {
        option: _,
        value,
        location: _,
    } = option;
    let name = Some(Ident::from(value.as_str()));
    match option.option() {
        ReturningOptionKind::ReturningOptionOld => returning.old = name,
        ReturningOptionKind::ReturningOptionNew => returning.new = name,
        ReturningOptionKind::Undefined => return Err(unknown("this RETURNING WITH")),
    }
    Ok(())
}
