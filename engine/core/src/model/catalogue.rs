//! The catalogue: every action there is, fixed once, independent of products.

mod entry;

use std::collections::BTreeMap;

use serde_json::json;

use self::entry::{Entry, cut_and_join, host, state, text};
use super::{ActionName, ActionSpec, Format, Schema, SchemaType, TargetKind, TargetRule};

/// All actions by name.
#[derive(Debug, Clone)]
pub struct Catalogue {
    actions: BTreeMap<ActionName, ActionSpec>,
}

impl Default for Catalogue {
    fn default() -> Self {
        Self::first()
    }
}

impl Catalogue {
    /// The first catalogue, as the language's version 1 knows it.
    pub fn first() -> Self {
        let all = [
            network(),
            endpoint(),
            link(),
            directory(),
            messages(),
            mailbox(),
            tickets(),
            vm(),
            inventory(),
            generic(),
        ];
        let actions = all.into_iter().flatten().map(|spec| (spec.name.clone(), spec)).collect();
        Self { actions }
    }

    /// One action.
    pub fn get(&self, name: &ActionName) -> Option<&ActionSpec> {
        self.actions.get(name)
    }

    /// All actions, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &ActionSpec> {
        self.actions.values()
    }
}

/// The capabilities of a catalogue, in order, without repeats.
pub fn capabilities(catalogue: &Catalogue) -> Vec<String> {
    let mut all: Vec<String> =
        catalogue.iter().map(|spec| spec.name.capability().to_owned()).collect();
    all.dedup();
    all
}

fn network() -> Vec<ActionSpec> {
    let mut actions = cut_and_join(
        "network",
        ["isolate", "release"],
        ("host", TargetKind::Host, host()),
        ["isolated", "open"],
    );
    let address = || Schema::format(Format::Address);
    actions.push(
        Entry::new(
            "network.block",
            "Block an address",
            "Block {address} at the firewall. Note until when.",
        )
        .takes([
            ("address", address()),
            ("for", Schema::format(Format::Duration).optional()),
            ("until", Schema::format(Format::DateTime).optional()),
        ])
        .gives([("state", state(&["blocked", "open"]))])
        .on("address", TargetKind::Address)
        .hurts()
        .undone_by("network.unblock", "address")
        .into(),
    );
    actions.push(
        Entry::new(
            "network.unblock",
            "Unblock an address",
            "Take the block of {address} out of the firewall.",
        )
        .takes([("address", address())])
        .gives([("state", state(&["blocked", "open"]))])
        .on("address", TargetKind::Address)
        .into(),
    );
    actions
}

fn endpoint() -> Vec<ActionSpec> {
    cut_and_join(
        "endpoint",
        ["isolate", "release"],
        ("host", TargetKind::Host, host()),
        ["isolated", "open"],
    )
}

fn link() -> Vec<ActionSpec> {
    cut_and_join("link", ["cut", "restore"], ("link", TargetKind::Link, text()), ["cut", "up"])
}

fn directory() -> Vec<ActionSpec> {
    let account = || Schema::format(Format::Account);
    let enabled = || [("enabled", Schema::of(SchemaType::Boolean))];
    vec![
        Entry::new(
            "directory.find",
            "Look up an account",
            "Look {account} up in the directory: enabled, last logon, groups.",
        )
        .takes([("account", account())])
        .gives([
            ("found", Schema::of(SchemaType::Boolean)),
            ("enabled", Schema::of(SchemaType::Boolean).optional()),
            ("groups", Schema::array(text()).optional()),
        ])
        .into(),
        Entry::new(
            "directory.disable_account",
            "Disable an account",
            "Disable {account} in the directory.",
        )
        .takes([("account", account()), ("reason", text().optional())])
        .gives(enabled())
        .on("account", TargetKind::Account)
        .hurts()
        .undone_by("directory.enable_account", "account")
        .into(),
        Entry::new(
            "directory.enable_account",
            "Enable an account",
            "Enable {account} in the directory.",
        )
        .takes([("account", account())])
        .gives(enabled())
        .on("account", TargetKind::Account)
        .into(),
        Entry::new(
            "directory.revoke_sessions",
            "End all sessions of an account",
            "End all sessions and tokens of {account}.",
        )
        .takes([("account", account())])
        .gives([("revoked", Schema::of(SchemaType::Boolean))])
        .on("account", TargetKind::Account)
        .hurts()
        .into(),
        Entry::new(
            "directory.reset_password",
            "Reset a password",
            "Reset the password of {account} to a long random one; hand it over in person.",
        )
        .takes([("account", account())])
        .gives([("reset", Schema::of(SchemaType::Boolean))])
        .on("account", TargetKind::Account)
        .hurts()
        .into(),
    ]
}

