//! A cluster that runs already.

use std::env;

use crate::StartError;
use crate::address::Address;
use crate::citus::{self, Peer};
use crate::connect::connect;
use crate::nodes::Nodes;

/// Names the running cluster: the coordinator's URL, optionally followed by the URL of each
/// worker, separated by blanks, for clusters whose nodes know each other by names that this
/// machine can't resolve, and for several plain servers.
pub(crate) const VARIABLE: &str = "CITUS_TEST_URL";

pub(crate) struct External {
    pub(crate) nodes: Nodes<Address>,
    pub(crate) is_citus: bool,
}

/// The value of the variable, unless it is empty.
pub(crate) fn url() -> Option<String> {
    env::var(VARIABLE).ok().filter(|url| !url.trim().is_empty())
}

/// Asks the coordinator for the other nodes.
pub(crate) async fn discover(url: &str) -> Result<External, StartError> {
    let given = parsed(url)?;
    let coordinator = &given.coordinator;
    let client = connect(coordinator, &coordinator.database).await?;
    if citus::version(&client, coordinator).await?.is_none() {
        return Ok(External {
            nodes: given,
            is_citus: false,
        });
    }
    if citus::local_group(&client, coordinator).await? != 0 {
        return Err(unusable("it names a worker, not the coordinator"));
    }
    let peers = citus::peers(&client, coordinator).await?;
    Ok(External {
        nodes: matched(given, &peers)?,
        is_citus: true,
    })
}

fn parsed(urls: &str) -> Result<Nodes<Address>, StartError> {
    let mut addresses = urls.split_whitespace().map(|url| {
        Address::parse(url).ok_or_else(|| {
            unusable("each part must be postgresql://user@host:port/database with one host")
        })
    });
    let coordinator = addresses.next().ok_or(StartError::UrlMissing)??;
    Ok(Nodes {
        coordinator,
        workers: addresses.collect::<Result<_, _>>()?,
    })
}

/// Joins the URLs that were given with what the nodes call each other.
fn matched(given: Nodes<Address>, peers: &[Peer]) -> Result<Nodes<Address>, StartError> {
    let Nodes {
        mut coordinator,
        mut workers,
    } = given;
    let (coordinators, peers): (Vec<_>, Vec<_>) = peers.iter().partition(|peer| peer.group == 0);
    if workers.is_empty() {
        workers = peers
            .iter()
            .map(|peer| Address {
                host: peer.host.clone(),
                port: peer.port,
                ..coordinator.clone()
            })
            .collect();
    }
    if workers.len() != peers.len() {
        return Err(unusable(&format!(
            "it names {} workers and pg_dist_node has {}",
            workers.len(),
            peers.len()
        )));
    }
    let addresses = std::iter::once(&mut coordinator).zip(coordinators);
    for (address, peer) in addresses.chain(workers.iter_mut().zip(peers)) {
        address.peer_host.clone_from(&peer.host);
        address.peer_port = peer.port;
    }
    Ok(Nodes {
        coordinator,
        workers,
    })
}

fn unusable(reason: &str) -> StartError {
    StartError::Url {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(group: i32, host: &str, port: u16) -> Peer {
        Peer {
            group,
            host: host.to_owned(),
            port,
        }
    }

    fn clients_and_peers(nodes: &Nodes<Address>) -> Vec<String> {
        nodes
            .iter()
            .map(|n| format!("{n} {}:{}", n.peer_host, n.peer_port))
            .collect()
    }

    #[test]
    fn workers_are_found_through_the_coordinator() {
        let peers = [
            peer(0, "coord", 5432),
            peer(1, "w1", 5432),
            peer(2, "w2", 6000),
        ];
        let nodes = matched(parsed("postgresql://u@localhost:7000/d").unwrap(), &peers).unwrap();
        assert_eq!(
            clients_and_peers(&nodes),
            [
                "localhost:7000 coord:5432",
                "w1:5432 w1:5432",
                "w2:6000 w2:6000"
            ]
        );
        assert!(
            nodes
                .iter()
                .all(|node| node.user == "u" && node.database == "d")
        );
    }

    #[test]
    fn given_urls_of_workers_win() {
        let peers = [peer(1, "w1", 5432)];
        let urls = "postgresql://u@localhost:7000/d postgresql://u@localhost:7001/d";
        let nodes = matched(parsed(urls).unwrap(), &peers).unwrap();
        assert_eq!(
            clients_and_peers(&nodes),
            ["localhost:7000 localhost:7000", "localhost:7001 w1:5432"]
        );
    }

    #[test]
    fn a_wrong_number_of_urls_is_refused() {
        let urls = "postgresql://u@localhost:7000/d postgresql://u@localhost:7001/d";
        assert!(matched(parsed(urls).unwrap(), &[]).is_err());
    }
}
