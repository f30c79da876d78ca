//! What the doctor finds in one schema that has a bit of everything, and in a sound one.

use citus_testkit::TestCluster;
use tenant_guard::doctor::{Code, Exceptions, SchemaFacts, examine};
use tenant_guard::{Table, Tenancy, TenantType};

use super::{facts, found, plain};

#[tokio::test]
async fn each_object_is_found_once_and_under_its_name() {
    let schema = r#"
        CREATE FUNCTION "Odd"(bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT $1';
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE FUNCTION same(bigint, text) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
        CREATE TABLE projects (tenant_id bigint NOT NULL, id bigint, PRIMARY KEY (tenant_id, id));
        CREATE TABLE tasks (
            tenant_id bigint NOT NULL, id bigint, project_id bigint, during int4range, at date NOT NULL,
            title text DEFAULT upper('x'), double bigint GENERATED ALWAYS AS ("Odd"(id)) STORED,
            PRIMARY KEY (tenant_id, id, at),
            FOREIGN KEY (tenant_id, project_id) REFERENCES projects,
            CONSTRAINT odd CHECK ("Odd"(id) > 0 AND title <> ':funcid 1299')
        ) PARTITION BY RANGE (at);
        CREATE TABLE tasks_2024 PARTITION OF tasks FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE UNIQUE INDEX tasks_lower ON tasks_2024 (lower(title));
        CREATE INDEX tasks_odd ON tasks ((id / "Odd"(2)));
        ALTER TABLE tasks_2024 ADD EXCLUDE USING gist (during WITH &&);
        CREATE TRIGGER touch BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION touch();
        CREATE VIEW titles AS SELECT title FROM tasks;
        CREATE VIEW long_titles AS SELECT * FROM titles WHERE length(title) > 5;
        CREATE CAST (bigint AS box) WITH INOUT;
        CREATE FUNCTION to_circle(bigint) RETURNS circle LANGUAGE sql AS $$SELECT '((0,0),1)'::circle$$;
        CREATE CAST (bigint AS circle) WITH FUNCTION to_circle(bigint);
        CREATE OPERATOR = (LEFTARG = bigint, RIGHTARG = text, FUNCTION = same);
        CREATE OPERATOR === (LEFTARG = bigint, RIGHTARG = text, FUNCTION = same);
    "#;
    let tenant =
        |name| Table::distributed(name, "tenant_id", TenantType::Int8).columns(["tenant_id", "id"]);
    let tenancy = Tenancy::builder()
        .tables([tenant("projects"), tenant("tasks"), tenant("tasks_2024")])
        .build()
        .unwrap();
    let test = plain().await.create_database().await.unwrap();
    test.migrate(schema).await.unwrap();
    let facts = facts(&test.connect().await.unwrap()).await;
    let report = examine(&facts, &tenancy, &Exceptions::default());
    let expected = [
        (
            Code::KeyWithoutTenant,
            "public.tasks_2024.tasks_2024_during_excl",
        ),
        (Code::KeyWithoutTenant, "public.tasks_2024.tasks_lower"),
        (Code::Shadowing, "cast bigint -> circle"),
        (Code::Shadowing, "operator public.="),
        (Code::Trigger, "public.tasks.touch"),
        (Code::UnsafeExpression, "public.tasks.double"),
        (Code::UnsafeExpression, "public.tasks.odd"),
        (Code::UnsafeExpression, "public.tasks.tasks_odd"),
        (Code::UnsafeExpression, "public.tasks_2024.double"),
        (Code::UnsafeExpression, "public.tasks_2024.odd"),
        (
            Code::UnsafeExpression,
            "public.tasks_2024.tasks_2024_expr_idx",
        ),
        (Code::ViewOverTenants, "public.long_titles"),
        (Code::ViewOverTenants, "public.titles"),
    ];
    assert_eq!(found(&report), expected, "{report}");

    let exceptions = Exceptions::default()
        .allow_function("Odd")
        .allow(Code::Trigger, Some("public.tasks.touch"), "reads nothing")
        .allow(Code::Trigger, Some("public.tasks.other"), "reads nothing")
        .allow(Code::KeyWithoutTenant, None, "looked at")
        .allow(Code::Shadowing, None, "looked at");
    let report = examine(&facts, &tenancy, &exceptions);
    let notes = [
        (Code::ViewOverTenants, "public.long_titles"),
        (Code::ViewOverTenants, "public.titles"),
    ];
    assert_eq!(found(&report), notes, "{report}");
    assert_eq!(report.allowed().len(), 5);
    assert_eq!(report.unused_exceptions(), ["TD010:public.tasks.other"]);
}

const SOUND: &str = "
    CREATE TABLE projects (tenant_id bigint NOT NULL, id bigint NOT NULL, PRIMARY KEY (tenant_id, id));
    CREATE TABLE tasks (
        tenant_id bigint NOT NULL, id bigint NOT NULL, project_id bigint, country text,
        at timestamptz DEFAULT now(), title text CHECK (length(title) < 100),
        PRIMARY KEY (tenant_id, id)
    );
    CREATE TABLE countries (code text PRIMARY KEY);
    SELECT create_distributed_table('projects', 'tenant_id');
    SELECT create_distributed_table('tasks', 'tenant_id', colocate_with => 'projects');
    SELECT create_reference_table('countries');
    ALTER TABLE tasks ADD FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id);
    ALTER TABLE tasks ADD FOREIGN KEY (country) REFERENCES countries (code);
