//! An export as a file: the lines that people read, and the block that binds them and their chain.
//!
//! The block stands in one line of the file. It carries the [`Chain`], a digest of each other line,
//! and one digest over all of it. Whoever owns the file can write all of that anew: what a line says
//! is bound only to this file, and the one digest, written down outside, is what makes a rewritten
//! file show. The entries are bound further, by their seals.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::chain::{Chain, ChainError};
use super::escape::armoured;
use super::format::About;
use crate::model::{Digest, digest_of, digest_of_bytes};

/// What stands before the block in a page, at the beginning of a line.
pub(super) const SCRIPT: &str = r#"<script type="application/json" id="chain">"#;

/// The last line of a JSONL file, and what `<script id="chain">` holds.
#[derive(Debug, Serialize, Deserialize)]
struct Block<C> {
    chain: C,
    /// What the file says of itself; files of older programs do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    about: Option<About>,
    /// Of each other line of the file, in their order, without its line break.
    lines: Vec<Digest>,
    digest: Digest,
}

/// An export as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The chain it carries.
    pub chain: Chain,
    /// The digest over its streams, its seal and its lines: what goes on paper.
    pub digest: Digest,
    /// What it says of itself.
    pub about: Option<About>,
    /// The digests of the lines as they were written.
    written: Vec<Digest>,
    /// The lines that are there: where they stand in the file, from 1, and their digests.
    found: Vec<(usize, Digest)>,
}

/// What was found in order in an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InOrder {
    /// Entries of all streams.
    pub entries: u64,
    /// Entries that a seal of the export binds.
    pub sealed: u64,
    /// Lines beside the block.
    pub lines: usize,
}

/// The block for a file whose other lines are these; on one line, without characters that HTML
/// would take for markup.
pub(super) fn block(chain: &Chain, about: About, others: &str) -> String {
    let lines: Vec<Digest> = others.lines().map(line_digest).collect();
    let about = Some(about);
    // Numbers that have no canonical form make no digest, and such an export is red.
    let digest = digest(chain, about.as_ref(), &lines).unwrap_or(Digest::ZERO);
    let json = serde_json::to_string(&Block { chain, about, lines, digest });
    // Texts, numbers and lists of them always have a JSON form.
    armoured(&json.unwrap_or_default())
}

fn line_digest(line: &str) -> Digest {
    digest_of_bytes(line.as_bytes())
}

fn digest(chain: &Chain, about: Option<&About>, lines: &[Digest]) -> Option<Digest> {
    let streams: Vec<Value> =
        chain.streams.iter().map(|end| json!([end.stream, end.seq, end.hash.hex()])).collect();
    let seal = chain.seal.as_ref().map(|seal| seal.hash.hex());
    let lines: Vec<String> = lines.iter().map(Digest::hex).collect();
    let parts = match about {
        Some(about) => json!([streams, seal, lines, about]),
        // As it was before files said anything of themselves.
        None => json!([streams, seal, lines]),
    };
    digest_of("export", &parts).ok()
}

impl Export {
    /// Reads a JSONL file, whose block is the last line, or a page, whose block is a line of it.
    ///
    /// # Errors
    /// [`ChainError::Missing`].
    pub fn read(file: &str) -> Result<Self, ChainError> {
        let lines: Vec<&str> = file.trim_end().lines().collect();
        let in_page = lines.iter().rposition(|line| line.starts_with(SCRIPT));
        let place = in_page.unwrap_or_else(|| lines.len().saturating_sub(1));
        let line = lines.get(place).copied().unwrap_or_default();
        let json = line.strip_prefix(SCRIPT).unwrap_or(line);
        let json = json.strip_suffix("</script>").unwrap_or(json);
        let block: Block<Chain> =
            serde_json::from_str(json).map_err(|error| ChainError::Missing(error.to_string()))?;
        let others = lines.iter().enumerate().filter(|(index, _)| *index != place);
        let found = others.map(|(index, line)| (index + 1, line_digest(line))).collect();
        let Block { chain, about, lines: written, digest } = block;
        Ok(Self { chain, digest, about, written, found })
    }

    /// Checks the chain, each line, and the whole.
    ///
    /// # Errors
    /// [`ChainError`] with the first thing that is not in order.
    pub fn check(&self) -> Result<InOrder, ChainError> {
        let sealed = self.chain.check()?;
        self.check_lines()?;
        if digest(&self.chain, self.about.as_ref(), &self.written) != Some(self.digest) {
            return Err(ChainError::Digest);
        }
        let entries = u64::try_from(self.chain.entries.len()).unwrap_or(u64::MAX);
        Ok(InOrder { entries, sealed, lines: self.found.len() })
    }

    fn check_lines(&self) -> Result<(), ChainError> {
        let mut found = self.found.iter();
        for (index, written) in self.written.iter().enumerate() {
            // Where the line was that is missing at the end.
            let Some((line, digest)) = found.next() else {
                return Err(ChainError::Line { line: index + 1, why: "is missing" });
            };
            if digest == written {
                continue;
            }
            let of_another = self.written.contains(digest);
            let (found, written) = (self.found.len(), self.written.len());
            let why = match of_another {
                true if found < written => "is missing",
                true => "stands in the wrong place",
                false if found > written => "was added",
                false => "was changed",
            };
            return Err(ChainError::Line { line: *line, why });
        }
        match found.next() {
            Some((line, _)) => Err(ChainError::Line { line: *line, why: "was added" }),
            None => Ok(()),
        }
    }
}
