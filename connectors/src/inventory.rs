//! The inventory: CSV files in, hosts out; and the kind `inventory`, which lists them.
//!
//! ```text
//! name,addresses,macs,organisation,groups
//! pc-17,10.1.2.17;2001:db8::17,52:54:00:12:34:56,stadt-a,buergerbuero;windows
//! ```
//! Columns are found by their heading, in any order; only `name` must be there. Several values of
//! one cell are parted by `;`. A comma or a semicolon may part the columns.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use beistand_connector_api::{
    ActionName, Answer, BoxFuture, Call, CallError, Connector, ConnectorSpec, EffectClass, Format,
    Inventory, InventoryHost, Offer, Organisation, Probed, Reached, Schema, Span, Target, Value,
};
use serde::Deserialize;
use serde_json::json;

use crate::kit::{Columns, Row, Table, TableError, action};
use crate::{Maker, Settings, SettingsError};

/// The registry's entry.
pub const MAKER: Maker =
    Maker { kind: "inventory", title: "Hosts from CSV files", settings, spec, build };

/// A hundred thousand hosts with room to spare.
const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// More hosts than all municipalities of a Land have.
const HOSTS_MAX: usize = 200_000;
/// The headings there are.
const COLUMNS: Columns = Columns {
    known: &["name", "addresses", "macs", "organisation", "groups"],
    needed: &["name"],
    rows_max: HOSTS_MAX,
};

/// Reads all files into one inventory.
///
/// # Errors
/// The first fault, with its place; a name that stands twice too.
pub fn load(files: &[PathBuf]) -> Result<Inventory, TableError> {
    let mut hosts = Vec::new();
    for file in files {
        hosts.extend(read_file(file)?);
    }
    let wrong = |message: String| TableError {
        file: files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", "),
        line: 0,
        column: 0,
        message,
    };
    if hosts.len() > HOSTS_MAX {
        return Err(wrong(format!("more than {HOSTS_MAX} hosts")));
    }
    Inventory::new(hosts).map_err(|name| wrong(format!("`{name}` stands there twice")))
}

fn read_file(path: &Path) -> Result<Vec<InventoryHost>, TableError> {
    hosts_of(&Table::load(path, FILE_BYTES_MAX, COLUMNS)?)
}

/// Reads the text of one file; `file` is its name in errors.
///
/// # Errors
/// The first fault, with its place.
pub fn read(file: &str, bytes: &[u8]) -> Result<Vec<InventoryHost>, TableError> {
    hosts_of(&Table::read(file, bytes, COLUMNS)?)
}

fn hosts_of(table: &Table) -> Result<Vec<InventoryHost>, TableError> {
    table.rows().map(|row| host(&row)).collect()
}

fn host(row: &Row<'_>) -> Result<InventoryHost, TableError> {
    let (column, name) = row.cell("name");
    let name = name.trim_end_matches('.').to_lowercase();
    if Format::Host.problem(&name).is_some() {
        return Err(row.fault(column, format!("`{name}` is no host name, for example pc-17")));
    }
    let (column, organisation) = row.cell("organisation");
    let organisation: Option<Organisation> = match organisation {
        "" => None,
        text => Some(text.parse().map_err(|error| row.fault(column, format!("{error}")))?),
    };
    let address = |text: &str| text.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    let macs = row.list("macs", mac, "hardware address like 52:54:00:12:34:56")?;
    let groups = row.list("groups", |text| Some(text.to_owned()), "group")?;
    Ok(InventoryHost {
        addresses: row.list("addresses", address, "IP address")?.into_iter().collect(),
        macs: macs.into_iter().collect(),
        groups: groups.into_iter().collect(),
        name,
        organisation,
    })
}

/// `52-54-00-12-34-56`, `5254.0012.3456` and `52:54:00:12:34:56` are one.
fn mac(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
    let digits = digits.to_ascii_lowercase();
    if digits.len() != 12 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pairs: Vec<&str> = (0..12).step_by(2).filter_map(|at| digits.get(at..at + 2)).collect();
    Some(pairs.join(":"))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    files: Vec<PathBuf>,
}

fn settings() -> Schema {
    Schema::object([("files", Schema::array(Schema::string()).titled("CSV files"))])
}

fn spec() -> ConnectorSpec {
    ConnectorSpec {
        kind: MAKER.kind.to_owned(),
        title: MAKER.title.to_owned(),
        source: "RFC 4180".to_owned(),
        offers: vec![Offer {
            action: action("inventory.hosts"),
            class: EffectClass::Read,
            reach: Reached::Effective,
            settle: Span::ZERO,
        }],
    }
}