";

/// On Citus, its own triggers, shards and catalogs are no findings.
#[tokio::test]
async fn a_sound_schema_has_no_finding() {
    let cluster = TestCluster::shared().await.unwrap();
    let test = cluster.create_database().await.unwrap();
    test.migrate(SOUND).await.unwrap();
    let tenancy = Tenancy::from_sql(SOUND).unwrap();
    for node in test.nodes() {
        let facts = facts(&node.connect().await.unwrap()).await;
        assert_eq!(facts.citus.is_some(), test.is_citus());
        let report = examine(&facts, &tenancy, &Exceptions::default());
        assert_eq!(found(&report), [], "{report}");
        if test.is_citus() {
            let live = facts.tenancy().unwrap();
            let report = examine(&facts, &live, &Exceptions::default());
            assert_eq!(found(&report), [], "{report}");
            let kinds = |tenancy: &Tenancy| {
                let tables = tenancy.tables();
                tables
                    .map(|table| {
                        (
                            table.name().clone(),
                            table.distribution().map(|by| by.column.clone()),
                        )
                    })
                    .collect::<Vec<_>>()
            };
            assert_eq!(kinds(&live), kinds(&tenancy));
        }
    }
}

#[tokio::test]
async fn citus_and_the_tenancy_are_compared() {
    let cluster = TestCluster::shared().await.unwrap();
    if !cluster.is_citus() {
        println!("left out: Citus is not installed");
        return;
    }
    let test = cluster.create_database().await.unwrap();
    test.migrate(SOUND).await.unwrap();
    let facts = facts(&test.connect().await.unwrap()).await;
    let tenancy = Tenancy::builder()
        .table(Table::reference("projects").columns(["tenant_id", "id"]))
        .table(Table::distributed("tasks", "id", TenantType::Int8).columns(["tenant_id", "id"]))
        .table(
            Table::distributed("countries", "code", TenantType::Text)
                .columns(["code"])
                .colocated_with("countries"),
        )
        .build()
        .unwrap();
    let report = examine(&facts, &tenancy, &Exceptions::default());
    let disagreements: Vec<&str> = report
        .findings()
        .iter()
        .filter(|finding| finding.code() == Code::Disagreement)
        .map(tenant_guard::doctor::Finding::message)
        .collect();
    assert_eq!(
        disagreements,
        [
            "the tenancy takes it for distributed by code, and it is a reference table",
            "the tenancy takes it for a reference table, and it is distributed by tenant_id",
            "the tenancy takes it for distributed by id, and it is distributed by tenant_id",
        ]
    );
}

/// A role that may do nothing reads the same facts.
#[tokio::test]
async fn a_plain_role_is_told_everything() {
    let test = plain().await.create_database().await.unwrap();
    test.migrate(SOUND).await.unwrap();
    let client = test.connect().await.unwrap();
    let all = facts(&client).await;
    let role = format!("doctor_{}", test.name());
    client
        .batch_execute(&format!("CREATE ROLE {role}; SET ROLE {role}"))
        .await
        .unwrap();
    let told: SchemaFacts = facts(&client).await;
    client
        .batch_execute(&format!("RESET ROLE; DROP ROLE {role}"))
        .await
        .unwrap();
    assert_eq!(told, all);
    assert_eq!(told.relations.len(), 3);
}
