//! Citus' functions that say how tables are distributed (signatures of Citus 13.2).

use super::super::{Ident, TableName};
use super::build::tenant_type;
use super::call::Call;
use super::colocation::{Group, Traits};
use super::cursor::Cursor;
use super::error::MigrationProblem as Problem;
use super::schema::{Placement, Schema};
use super::split::split;

/// The functions that are followed.
pub(super) const FOLLOWED: &[&str] = &[
    "create_distributed_table",
    "create_distributed_table_concurrently",
    "create_reference_table",
    "citus_add_local_table_to_metadata",
    "undistribute_table",
    "alter_distributed_table",
    "update_distributed_table_colocation",
];

/// Functions of Citus that change no table as SQL sees it.
pub(super) const HARMLESS: &[&str] = &[
    "alter_old_partitions_set_access_method",
    "alter_table_set_access_method",
    "citus_activate_node",
    "citus_add_inactive_node",
    "citus_add_node",
    "citus_add_rebalance_strategy",
    "citus_copy_shard_placement",
    "citus_disable_node",
    "citus_drain_node",
    "citus_move_shard_placement",
    "citus_rebalance_start",
    "citus_rebalance_stop",
    "citus_rebalance_wait",
    "citus_remove_node",
    "citus_set_coordinator_host",
    "citus_set_default_rebalance_strategy",
    "citus_set_node_property",
    "citus_update_node",
    "create_distributed_function",
    "create_time_partitions",
    "isolate_tenant_to_new_shard",
    "master_add_node",
    "rebalance_table_shards",
    "remove_local_tables_from_metadata",
    "start_metadata_sync_to_all_nodes",
    "start_metadata_sync_to_node",
    "truncate_local_data_after_distributing_table",
];

/// Whether this function changes how tables are distributed.
pub(super) fn is_followed(function: &str) -> bool {
    FOLLOWED.contains(&function)
}

/// Does what the call does. The function has to be one of [`FOLLOWED`].
pub(super) fn apply(schema: &mut Schema, call: &Call) -> Result<(), Problem> {
    let table = table(schema, call)?;
    match call.function.as_str() {
        "create_distributed_table" | "create_distributed_table_concurrently" => {
            distribute(schema, &table, call)
        }
        "create_reference_table" => {
            require_local(schema, &table)?;
            // Asked for here, because a table without known columns cannot be guarded.
            schema.columns(&table)?;
            schema.table_mut(&table)?.placement = Placement::Reference;
            Ok(())
        }
        "citus_add_local_table_to_metadata" => Ok(()),
        "undistribute_table" => undistribute(schema, &table, call),
        "alter_distributed_table" => alter(schema, &table, call),
        "update_distributed_table_colocation" => recolocate(schema, &table, call),
        _ => Err(Problem::Hidden {
            what: format!("function {}", call.function),
        }),
    }
}

fn table(schema: &Schema, call: &Call) -> Result<TableName, Problem> {
    match call
        .string(0, "table_name")?
        .or(call.string(0, "relation")?)
    {
        Some(name) => regclass(schema, name),
        None => Err(Problem::Unread {
            what: format!("the table is missing in {}", call.function),
        }),
    }
}

/// A table's name in a string, as `regclass` reads it.
fn regclass(schema: &Schema, name: &str) -> Result<TableName, Problem> {
    let pieces = split(name)?;
    let [piece] = pieces.as_slice() else {
        return Err(Problem::UnknownTable {
            name: name.to_owned(),
        });
    };
    let mut cursor = Cursor::new(name, &piece.tokens);
    let written = cursor.name()?;
    if !cursor.is_at_end() {
        return Err(Problem::UnknownTable {
            name: name.to_owned(),
        });
    }
    schema.find_table(&written)
}

fn require_local(schema: &Schema, table: &TableName) -> Result<(), Problem> {
    let state = schema.table(table)?;
    if state.parent.is_some() {
        return Err(Problem::Citus {
            what: format!("table {table} is a partition: distribute the partitioned table"),
        });
    }
    match state.placement {
        Placement::Local => Ok(()),
        Placement::Reference | Placement::Distributed { .. } => Err(Problem::Citus {
            what: format!("table {table} is already distributed"),
        }),
    }
}

