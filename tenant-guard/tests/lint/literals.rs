#!/usr/bin/env run-cargo-script
//! Every way to write a text.

fn literals(client: &Client) {
    client.query(r"SELECT id FROM nope", &[]); //~ TG006
    client.query(r##"SELECT id, '"#' FROM nope"##, &[]); //~ TG006
    client.query("SELECT id, \"title\" FROM \u{6e}ope", &[]); //~ TG006
    client.query("SELECT id \
                  FROM nope", &[]); //~ TG006
    client.query("
        SELECT id, 'ä表\u{1f980}' -- a comment in SQL
        FROM nope --~ TG006
    ", &[]);
    client.query(
        r#"
        SELECT id
        FROM nope --~ TG006
        "#,
        &[],
    );
    client.query(concat!("SELECT id", "\n", "FROM nope"), &[]); //~ TG006
    client.query(concat!("SELECT id FROM ", table!()), &[]); //~ unchecked
    client.query(&"SELECT id FROM nope".to_owned(), &[]); //~ TG006
    client.query(&String::from("SELECT id FROM nope"), &[]); //~ TG006
    client.query(indoc! {"
        SELECT id
        FROM nope --~ TG006
    "}, &[]);
    client.query(("SELECT id FROM nope"), &[]); //~ TG006
    client.query(&format!("SELECT id FROM nope"), &[]); //~ TG006
    client.query(&format!("SELECT id FROM {table}"), &[]); //~ unchecked
    client.query(&format!("SELECT id FROM {}", table), &[]); //~ unchecked
    client.query(b"SELECT id FROM nope", &[]); //~ unchecked
    client.query(&("SELECT id FROM ".to_owned() + table), &[]); //~ unchecked
    client.query(include_str!("queries/nope.sql"), &[]);
    client.query(include_str!("queries/missing.sql"), &[]); //~ unreadable
}
