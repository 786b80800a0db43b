//! A passkey in software: what a device and a browser do together (W3C Web Authentication, level 3,
//! sections 6.1, 6.5 and 7), with a key of its own and without anybody who touches it.
//!
//! It stands in for hardware, which no test machine has; what it answers is real.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Somebody is there and was verified, section 6.1.
const PRESENT_AND_VERIFIED: u8 = 0b0000_0101;
/// A key comes with it.
const HAS_KEY: u8 = 0b0100_0000;

/// A device with one key, in a browser that shows one page.
#[derive(Debug)]
pub(crate) struct Device {
    key: EcdsaKeyPair,
    random: SystemRandom,
    id: [u8; 32],
    /// How often it signed; a copy would count from where it was copied.
    pub(crate) count: u32,
    /// Where the browser is, as `https://name:port`.
    pub(crate) origin: String,
}

impl Device {
    /// A new one, looking at a page of this origin.
    pub(crate) fn new(origin: &str) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let bytes = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, bytes.as_ref(), &random).unwrap();
        let mut id = [0; 32];
        getrandom::fill(&mut id).unwrap();
        Self { key, random, id, count: 0, origin: origin.to_owned() }
    }

    /// `navigator.credentials.create()`.
    pub(crate) fn create(&self, options: &Value) -> Value {
        let client = self.client("webauthn.create", options);
        let mut data = self.data(&options["publicKey"]["rp"]["id"], PRESENT_AND_VERIFIED | HAS_KEY);
        data.extend([0; 16]);
        data.extend([0, 32]);
        data.extend(self.id);
        let point = self.key.public_key().as_ref();
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y}, RFC 9053, section 7.1.1.
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[33..65]);
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt");
        object.push(0x64);
        object.extend(b"none");
        object.push(0x67);
        object.extend(b"attStmt");
        object.extend([0xa0, 0x68]);
        object.extend(b"authData");
        object.push(0x58);
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(&data);
        self.answer(&json!({
            "attestationObject": URL_SAFE_NO_PAD.encode(object),
            "clientDataJSON": URL_SAFE_NO_PAD.encode(client),
        }))
    }

    /// `navigator.credentials.get()`.
    pub(crate) fn get(&mut self, options: &Value) -> Value {
        let client = self.client("webauthn.get", options);
        self.count += 1;
        let data = self.data(&options["publicKey"]["rpId"], PRESENT_AND_VERIFIED);
        let mut signed = data.clone();
        signed.extend(Sha256::digest(&client));
        let signature = self.key.sign(&self.random, &signed).unwrap();
        self.answer(&json!({
            "authenticatorData": URL_SAFE_NO_PAD.encode(data),
            "clientDataJSON": URL_SAFE_NO_PAD.encode(client),
            "signature": URL_SAFE_NO_PAD.encode(signature.as_ref()),
            "userHandle": null,
        }))
    }

    fn client(&self, kind: &str, options: &Value) -> String {
        let challenge = &options["publicKey"]["challenge"];
        json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false})
            .to_string()
    }

    /// What the device says of itself, section 6.1.
    fn data(&self, server: &Value, flags: u8) -> Vec<u8> {
        let mut data = Sha256::digest(server.as_str().unwrap()).to_vec();
        data.push(flags);
        data.extend(self.count.to_be_bytes());
        data
    }

    fn answer(&self, response: &Value) -> Value {
        let id = URL_SAFE_NO_PAD.encode(self.id);
        json!({"id": id, "rawId": id, "type": "public-key", "response": response,
            "clientExtensionResults": {}})
    }
}