fn messages() -> Vec<ActionSpec> {
    let addresses =
        || Schema { min_items: Some(1), ..Schema::array(Schema::format(Format::Email)) };
    let attachment = Schema::object([
        ("name", Schema::format(Format::File)),
        ("type", text().optional()),
        ("text", text()),
    ]);
    let sent = || [("message_id", text())];
    vec![
        Entry::new(
            "mail.send",
            "Send a mail",
            "Send a mail to {to}, subject: {subject}. Text: {text}",
        )
        .takes([
            ("to", addresses()),
            ("cc", Schema::array(Schema::format(Format::Email)).optional()),
            ("subject", text()),
            ("text", text()),
            ("html", text().optional()),
            ("attachments", Schema::array(attachment).optional()),
        ])
        .gives(sent())
        .harmless_twice()
        .into(),
        Entry::new("chat.post", "Post to a chat room", "Post to {room}: {text}")
            .takes([("room", text()), ("text", text())])
            .gives(sent())
            .harmless_twice()
            .into(),
        Entry::new("sms.send", "Send a text message", "Send a text message to {to}: {text}")
            .takes([("to", Schema::array(text())), ("text", text())])
            .gives(sent())
            .harmless_twice()
            .into(),
    ]
}

fn mailbox() -> Vec<ActionSpec> {
    let query = || [("mailbox", text()), ("query", text())];
    vec![
        Entry::new(
            "mailbox.search",
            "Search a mailbox",
            "Search {mailbox} for: {query}. Count what you find.",
        )
        .takes(query())
        .gives([
            ("count", Schema::of(SchemaType::Integer)),
            ("ids", Schema::array(text()).optional()),
        ])
        .into(),
        Entry::new(
            "mailbox.purge",
            "Remove mails from a mailbox",
            "Remove from {mailbox} what matches: {query}. Keep a copy as evidence.",
        )
        .takes(query())
        .gives([("count", Schema::of(SchemaType::Integer))])
        .on("mailbox", TargetKind::Mailbox)
        .hurts()
        .into(),
    ]
}

fn tickets() -> Vec<ActionSpec> {
    vec![
        Entry::new("ticket.open", "Open a ticket", "Open a ticket: {title}. Text: {text}")
            .takes([("title", text()), ("text", text()), ("queue", text().optional())])
            .gives([("id", text())])
            .into(),
        Entry::new("ticket.comment", "Comment on a ticket", "Add to ticket {id}: {text}")
            .takes([("id", text()), ("text", text())])
            .gives([("id", text())])
            .into(),
    ]
}

