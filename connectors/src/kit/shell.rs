//! From a list of words to one command line. SSH has no argv: the other side's shell reads a text,
//! so every word must come out of that shell as it went in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The shell that reads the text on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shell {
    /// Any shell of the POSIX family.
    Posix,
    /// Windows PowerShell 5.1 or PowerShell 7.
    Powershell,
}

/// Reads the command as one line of JSON and runs it; what follows on stdin is the command's own.
/// Words never become part of a script's text.
const POWERSHELL: &str = "$ErrorActionPreference = 'Stop'
$reader = New-Object System.IO.StreamReader([Console]::OpenStandardInput(), \
(New-Object System.Text.UTF8Encoding $false))
$call = ConvertFrom-Json $reader.ReadLine()
$rest = $reader.ReadToEnd()
$arguments = @($call.arguments)
if ($rest.Length -gt 0) { $rest | & $call.command @arguments } else { & $call.command @arguments }
if ($null -ne $LASTEXITCODE) { exit $LASTEXITCODE }";

impl Shell {
    /// The command line, and what must be written to its stdin.
    ///
    /// # Errors
    /// A sentence, where a word can not be given to any command.
    pub fn spell(self, words: &[String], stdin: &str) -> Result<(String, Vec<u8>), String> {
        let Some((command, arguments)) = words.split_first() else {
            return Err("`command` is empty".to_owned());
        };
        if words.iter().any(|word| word.contains('\0')) {
            return Err("`command` holds a NUL, which no command can take".to_owned());
        }
        match self {
            Self::Posix => Ok((posix_quoted(words), stdin.as_bytes().to_vec())),
            Self::Powershell => {
                let utf16: Vec<u8> = POWERSHELL.encode_utf16().flat_map(u16::to_le_bytes).collect();
                let line = format!(
                    "powershell -NoProfile -NonInteractive -EncodedCommand {}",
                    STANDARD.encode(utf16)
                );
                let call =
                    ascii(&json!({ "command": command, "arguments": arguments }).to_string());
                Ok((line, format!("{call}\n{stdin}").into_bytes()))
            }
        }
    }
}

/// Each word in single quotes, inside which a POSIX shell knows no special character (POSIX.1-2024,
/// Shell Command Language, 2.2.2).
pub fn posix_quoted<W: AsRef<str>>(words: &[W]) -> String {
    let quoted: Vec<String> =
        words.iter().map(|word| format!("'{}'", word.as_ref().replace('\'', r"'\''"))).collect();
    quoted.join(" ")
}

/// JSON in ASCII only: the console's code page can not garble it.
fn ascii(json: &str) -> String {
    let mut out = String::new();
    for unit in json.encode_utf16() {
        if let Ok(byte @ b' '..=b'~') = u8::try_from(unit) {
            out.push(char::from(byte));
        } else {
            out.push_str("\\u");
            let digits = [12, 8, 4, 0].map(|shift| u32::from((unit >> shift) & 0xf));
            out.extend(digits.iter().filter_map(|digit| char::from_digit(*digit, 16)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_comes_out_of_a_shell_as_it_went_in() {
        let words =
            ["printf", "%s|", "a b", "'", "\"", "$(id)", "`id`", "\\", "*", "", "ä\n;", "-n"]
                .map(str::to_owned);
        let (line, _) = Shell::Posix.spell(&words, "").unwrap();
        let shell = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
        let out = String::from_utf8(shell.stdout).unwrap();
        assert_eq!(out, [&words[2..].join("|"), "|"].concat());
        assert!(Shell::Posix.spell(&["a\0b".to_owned()], "").is_err());
        assert!(Shell::Posix.spell(&[], "").is_err());
    }

    #[test]
    fn powershell_gets_its_words_as_data_never_as_script() {
        let words = ["Get-Service", "'; Remove-Item *", "grün😀"].map(str::to_owned);
        let (line, stdin) = Shell::Powershell.spell(&words, "rest").unwrap();
        assert!(!line.contains("Remove-Item"));
        let encoded = STANDARD.decode(line.rsplit(' ').next().unwrap()).unwrap();
        let units: Vec<u16> =
            encoded.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        assert_eq!(String::from_utf16(&units).unwrap(), POWERSHELL);
        let stdin = String::from_utf8(stdin).unwrap();
        assert!(stdin.is_ascii());
        let (first, rest) = stdin.split_once('\n').unwrap();
        let call: serde_json::Value = serde_json::from_str(first).unwrap();
        assert_eq!(call["arguments"], json!(["'; Remove-Item *", "grün😀"]));
        assert_eq!(rest, "rest");
    }
}
