//! A proxy before each node.

use citus_testkit::Direction;
use tokio_postgres::NoTls;

use crate::support::{Result, connect_to, hangs, postgres};

#[tokio::test]
async fn each_node_is_behind_a_proxy_of_its_own() -> Result {
    let cluster = postgres().await?;
    let database = cluster.create_database().await?;
    let proxied = cluster.proxied().await?;
    let urls = proxied.node_urls(&database);
    assert_eq!((urls.len(), &urls[0]), (3, &proxied.url(&database)));
    for (url, node) in urls.iter().zip(database.nodes()) {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        let sql = "SELECT inet_server_port(), current_database()";
        let row = client.query_one(sql, &[]).await?;
        assert_eq!(row.get::<_, i32>(0), i32::from(node.port()));
        assert_eq!(row.get::<_, &str>(1), database.name());
    }
    proxied.workers()[1].black_hole(Direction::Both);
    let (worker, other) = (proxied.node(2).unwrap(), proxied.node(1).unwrap());
    hangs(connect_to(worker)).await;
    connect_to(other).await?;
    Ok(())
}

#[tokio::test]
async fn the_addresses_of_nodes_are_those_of_their_proxies() -> Result {
    let cluster = postgres().await?;
    let proxied = cluster.proxied().await?;
    let addresses = proxied.addresses();
    for (node, proxy) in cluster.nodes().zip(proxied.nodes()) {
        let (host, port) = addresses.translate(node.host(), node.port());
        assert_eq!((host.as_str(), port), ("127.0.0.1", proxy.port()));
        assert_eq!(proxied.on_port(port).unwrap().address(), proxy.address());
    }
    let elsewhere = addresses.translate("db.example", 5432);
    assert_eq!(elsewhere, ("db.example".to_owned(), 5432));
    Ok(())
}