fn vm() -> Vec<ActionSpec> {
    let output = || [("state", state(&["connected", "disconnected"]))];
    vec![
        Entry::new(
            "vm.disconnect",
            "Take a VM off the network",
            "Disconnect the network adapters of {vm}. Leave it running.",
        )
        .takes([("vm", text())])
        .gives(output())
        .on("vm", TargetKind::Vm)
        .hurts()
        .undone_by("vm.connect", "vm")
        .into(),
        Entry::new(
            "vm.connect",
            "Join a VM to the network again",
            "Connect the network adapters of {vm} again.",
        )
        .takes([("vm", text())])
        .gives(output())
        .on("vm", TargetKind::Vm)
        .into(),
        Entry::new(
            "vm.snapshot",
            "Take a snapshot of a VM",
            "Take a snapshot of {vm} with memory. Note its name.",
        )
        .takes([("vm", text()), ("name", text().optional())])
        .gives([("snapshot", text())])
        .into(),
        Entry::new("vm.list", "List VMs", "List the virtual machines that match: {filter}.")
            .takes([("filter", text().optional())])
            .gives([("vms", Schema::array(text()))])
            .into(),
    ]
}

fn inventory() -> Vec<ActionSpec> {
    vec![
        Entry::new(
            "inventory.hosts",
            "List hosts of the inventory",
            "List the hosts of group {group}.",
        )
        .takes([
            ("group", text().optional()),
            ("organisation", Schema::format(Format::Organisation).optional()),
        ])
        .gives([("hosts", Schema::array(host()))])
        .into(),
    ]
}

fn generic() -> Vec<ActionSpec> {
    let any = Schema::default;
    let listed_targets = || {
        let kinds: Vec<&str> = TargetKind::ALL.iter().map(|kind| kind.as_str()).collect();
        Schema::array(Schema::object([("kind", Schema::one_of(&kinds)), ("value", text())]))
            .optional()
    };
    let flag = || Schema { default: Some(json!(false)), ..Schema::of(SchemaType::Boolean) };
    let codes = || Schema::array(Schema::of(SchemaType::Integer)).optional();
    let listed = |entry: Entry| {
        let mut spec: ActionSpec = entry.into();
        spec.targets.push(TargetRule::Listed { argument: "targets".to_owned() });
        spec
    };
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    vec![
        listed(
            Entry::new(
                "http.request",
                "Send an HTTP request",
                "Send {method} to {url}. Note status and answer.",
            )
            .takes([
                ("method", Schema::one_of(&methods)),
                ("url", any()),
                ("headers", Schema::of(SchemaType::Object).optional()),
                ("body", any().optional()),
                ("idempotent", flag()),
                ("expect", codes()),
                ("targets", listed_targets()),
                ("untargeted", flag()),
            ])
            .gives([
                ("status", Schema::of(SchemaType::Integer)),
                ("headers", Schema::of(SchemaType::Object)),
                ("body", any()),
            ]),
        ),
        listed(
            Entry::new(
                "ssh.run",
                "Run a command over SSH",
                "Run on {host}: {command}. Note status and output.",
            )
            .takes([
                ("host", host().optional()),
                ("command", Schema { min_items: Some(1), ..Schema::array(text()) }),
                ("stdin", text().optional()),
                ("idempotent", flag()),
                ("expect", codes()),
                ("targets", listed_targets()),
                ("untargeted", flag()),
            ])
            .gives([
                ("status", Schema::of(SchemaType::Integer)),
                ("stdout", text()),
                ("stderr", text()),
            ])
            .going_to("host"),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_undo_and_every_previous_names_an_action_with_those_arguments() {
        let catalogue = Catalogue::first();
        assert!(catalogue.iter().count() > 25);
        for spec in catalogue.iter() {
            if let Some(undo) = &spec.undo {
                let by = catalogue.get(&undo.action).expect("the undo exists");
                let takes = by.arguments.properties.as_ref().unwrap();
                assert!(
                    undo.arguments.iter().all(|name| takes.contains_key(name)),
                    "{}",
                    spec.name
                );
            }
            if let Some(previous) = &spec.previous {
                assert!(catalogue.get(previous).is_some_and(|spec| !spec.destructive));
            }
            assert!(!spec.destructive || !spec.targets.is_empty(), "{} hurts whom?", spec.name);
        }
    }
}
