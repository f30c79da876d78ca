//! Clusters of local PostgreSQL processes.

mod account;
pub(crate) mod configuration;
mod home;
mod installation;
mod place;
pub(crate) mod port;
mod process_tree;
mod server;
mod template;
pub(crate) mod watchdog;

use tokio::task::JoinSet;

use self::account::Account;
pub(crate) use self::home::Home;
pub(crate) use self::installation::Installation;
pub(crate) use self::port::Reservation;
pub(crate) use self::server::{Server, Stop};
pub(crate) use self::template::CITUS_DATABASE;
use crate::StartError;
use crate::nodes::Nodes;

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
        let home = home.node(&format!("node{index}"));
        let (template, custom) = (template.clone(), custom.clone());
        let postgres = installation.program("postgres");
        async move {
            let home = home?;
            let data = home.join("data");
            template::spawn_copy(template, data.clone(), account).await?;
            template::append(&data.join("postgresql.conf"), &custom)?;
            let mut server = Server::new(postgres, account, &home);
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
        workers.push(started.map_err(StartError::io("start a server in", home.path()))??);
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
