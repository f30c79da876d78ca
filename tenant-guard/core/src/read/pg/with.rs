//! `WITH`.

use pg_query::NodeEnum;
use pg_query::protobuf::{CommonTableExpr, CteCycleClause, CteSearchClause, Node, WithClause};

use crate::facts::{Cte, Expressions};
use crate::{Ident, Refusal};

use super::nodes::{absent, names, unknown};
use super::statement::Reader;

impl Reader<'_> {
    /// The queries of a `WITH` clause.
    pub(super) fn ctes(&mut self, clause: Option<&WithClause>) -> Result<Vec<Cte>, Refusal> {
        let Some(WithClause {
            ctes,
            recursive: _,
            location: _,
        }) = clause
        else {
            return Ok(Vec::new());
        };
        ctes.iter().map(|node| self.cte(node)).collect()
    }

    fn cte(&mut self, node: &Node) -> Result<Cte, Refusal> {
        let Some(NodeEnum::CommonTableExpr(cte)) = &node.node else {
            return Err(unknown("this WITH query"));
        };
        let CommonTableExpr {
            ctename,
            aliascolnames,
            ctematerialized: _,
            ctequery,
            search_clause,
            cycle_clause,
            location: _,
            cterecursive: _,
            cterefcount: _,
            ctecolnames,
            ctecoltypes,
            ctecoltypmods,
            ctecolcollations,
        } = &**cte;
        let analysed = [ctecolnames, ctecoltypes, ctecoltypmods, ctecolcollations];
        absent(
            analysed.iter().all(|list| list.is_empty()),
            "this WITH query",
        )?;
        let query = ctequery
            .as_deref()
            .ok_or_else(|| unknown("an empty WITH query"))?;
        let mut added_columns = Vec::new();
        let mut expressions = Expressions::default();
        if let Some(search) = search_clause {
            added_columns.push(search_column(search)?);
        }
        if let Some(cycle) = cycle_clause.as_deref() {
            added_columns.extend(self.cycle_columns(cycle, &mut expressions)?);
        }
        Ok(Cte {
            name: Ident::from(ctename.as_str()),
            columns: names(aliascolnames)?,
            query: self.query(query)?,
            added_columns,
            expressions,
        })
    }

    /// The columns that `CYCLE` adds; the values it marks rows with go into `expressions`.
    fn cycle_columns(
        &mut self,
        cycle: &CteCycleClause,
        expressions: &mut Expressions,
    ) -> Result<[Ident; 2], Refusal> {
        let CteCycleClause {
            cycle_col_list,
            cycle_mark_column,
            cycle_mark_value,
            cycle_mark_default,
            cycle_path_column,
            location: _,
            cycle_mark_type,
            cycle_mark_typmod: _,
            cycle_mark_collation: _,
            cycle_mark_neop,
        } = cycle;
        absent(*cycle_mark_type == 0 && *cycle_mark_neop == 0, "this CYCLE")?;
        // They name columns of the query itself.
        names(cycle_col_list)?;
        let marks = cycle_mark_value.as_deref().into_iter();
        self.expressions(marks.chain(cycle_mark_default.as_deref()), expressions)?;
        Ok([
            Ident::from(cycle_mark_column.as_str()),
            Ident::from(cycle_path_column.as_str()),
        ])
    }
}

fn search_column(search: &CteSearchClause) -> Result<Ident, Refusal> {
    let CteSearchClause {
        search_col_list,
        search_breadth_first: _,
        search_seq_column,
        location: _,
    } = search;
    names(search_col_list)?;
    Ok(Ident::from(search_seq_column.as_str()))
}
