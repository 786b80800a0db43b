//! The store on a PostgreSQL server somewhere else: over TLS, and with a witness at home.

use std::fs;

use beistand_tests::postgres_tls::TlsServer;
use serde_json::json;

use crate::desk::Desk;

#[test]
fn a_store_on_a_server_is_reached_over_tls_and_only_under_its_own_certificate() {
    let server = TlsServer::start().unwrap();
    let authority = server.authority();
    let full = format!("sslmode=verify-full&sslrootcert={}", authority.display());
    let open = |desk: &Desk, options: &str| {
        desk.done(&["incident", "open", "Night", "--store", &server.url(options)])
    };
    let desk = Desk::new();
    desk.configure(&json!({}));
    open(&desk, &full).expect_code(0).unwrap();
    open(&desk, "sslmode=require").expect_code(0).unwrap();
    assert_eq!(server.sql("select count(*) from incident").unwrap(), "2");
    desk.ok(0, &["verify", "--store", &server.url(&full)]);

    // Another authority vouches for nothing here, and in the clear the server does not listen.
    fs::write(desk.path("other.pem"), fs::read(server.certificate()).unwrap()).unwrap();
    let other = format!("sslmode=verify-full&sslrootcert={}", desk.path("other.pem").display());
    for refused in [other.as_str(), "sslmode=verify-full", "sslmode=disable"] {
        let ended = open(&desk, refused);
        ended.expect_code(69).unwrap_or_else(|trouble| panic!("{refused}: {trouble}"));
    }
    assert_eq!(server.sql("select count(*) from incident").unwrap(), "2");
}

/// Beside the configuration, because a server has no place beside its database that we could use.
#[test]
fn an_older_store_on_a_server_is_noticed_by_the_witness_beside_the_configuration() {
    let server = TlsServer::start().unwrap();
    let url = server.url("sslmode=require");
    let desk = Desk::new();
    desk.ok(0, &["incident", "open", "Nobody watches", "--store", &url]);
    let ended = desk.done(&["verify", "--store", &url]);
    ended.expect_code(0).unwrap();
    assert!(ended.stderr.contains("no witness"), "{}", ended.stderr);

    desk.configure(&json!({}));
    desk.ok(0, &["incident", "open", "Watched", "--store", &url]);
    assert!(desk.path("postgres.witness").exists(), "named after the database");
    server
        .sql(
            "create table kept_entry as select * from entry;
             create table kept_stream as select * from stream;
             create table kept_incident as select * from incident",
        )
        .unwrap();
    desk.ok(0, &["incident", "open", "Forgotten", "--store", &url]);
    desk.ok(0, &["verify", "--store", &url]);
    server
        .sql(
            "delete from entry; insert into entry select * from kept_entry;
             delete from stream; insert into stream select * from kept_stream;
             delete from incident; insert into incident select * from kept_incident",
        )
        .unwrap();
    desk.ok(10, &["verify", "--store", &url]);
    let refused = desk.done(&["incident", "open", "Next", "--store", &url]);
    refused.expect_code(7).unwrap();
    assert!(refused.stderr.contains("postgres.witness"), "{}", refused.stderr);
}
