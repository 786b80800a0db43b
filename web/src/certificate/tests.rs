//! Certificates that are made, found, and refused.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

const NOW: Millis = Millis::new(1_795_000_000_000);
const YEAR: i64 = 365 * 86_400_000;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("beistand-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
    fn written(&self, name: &str, text: &str) -> PathBuf {
        let path = self.at(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn a_self_made_certificate_is_made_once_and_its_key_is_its_owners_alone() {
    let folder = Folder::new("own");
    let file = folder.at("beistand.db.tls.pem");
    let names = ["lage.example".to_owned(), "192.0.2.1".to_owned()];
    let made = Certificate::own(&file, &names, NOW).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    assert!(made.unnamed().is_empty(), "{:?}", made.unnamed());
    let found = Certificate::own(&file, &names, Millis::new(NOW.get() + 9 * YEAR)).unwrap();
    assert_eq!(found.fingerprint(), made.fingerprint());
    let more = ["neu.example".to_owned()];
    assert_eq!(Certificate::own(&file, &more, NOW).unwrap().unnamed(), more);
    let late = Certificate::own(&file, &names, Millis::new(NOW.get() + 11 * YEAR)).unwrap_err();
    assert!(matches!(late, CertificateError::Expired(_)), "{late}");
    let early = Certificate::own(&file, &names, Millis::new(NOW.get() - YEAR)).unwrap_err();
    assert!(matches!(early, CertificateError::Early(_)), "{early}");
}

#[test]
fn a_fingerprint_is_read_aloud_in_groups_of_the_same_digits() {
    let folder = Folder::new("spoken");
    let made = Certificate::own(&folder.at("own.pem"), &[], NOW).unwrap();
    let spoken = made.spoken();
    assert_eq!(spoken.split(' ').count(), 16);
    assert_eq!(spoken.replace(' ', "").to_lowercase(), made.fingerprint());
}

#[test]
fn a_given_certificate_fits_its_key_and_is_readable() {
    let folder = Folder::new("given");
    let [one, other] = [signed(&[], NOW).unwrap(), signed(&[], NOW).unwrap()];
    let split = |pem: &str| {
        let at = pem.find("-----BEGIN PRIVATE KEY").unwrap();
        (pem[..at].to_owned(), pem[at..].to_owned())
    };
    let ((one, one_key), (_, other_key)) = (split(&one), split(&other));
    let certificate = folder.written("one.pem", &one);
    let key = folder.written("one.key", &one_key);
    assert!(Certificate::given(&certificate, &key, NOW).is_ok());
    let wrong = folder.written("other.key", &other_key);
    let said = |certificate: &Path, key: &Path| {
        Certificate::given(certificate, key, NOW).unwrap_err().to_string()
    };
    assert!(said(&certificate, &wrong).contains("does not belong to the key"));
    assert!(said(&certificate, &folder.at("none.key")).contains("could not read"));
    assert!(said(&folder.at("none.pem"), &key).contains("could not read"));
    assert!(said(&folder.written("empty.pem", "nothing"), &key).contains("holds no certificate"));
    assert!(said(&certificate, &certificate).contains("holds no private key"));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(said(&folder.written("broken.pem", broken), &key).contains("can not be used"));
    let expired = Certificate::given(&certificate, &key, Millis::new(NOW.get() + 11 * YEAR));
    assert!(expired.unwrap_err().to_string().contains("has expired"));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(said(&certificate, &key).contains("everybody on this machine"));
}
