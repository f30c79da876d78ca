//! What each command finds out.

use std::fmt::Write as _;

use citus_client::{TenantId, TenantType, Topology, TopologyKind};
use serde_json::{Value, json};

use crate::Answer;
use crate::connect::Connect;

pub(crate) async fn topology(connect: &Connect) -> anyhow::Result<Answer> {
    let cluster = connect.cluster().await?;
    let (topology, tenancy) = (cluster.topology(), cluster.tenancy());
    let tables: Vec<Value> = tenancy
        .tables()
        .filter_map(|table| {
            let distribution = table.distribution()?;
            Some(json!({
                "table": table.name().to_string(),
                "column": distribution.column.as_str(),
                "type": distribution.tenant_type.as_sql(),
                "colocation": distribution.colocation.as_str(),
            }))
        })
        .collect();
    let json = json!({
        "kind": kind(&topology),
        "nodes": topology.nodes().iter().map(|node| json!({
            "id": node.id(),
            "group": node.group(),
            "host": node.address().host,
            "port": node.address().port,
            "coordinator": node.is_coordinator(),
            "routable": node.is_routable(),
        })).collect::<Vec<_>>(),
        "colocations": topology.colocations().iter().map(|colocation| json!({
            "id": colocation.id(),
            "shards": colocation.shard_count(),
        })).collect::<Vec<_>>(),
        "tables": tables,
        "tenancy": tenancy.fingerprint().to_string(),
    });

    let mut text = format!("{}\n\nnodes", kind(&topology));
    for node in topology.nodes() {
        let role = if node.is_coordinator() {
            "coordinator"
        } else {
            "worker"
        };
        let routable = if node.is_routable() {
            ""
        } else {
            ", gets no tenant's statements"
        };
        write!(
            text,
            "\n  {:>4}  {}  {role}{routable}",
            node.id(),
            node.address()
        )?;
    }
    text.push_str("\n\ntenant tables");
    for table in tenancy.tables() {
        if let Some(distribution) = table.distribution() {
            write!(
                text,
                "\n  {} by {} {}, colocation {}",
                table.name(),
                distribution.column,
                distribution.tenant_type,
                distribution.colocation
            )?;
        }
    }
    Ok(Answer {
        json,
        text,
        negative: false,
    })
}

fn kind(topology: &Topology) -> String {
    match topology.kind() {
        TopologyKind::Citus { version } => format!("Citus {version}"),
        TopologyKind::Fixed => "plain PostgreSQL servers".to_owned(),
        _ => "PostgreSQL without Citus".to_owned(),
    }
}

pub(crate) async fn route(connect: &Connect, table: &str, tenant: &str) -> anyhow::Result<Answer> {
    let cluster = connect.cluster().await?;
    let explained = match cluster.route(table, tenant) {
        Ok(explained) => explained,
        Err(error) => return Ok(no(&error)),
    };
    let shard = match explained.range {
        Some(range) => format!("shard {range}, "),
        None => String::new(),
    };
    let hash = explained
        .hash
        .map_or_else(|| "none".to_owned(), |hash| hash.to_string());
    let text = format!(
        "{} (node {})\n  because {}\n  {}hash {hash} of {} {}, colocation {}",
        explained.node,
        explained.node_id,
        explained.reason,
        shard,
        explained.column,
        explained.tenant_type,
        explained.colocation,
    );
    let json = json!({
        "table": explained.table.to_string(),
        "column": explained.column.as_str(),
        "type": explained.tenant_type.as_sql(),
        "colocation": explained.colocation.as_str(),
        "hash": explained.hash,
        "shard": explained.range.map(|range| json!({"min": range.min, "max": range.max})),
        "node": {
            "id": explained.node_id,
            "host": explained.node.host,
            "port": explained.node.port,
        },
        "reason": explained.reason.as_str(),
    });
    Ok(Answer {
        json,
        text,
        negative: false,
    })
}

pub(crate) fn hash(sql_type: &str, value: &str) -> Answer {
    let tenant_type = TenantType::from_sql(sql_type);
    match TenantId::from(value).hash_as(&tenant_type) {
        Ok(Some(hash)) => Answer {
            json: json!({"type": tenant_type.as_sql(), "hash": hash}),
            text: hash.to_string(),
            negative: false,
        },
        Ok(None) => no(&format!("values of type {tenant_type} are not hashed here")),
        Err(error) => no(&error),
    }
}

pub(crate) async fn ping(connect: &Connect) -> anyhow::Result<Answer> {
    let cluster = connect.cluster().await?;
    let pings = cluster.ping().await;
    let mut text = String::new();
    let mut nodes = Vec::new();
    for ping in &pings {
        let (id, address) = (ping.node.id(), ping.node.address());
        let micros = ping
            .answer
            .as_ref()
            .ok()
            .map(|time| time.as_secs_f64() * 1e6);
        match &ping.answer {
            Ok(time) => writeln!(text, "{id:>4}  {address}  {time:.1?}")?,
            Err(error) => writeln!(text, "{id:>4}  {address}  {error}")?,
        }
        nodes.push(json!({
            "id": id,
            "host": address.host,
            "port": address.port,
            "ok": ping.answer.is_ok(),
            "microseconds": micros,
            "error": ping.answer.as_ref().err().map(ToString::to_string),
        }));
    }
    let negative = pings.iter().any(|ping| ping.answer.is_err());
    let json = json!({"ok": !negative, "nodes": nodes});
    Ok(Answer {
        json,
        text: text.trim_end().to_owned(),
        negative,
    })
}

fn no(why: &dyn std::fmt::Display) -> Answer {
    Answer {
        json: json!({"error": why.to_string()}),
        text: why.to_string(),
        negative: true,
    }
}