fn distribute(schema: &mut Schema, table: &TableName, call: &Call) -> Result<(), Problem> {
    require_local(schema, table)?;
    let method = call.string(2, "distribution_type")?.unwrap_or("hash");
    if method != "hash" {
        return Err(Problem::Unsupported {
            what: "a table that is distributed other than by hash",
            fix: "Distribute it by hash of the tenant column.",
        });
    }
    let Some(column) = call.string(1, "distribution_column")? else {
        // A single-shard table: no column says whose rows it holds, so the guard refuses it, as it
        // refuses a local one.
        return Ok(());
    };
    let column = Ident::new(column);
    let shard_count = call
        .number(4, "shard_count")?
        .unwrap_or(schema.colocation.shard_count);
    let colocate_with = call.string(3, "colocate_with")?.unwrap_or("default");
    let group = group(schema, table, &column, shard_count, colocate_with)?;
    schema.table_mut(table)?.placement = Placement::Distributed { column, group };
    Ok(())
}

/// The group that `colocate_with` means.
fn group(
    schema: &mut Schema,
    table: &TableName,
    column: &Ident,
    shard_count: u32,
    colocate_with: &str,
) -> Result<Group, Problem> {
    let known = schema.columns(table)?;
    let Some(state) = known.iter().find(|known| known.name == *column) else {
        return Err(Problem::UnknownColumn {
            table: table.to_string(),
            column: column.to_string(),
        });
    };
    let traits = Traits {
        shard_count,
        tenant_type: tenant_type(&state.data_type),
        collation: state.collation.clone(),
    };
    match colocate_with {
        _ if colocate_with.eq_ignore_ascii_case("default") => {
            Ok(schema.colocation.default_group(traits, table))
        }
        _ if colocate_with.eq_ignore_ascii_case("none") => {
            Ok(schema.colocation.new_group(traits, table))
        }
        other => match &schema.table(&regclass(schema, other)?)?.placement {
            Placement::Distributed { group, .. } => Ok(group.clone()),
            Placement::Local | Placement::Reference => Err(Problem::Citus {
                what: format!("table {other} is not distributed, so none can be colocated with it"),
            }),
        },
    }
}

fn undistribute(schema: &mut Schema, table: &TableName, call: &Call) -> Result<(), Problem> {
    if call.is_true(1, "cascade_via_foreign_keys") {
        return Err(Problem::Unsupported {
            what: "undistributing tables by way of their foreign keys",
            fix: "Call undistribute_table for each table, without cascade_via_foreign_keys.",
        });
    }
    schema.table_mut(table)?.placement = Placement::Local;
    Ok(())
}

fn distribution(schema: &Schema, table: &TableName) -> Result<(Ident, Group), Problem> {
    match &schema.table(table)?.placement {
        Placement::Distributed { column, group } => Ok((column.clone(), group.clone())),
        Placement::Local | Placement::Reference => Err(Problem::Citus {
            what: format!("table {table} is not distributed"),
        }),
    }
}

fn alter(schema: &mut Schema, table: &TableName, call: &Call) -> Result<(), Problem> {
    let (old_column, old_group) = distribution(schema, table)?;
    let column = match call.string(1, "distribution_column")? {
        Some(column) => Ident::new(column),
        None => old_column,
    };
    let shard_count = call
        .number(2, "shard_count")?
        .unwrap_or_else(|| schema.colocation.shard_count(&old_group));
    let colocate_with = call.string(3, "colocate_with")?.unwrap_or("default");
    let moved = group(schema, table, &column, shard_count, colocate_with)?;
    schema.table_mut(table)?.placement = Placement::Distributed {
        column,
        group: moved.clone(),
    };
    if call.is_true(4, "cascade_to_colocated") {
        follow(schema, &old_group, &moved)?;
    }
    Ok(())
}

/// Moves all tables of a group into another.
fn follow(schema: &mut Schema, from: &Group, to: &Group) -> Result<(), Problem> {
    let members: Vec<TableName> = schema
        .tables()
        .filter(|(_, state)| matches!(&state.placement, Placement::Distributed { group, .. } if group == from))
        .map(|(name, _)| name.clone())
        .collect();
    for member in members {
        if let Placement::Distributed { group, .. } = &mut schema.table_mut(&member)?.placement {
            *group = to.clone();
        }
    }
    Ok(())
}

fn recolocate(schema: &mut Schema, table: &TableName, call: &Call) -> Result<(), Problem> {
    let (column, old_group) = distribution(schema, table)?;
    let Some(colocate_with) = call.string(1, "colocate_with")? else {
        return Err(Problem::Unread {
            what: "colocate_with is missing".to_owned(),
        });
    };
    let shard_count = schema.colocation.shard_count(&old_group);
    let group = group(schema, table, &column, shard_count, colocate_with)?;
    schema.table_mut(table)?.placement = Placement::Distributed { column, group };
    Ok(())
}
