//! Closed vocabularies: an enum whose every value is one word, the same in files, journal, tables,
//! JSON and on the command line.
//!
//! A word stands in one place, beside its value; serde, `Display`, `FromStr` and whoever lists all of
//! them (OpenAPI, the command line's help) take it from there. A word that is written down once is
//! never another one.

/// Vocabularies with what one of their words is called when there is no such word. One call has all of
/// a file: it makes one test of them.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $what:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* })*) => {
    $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The word in files, journal and JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::model::IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().copied().find(|value| value.as_str() == text);
                let hint = concat!("one of:" $(, " ", $word)*);
                found.ok_or_else(|| $crate::model::IdError::new($what, text, hint))
            }
        }
    )*
    #[test]
    fn a_word_is_that_of_its_json_and_is_read_back() {$(
        for value in $name::ALL {
            let word = value.as_str();
            assert_eq!(word.parse(), Ok(*value));
            assert_eq!(serde_json::json!(value), word);
            assert_eq!(serde_json::from_value::<$name>(word.into()).unwrap(), *value);
        }
        let unknown = "no word".parse::<$name>().unwrap_err().to_string();
        assert!(unknown.contains($name::ALL[0].as_str()), "{unknown}");
    )*}
    };
}

pub(crate) use words;
