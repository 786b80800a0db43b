//! Names made of names, for whoever wants UUIDs of a version that an id of ours is not.

use sha1::{Digest as _, Sha1};

use super::IncidentId;

/// A UUID of version 5 (RFC 9562 section 5.5) of a name within an incident: the same for the same name, as
/// text. It names and proves nothing, so SHA-1 is enough.
pub fn named_uuid(within: IncidentId, name: &str) -> String {
    let hash = Sha1::new().chain_update(within.as_bytes()).chain_update(name.as_bytes()).finalize();
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(hash) {
        *byte = hashed;
    }
    uuid::Builder::from_sha1_bytes(bytes).into_uuid().hyphenated().to_string()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_name_has_the_uuid_that_the_standard_says() {
        // RFC 9562, appendix A.4: `www.example.com` in the namespace of DNS.
        let dns: Uuid = "6ba7b810-9dad-11d1-80b4-00c04fd430c8".parse().unwrap();
        let within = IncidentId::from_bytes(*dns.as_bytes());
        assert_eq!(named_uuid(within, "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }
}
