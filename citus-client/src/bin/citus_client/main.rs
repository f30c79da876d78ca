//! The command `citus-client`: looks at a cluster as the driver sees it.

mod commands;
mod connect;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde_json::Value;

use connect::Connect;

/// Looks at a Citus cluster as the driver sees it: who is in it, which node owns a tenant, and
/// whether the nodes answer.
#[derive(Debug, Parser)]
#[command(name = "citus-client", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  the answer is yes, or there is nothing to say no to
  1  the answer is no: the value has no hash, the table is no tenant table, a node does not answer
  2  wrong usage
  3  the cluster cannot be reached, or does not tell what was asked for";

#[derive(Debug, Subcommand)]
enum Command {
    /// The nodes, the colocation groups and the tenant tables.
    Topology {
        #[command(flatten)]
        connect: Connect,
    },
    /// The node that a tenant's statements on a table go to, and why.
    Route {
        #[command(flatten)]
        connect: Connect,
        /// The table, with or without its schema, as its name is stored.
        #[arg(long)]
        table: String,
        /// The tenant: a literal of the tenant column's type.
        #[arg(long, allow_hyphen_values = true)]
        tenant: String,
    },
    /// The hash of a value, by which Citus finds its shard. Needs no cluster.
    Hash {
        /// The type of the tenant column, such as `bigint`, `uuid` or `text`.
        #[arg(long = "type", value_name = "TYPE")]
        sql_type: String,
        /// The value: a literal of that type. Write `--` before one that begins with a hyphen.
        value: String,
    },
    /// Whether every node answers, and how fast.
    Ping {
        #[command(flatten)]
        connect: Connect,
    },
}

/// What a command found out.
struct Answer {
    json: Value,
    text: String,
    /// Whether the answer is no.
    negative: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let answer = match cli.command {
        Command::Topology { connect } => commands::topology(&connect).await,
        Command::Route {
            connect,
            table,
            tenant,
        } => commands::route(&connect, &table, &tenant).await,
        Command::Hash { sql_type, value } => Ok(commands::hash(&sql_type, &value)),
        Command::Ping { connect } => commands::ping(&connect).await,
    };
    match answer {
        Ok(answer) => {
            if cli.json {
                println!("{}", answer.json);
            } else if answer.negative && !answer.text.contains('\n') {
                eprintln!("{}", answer.text);
            } else {
                println!("{}", answer.text);
            }
            ExitCode::from(u8::from(answer.negative))
        }
        Err(error) => {
            eprintln!("citus-client: {error:#}");
            ExitCode::from(3)
        }
    }
}