fn build(settings: &Settings) -> Result<Arc<dyn Connector>, SettingsError> {
    let config: Config = settings.parse()?;
    let inventory =
        load(&config.files).map_err(|error| settings.error("files", error.to_string()))?;
    Ok(listing(Arc::new(inventory)))
}

/// The connector over an inventory that was read already, as `inventory:` of the configuration is.
/// It touches nothing outside, so it serves live incidents and drills alike.
pub fn listing(inventory: Arc<Inventory>) -> Arc<dyn Connector> {
    Arc::new(Listing { spec: spec(), inventory })
}

#[derive(Debug)]
struct Listing {
    spec: ConnectorSpec,
    inventory: Arc<Inventory>,
}

/// The names of the hosts that `inventory.hosts` asks for: its output.
pub(crate) fn list(inventory: &Inventory, arguments: &Value) -> Value {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    let (group, organisation) = (text("group"), text("organisation"));
    let wanted = |host: &&InventoryHost| {
        group.is_none_or(|group| host.groups.contains(group))
            && organisation.is_none_or(|wanted| {
                host.organisation.as_ref().is_some_and(|own| own.as_str() == wanted)
            })
    };
    let hosts: Vec<&str> =
        inventory.hosts().iter().filter(wanted).map(|host| host.name.as_str()).collect();
    json!({ "hosts": hosts })
}

impl Connector for Listing {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn offer(&self, action: &ActionName, _: &Value) -> Option<Offer> {
        self.spec.offer(action).cloned()
    }

    fn destructive(&self, _: &ActionName, _: &Value) -> bool {
        false
    }

    fn goes_to(&self, _: &ActionName, _: &Value) -> Option<Target> {
        None
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Answer, CallError>> {
        Box::pin(async {
            let output = list(&self.inventory, &call.arguments);
            Ok(Answer { output, reached: Reached::Effective })
        })
    }

    fn probe<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Probed> {
        Box::pin(async { Probed::Unknown })
    }

    fn health(&self) -> BoxFuture<'_, Result<String, CallError>> {
        Box::pin(async { Ok(format!("{} hosts", self.inventory.hosts().len())) })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_file_as_excel_saves_it_is_read() {
        let text = "\u{feff}Name;Groups;Addresses;MACs\r\n\
                    PC-17.Example.;\"a; b\";\"10.1.2.17 ;::ffff:10.1.2.18\";52-54-00-12-34-56\r\n";
        let hosts = read("hosts.csv", text.as_bytes()).unwrap();
        let texts = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(hosts[0].name, "pc-17.example");
        assert_eq!(
            hosts[0].addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["10.1.2.17", "10.1.2.18"]
        );
        assert_eq!(texts(&hosts[0].macs), "52:54:00:12:34:56");
        assert_eq!(texts(&hosts[0].groups), "a b");
        assert_eq!(hosts[0].organisation, None);
    }

    #[test]
    fn a_fault_has_a_line_and_a_column() {
        for (text, line, column) in [
            ("name,adresses\n", 1, 2),
            ("addresses\n10.0.0.1\n", 1, 0),
            ("name,name\n", 1, 2),
            ("name,addresses\npc-1,10.0.0.1\npc-2,10.0.0.300\n", 3, 2),
            ("name,macs\npc-1,52:54\n", 2, 2),
            ("name\n-pc\n", 2, 1),
            ("name,macs\npc-1\n", 2, 0),
        ] {
            let error = read("f.csv", text.as_bytes()).unwrap_err();
            assert_eq!((error.line, error.column), (line, column), "{error}");
        }
    }

    #[test]
    fn a_place_that_nobody_could_look_up_is_not_named() {
        let told = |text: &str| read("f.csv", text.as_bytes()).unwrap_err().to_string();
        assert!(told("name,macs\npc-1,52:54\n").starts_with("f.csv:2:2: "));
        assert!(told("addresses\n10.0.0.1\n").starts_with("f.csv:1: "));
        let missing = load(&["/nowhere/f.csv".into()]).unwrap_err().to_string();
        assert!(missing.starts_with("/nowhere/f.csv: could not be read"), "{missing}");
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_over_all_files() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["a.csv", "b.csv"].map(|name| folder.path().join(name));
        for file in &files {
            std::fs::write(file, "name\npc-1\n").unwrap();
        }
        assert!(load(&files).unwrap_err().message.contains("`pc-1` stands there twice"));
        assert!(load(&files[..1]).is_ok());
    }
}
