//! Clusters of local PostgreSQL processes.

mod account;
pub(crate) mod configuration;
mod installation;
mod place;
pub(crate) mod port;
mod process_tree;
mod server;
mod template;
pub(crate) mod watchdog;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use tempfile::TempDir;
use tokio::task::JoinSet;

use self::account::Account;
pub(crate) use self::installation::Installation;
pub(crate) use self::server::{Server, Stop};
pub(crate) use self::template::CITUS_DATABASE;
use self::watchdog::Watchdog;
use crate::StartError;
use crate::nodes::Nodes;

/// The directory of a cluster. To be dropped after its servers.
#[derive(Debug)]
pub(crate) struct Home {
    // Removed first: the watchdog ends at once when the directory is gone.
    directory: TempDir,
    _watchdog: Watchdog,
}

impl Home {
    fn new(account: Account) -> Result<Self, StartError> {
        let parent = place::for_clusters(account);
        let directory = tempfile::Builder::new()
            .prefix("citus-testkit-")
            .tempdir_in(&parent)
            .map_err(StartError::io("create a directory in", &parent))?;
        account.own(directory.path())?;
        let watchdog =
            Watchdog::over(directory.path()).map_err(StartError::io("run", "/bin/sh"))?;
        Ok(Self {
            directory,
            _watchdog: watchdog,
        })
    }
}

/// Starts a coordinator and that many workers, at the same time.
pub(crate) async fn start(
    installation: &Installation,
    citus: bool,
    workers: usize,
    settings: &[(String, String)],
) -> Result<(Nodes<Server>, Home), StartError> {
    let custom = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let custom = configuration::lines(custom)?;
    let account = Account::for_servers()?;
    let template = template::template(installation, citus, account).await?;
    // After the template: what ends early below takes the servers along, in this order.
    let home = Home::new(account)?;
    let start = |index| {
        let home = home.directory.path().join(format!("node{index}"));
        let (template, custom) = (template.clone(), custom.clone());
        let mut server = Server::new(installation.program("postgres"), account, &home);
        async move {
            prepare(&template, &home, account, &custom).await?;
            server.start_on_a_free_port().await?;
            Ok::<_, StartError>((index, server))
        }
    };
    let mut starting = JoinSet::new();
    for index in 1..=workers {
        starting.spawn(start(index));
    }
    let (_, coordinator) = start(0).await?;
    let mut workers = Vec::with_capacity(workers);
    while let Some(started) = starting.join_next().await {
        let started = started.map_err(std::io::Error::other);
        workers.push(started.map_err(StartError::io("start a server in", home.directory.path()))??);
    }
    workers.sort_by_key(|(index, _)| *index);
    let workers = workers.into_iter().map(|(_, server)| server).collect();
    Ok((
        Nodes {
            coordinator,
            workers,
        },
        home,
    ))
}

async fn prepare(
    template: &Path,
    home: &Path,
    account: Account,
    custom: &str,
) -> Result<(), StartError> {
    DirBuilder::new()
        .mode(0o700)
        .create(home)
        .map_err(StartError::io("create", home))?;
    account.own(home)?;
    let data = home.join("data");
    template::spawn_copy(template.to_owned(), data.clone(), account).await?;
    template::append(&data.join("postgresql.conf"), custom)
}
