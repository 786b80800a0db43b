//! Where things stand in a YAML file that is no playbook, such as the configuration.

use super::report::Report;
use super::tree::{Node, Yaml};
use super::{Place, SourceText, yaml};

/// The places of everything in a file.
#[derive(Debug)]
pub struct Places(Option<Yaml>);

impl Places {
    /// Reads a file. One that can not be read has only a beginning.
    pub fn of(source: &SourceText) -> Self {
        Self(yaml::read(source, &mut Report::new(source.name())))
    }

    /// Where `connectors.relay.ca` or `guard.never[2]` stands: the value in a list, the name in a
    /// mapping. What is not there is looked for as far as its path goes.
    pub fn at(&self, path: &str) -> Place {
        let mut place = Place::START;
        let mut here = self.0.as_ref();
        for part in path.split(['.', '[']).map(|part| part.trim_end_matches(']')) {
            let found = match here.map(|yaml| &yaml.node) {
                Some(Node::Map(entries)) => {
                    let entry = entries.iter().find(|entry| entry.name() == part);
                    entry.map(|entry| (entry.place, &entry.value))
                }
                Some(Node::List(items)) => {
                    let item = part.parse().ok().and_then(|index: usize| items.get(index));
                    item.map(|item| (item.place, item))
                }
                Some(Node::Scalar(_)) | None => None,
            };
            let Some((at, value)) = found else { break };
            (place, here) = (at, Some(value));
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_place_or_as_near_as_there_is_one() {
        let text = "guard:\n  never: [dc01, dc02]\nconnectors:\n  relay:\n    ca: /x.pem\n";
        let places = Places::of(&SourceText::new("beistand.yaml", text));
        for (path, line, column) in [
            ("guard", 1, 1),
            ("guard.never[1]", 2, 17),
            ("guard.never[7]", 2, 3),
            ("connectors.relay.ca", 5, 5),
            ("connectors.relay.password.file", 4, 3),
            ("nowhere", 1, 1),
        ] {
            assert_eq!(places.at(path), Place { line, column }, "{path}");
        }
        assert_eq!(Places::of(&SourceText::new("x", "a: [")).at("a"), Place::START);
    }
}
