//! What an incident is about: hosts, accounts, lines, and how far each is cleared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Event, Head};
use crate::model::{AssetName, IdError, Inventory, Organisation, TargetKind, words};
use crate::run::Actor;

words! {
    /// How an asset stands.
    AssetState = "asset state" {
        /// It may be concerned.
        Suspected = "suspected",
        /// It is.
        Affected = "affected",
        /// It is, and can do no more harm.
        Contained = "contained",
        /// It is clean.
        Cleared = "cleared",
    }
}

/// Something an incident is about, in its newest state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// What kind of thing.
    pub kind: TargetKind,
    /// Its name or address.
    pub value: String,
    /// Whose it is, where known.
    pub organisation: Option<Organisation>,
    /// How it stands.
    pub state: AssetState,
}

impl Asset {
    /// The asset behind a text. What the inventory knows has the inventory's name and organisation;
    /// what it does not know may be an asset too, by its own name in small letters.
    ///
    /// # Errors
    /// [`IdError`] for a name that is empty, longer than 300 characters, or not of one line.
    pub fn named(
        inventory: &Inventory,
        (kind, text): (TargetKind, &str),
        organisation: Option<&Organisation>,
        state: AssetState,
    ) -> Result<Self, IdError> {
        let read = text.parse::<AssetName>().map_err(|_| {
            IdError::new("name of an asset", text, "1 to 300 characters in one line")
        })?;
        let text = read.as_str();
        let known = inventory.resolve(kind, text).ok();
        let value = known.as_ref().map_or_else(|| text.to_lowercase(), |known| known.name.clone());
        let whose = match kind {
            TargetKind::Host => known.and_then(|known| known.organisation),
            // The address of a host is that host's.
            TargetKind::Address => {
                let host = inventory.resolve(TargetKind::Host, &value).ok();
                host.and_then(|host| host.organisation)
            }
            TargetKind::Organisation => text.parse().ok(),
            TargetKind::Account | TargetKind::Mailbox | TargetKind::Vm | TargetKind::Link => None,
        };
        Ok(Self { kind, value, organisation: whose.or_else(|| organisation.cloned()), state })
    }
}

/// What is written down of assets that somebody names: nothing of those that stand so already.
/// Whose an asset is stays known where it is not said again.
pub fn assets_changed(known: &[Asset], wanted: Vec<Asset>, by: &Actor) -> Vec<Event> {
    let mut known: BTreeMap<(TargetKind, String), Asset> =
        known.iter().map(|asset| ((asset.kind, asset.value.clone()), asset.clone())).collect();
    let mut events = Vec::new();
    for mut asset in wanted {
        let key = (asset.kind, asset.value.clone());
        if let Some(before) = known.get(&key) {
            // What people found out stands, whatever a machine suspects.
            if !by.is_person() && asset.state == AssetState::Suspected {
                continue;
            }
            asset.organisation = asset.organisation.or_else(|| before.organisation.clone());
            if asset == *before {
                continue;
            }
        }
        let head = Head::AssetChanged { kind: asset.kind, state: asset.state };
        let event = Event::new(head, by.clone()).named(asset.value.clone());
        events.push(event.of(asset.organisation.clone()));
        known.insert(key, asset);
    }
    events
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::InventoryHost;

    fn inventory() -> Inventory {
        let host = InventoryHost {
            name: "pc-2.stadt-a.example".to_owned(),
            addresses: BTreeSet::from(["192.0.2.2".parse().unwrap()]),
            macs: BTreeSet::new(),
            organisation: Some("stadt-a".parse().unwrap()),
            groups: BTreeSet::new(),
        };
        Inventory::new(vec![host]).unwrap()
    }

    fn asset(kind: TargetKind, text: &str, whose: Option<&str>) -> Asset {
        let whose: Option<Organisation> = whose.map(|name| name.parse().unwrap());
        Asset::named(&inventory(), (kind, text), whose.as_ref(), AssetState::Affected).unwrap()
    }

    fn ben() -> Actor {
        Actor::asserted("ben".parse().unwrap())
    }

    #[test]
    fn what_the_inventory_knows_has_its_name_and_its_organisation() {
        for (kind, text, whose, name, organisation) in [
            (TargetKind::Host, "PC-2", None, "pc-2.stadt-a.example", Some("stadt-a")),
            (
                TargetKind::Host,
                "192.0.2.2",
                Some("kreis-b"),
                "pc-2.stadt-a.example",
                Some("stadt-a"),
            ),
            (TargetKind::Host, " Rogue ", None, "rogue", None),
            (TargetKind::Host, "rogue", Some("kreis-b"), "rogue", Some("kreis-b")),
            (TargetKind::Address, "::ffff:192.0.2.2", None, "192.0.2.2", Some("stadt-a")),
            (TargetKind::Address, "198.51.100.0/24", None, "198.51.100.0/24", None),
            (
                TargetKind::Mailbox,
                "Info@Example.org",
                Some("kreis-b"),
                "info@example.org",
                Some("kreis-b"),
            ),
            (TargetKind::Organisation, "stadt-a", None, "stadt-a", Some("stadt-a")),
        ] {
            let asset = asset(kind, text, whose);
            assert_eq!(asset.value, name);
            assert_eq!(
                asset.organisation.as_ref().map(Organisation::as_str),
                organisation,
                "{text}"
            );
        }
    }

    #[test]
    fn a_name_is_one_line() {
        for wrong in ["", "  ", "a\nb", &"x".repeat(301)] {
            let kind = TargetKind::Account;
            let named = Asset::named(&inventory(), (kind, wrong), None, AssetState::Suspected);
            assert!(named.is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_machine_that_suspects_something_takes_back_nothing() {
        let suspected = |text| {
            let kind = (TargetKind::Host, text);
            Asset::named(&inventory(), kind, None, AssetState::Suspected).unwrap()
        };
        let known = [asset(TargetKind::Host, "rogue", None)];
        let machine = Actor::proved("hook-siem".parse().unwrap(), crate::run::Proof::Machine);
        let wanted = || vec![suspected("rogue"), suspected("pc-2")];
        let events = assets_changed(&known, wanted(), &machine);
        let names: Vec<_> = events.iter().filter_map(|event| event.body.name.as_deref()).collect();
        assert_eq!(names, ["pc-2.stadt-a.example"]);
        assert_eq!(assets_changed(&known, wanted(), &ben()).len(), 2, "a person may");
    }

    #[test]
    fn what_stands_so_already_is_not_written_again() {
        let known = [asset(TargetKind::Host, "rogue", Some("kreis-b"))];
        let same = asset(TargetKind::Host, "rogue", None);
        assert_eq!(assets_changed(&known, vec![same.clone()], &ben()), []);
        let cleared = Asset { state: AssetState::Cleared, ..same };
        let other = asset(TargetKind::Account, "rogue", None);
        let wanted = vec![cleared.clone(), other.clone(), cleared, other];
        let events = assets_changed(&known, wanted, &ben());
        assert_eq!(events.len(), 2, "each is written once: {events:?}");
        let whose = events[0].organisation.as_ref().map(Organisation::as_str);
        assert_eq!(whose, Some("kreis-b"), "whose it is stays known");
    }
}
