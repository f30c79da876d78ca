use std::error::Error;

use citus_testkit::TestCluster;

#[tokio::test]
async fn a_cluster_answers_on_every_node() -> Result<(), Box<dyn Error>> {
    let cluster = TestCluster::start().await?;
    assert_eq!(cluster.workers().len(), 2);
    for node in cluster.nodes() {
        let client = node.connect().await?;
        let row = client.query_one("SELECT 1", &[]).await?;
        assert_eq!(row.get::<_, i32>(0), 1);
    }
    let database = cluster.create_database().await?;
    database.migrate("CREATE TABLE t (tenant_id bigint); SELECT create_distributed_table('t', 'tenant_id'); INSERT INTO t VALUES (1)").await?;
    println!("{} {:?}", cluster.backend(), database.node_urls());
    Ok(())
}
