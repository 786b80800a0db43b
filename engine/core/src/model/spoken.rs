//! A digest as six words, for two people who compare it on the telephone.
//!
//! The words are those of `spoken.txt`: 1,024 German nouns of four to eight letters, without
//! umlauts, no two alike in their first four letters and none a slip of one letter from another.
//! There is one list, whatever the language of the sentences around it: both ends must say the
//! same. Six of them are the first 60 bits of the digest, ten bits each, which binds nothing by
//! itself: an answer is bound to the whole digest.
//!
//! The list never changes: what was printed is compared with what is shown years later.

use super::Digest;

const LIST: &str = include_str!("spoken.txt");

/// How many words are said.
const WORDS: usize = 6;

/// Bits of a word: the list has 2^10.
const BITS: usize = 10;

impl Digest {
    /// Six words, with a blank between them.
    pub fn spoken(&self) -> String {
        let bits =
            self.as_bytes().iter().take(8).fold(0_u64, |all, byte| (all << 8) | u64::from(*byte));
        let word = |place: usize| {
            let index = (bits >> (u64::BITS as usize - BITS * (place + 1))) & ((1 << BITS) - 1);
            usize::try_from(index).ok().and_then(|index| LIST.lines().nth(index)).unwrap_or("?")
        };
        (0..WORDS).map(word).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Whether two words differ by one letter that is another, missing or too many.
    fn alike(one: &str, other: &str) -> bool {
        let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
        let same = short.bytes().zip(long.bytes()).take_while(|(a, b)| a == b).count();
        match long.len() - short.len() {
            0 => short[same..].len() <= 1 || short[same + 1..] == long[same + 1..],
            1 => short[same..] == long[same + 1..],
            _ => false,
        }
    }

    #[test]
    fn no_word_of_the_list_is_heard_as_another() {
        let words: Vec<&str> = LIST.lines().collect();
        assert_eq!(words.len(), 1 << BITS);
        assert!(words.is_sorted());
        for word in &words {
            assert!((4..=8).contains(&word.len()), "{word}");
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
        }
        let beginnings: BTreeSet<&str> = words.iter().map(|word| &word[..4]).collect();
        assert_eq!(beginnings.len(), words.len());
        for (at, word) in words.iter().enumerate() {
            let other = words[at + 1..].iter().find(|other| alike(word, other));
            assert_eq!(other, None, "{word}");
        }
    }

    #[test]
    fn what_was_printed_is_said_the_same_for_ever() {
        assert_eq!(Digest::ZERO.spoken(), ["abakus"; 6].join(" "));
        assert_eq!(Digest::from_bytes([0xff; 32]).spoken(), ["zypresse"; 6].join(" "));
        let counted = std::array::from_fn(|place| u8::try_from(place * 7 + 1).unwrap());
        assert_eq!(
            Digest::from_bytes(counted).spoken(),
            "absatz busch wasser larve daumen pianist"
        );
    }

    proptest! {
        #[test]
        fn another_beginning_is_other_words(one: [u8; 32], bit in 0_usize..60) {
            let mut other = one;
            other[bit / 8] ^= 0x80 >> (bit % 8);
            let (one, other) = (Digest::from_bytes(one).spoken(), Digest::from_bytes(other).spoken());
            let differ = one.split(' ').zip(other.split(' ')).filter(|(a, b)| a != b).count();
            prop_assert_eq!(differ, 1);
            prop_assert_eq!(one.split(' ').count(), 6);
        }
    }
}
