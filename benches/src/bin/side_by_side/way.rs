//! The ways to the rows.

use std::collections::HashMap;

use anyhow::Context as _;
use citus_client::Cluster;
use citus_testkit::TestDatabase;
use serde::Serialize;
use tenant_guard::GuardedSql;
use tokio_postgres::{Client, Statement};

use crate::operation::{Operation, Step};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// tokio-postgres with prepared statements, connected to the coordinator.
    Coordinator,
    /// citus-client.
    Driver,
    /// tokio-postgres with prepared statements, connected to one PostgreSQL without Citus.
    Plain,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::Driver => "citus-client",
            Self::Plain => "plain PostgreSQL",
        }
    }
}

/// A way, of which clients can be made.
pub(crate) struct Way<'a> {
    pub(crate) kind: Kind,
    cluster: &'a Cluster,
    database: &'a TestDatabase,
}

impl<'a> Way<'a> {
    pub(crate) fn new(kind: Kind, cluster: &'a Cluster, database: &'a TestDatabase) -> Self {
        Self {
            kind,
            cluster,
            database,
        }
    }

    pub(crate) async fn client(&self) -> anyhow::Result<AnyClient<'a>> {
        if self.kind == Kind::Driver {
            return AnyClient::driver(self.cluster);
        }
        let client = self.database.connect().await?;
        let mut statements = HashMap::new();
        for sql in Operation::STATEMENTS {
            // All ways run the same guarded text.
            let guarded = self.cluster.guard(sql)?;
            statements.insert(sql, client.prepare(guarded.text()).await?);
        }
        Ok(AnyClient::Bare { client, statements })
    }
}

/// One client of a way.
pub(crate) enum AnyClient<'a> {
    Bare {
        client: Client,
        statements: HashMap<&'static str, Statement>,
    },
    Driver {
        cluster: &'a Cluster,
        statements: HashMap<&'static str, GuardedSql>,
    },
}

impl<'a> AnyClient<'a> {
    fn driver(cluster: &'a Cluster) -> anyhow::Result<Self> {
        let mut statements = HashMap::new();
        for sql in Operation::STATEMENTS {
            statements.insert(sql, cluster.guard(sql)?);
        }
        Ok(Self::Driver {
            cluster,
            statements,
        })
    }

    /// Runs the steps for a tenant; more than one as a transaction.
    pub(crate) async fn run(&self, tenant: i64, steps: &[Step]) -> anyhow::Result<()> {
        match self {
            Self::Bare { client, statements } => {
                let several = steps.len() > 1;
                if several {
                    client.batch_execute("BEGIN").await?;
                }
                for step in steps {
                    let statement = statements.get(step.sql).context("not prepared")?;
                    client.query(statement, &[&step.argument, &tenant]).await?;
                }
                if several {
                    client.batch_execute("COMMIT").await?;
                }
            }
            Self::Driver {
                cluster,
                statements,
            } => {
                let tenant = cluster.tenant(tenant);
                let guarded = |step: &Step| statements.get(step.sql).context("not guarded");
                if let [step] = steps {
                    tenant.query(guarded(step)?, &[&step.argument]).await?;
                    return Ok(());
                }
                let transaction = tenant.begin().await?;
                for step in steps {
                    transaction.query(guarded(step)?, &[&step.argument]).await?;
                }
                transaction.commit().await?;
            }
        }
        Ok(())
    }
}
