//! Expressions and texts to fill in, compiled against the names in scope.

use std::sync::Arc;

use serde_json::Value;

use super::super::draft;
use super::super::template::{self, Broken, Part};
use super::super::tree::Text;
use super::super::{
    Checked, Code, Expression, Expressions, Fault, FaultCode, Length, Piece, ScriptKind, Template,
    Type,
};
use super::{Checker, Library, types};

/// What a rendered text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    /// A value of any type, where the text is one expression.
    Value,
    /// A text.
    Text,
}

impl<E: Expressions, L: Library> Checker<'_, '_, E, L> {
    /// A field that is an expression as a whole. Without findings the type is what it gives.
    pub(super) fn bare(&mut self, text: &Text) -> (Expression, Type) {
        if text.as_str().trim_start().starts_with("${") {
            let hint = "write the expression alone, without `${` and `}`";
            let message = "this is an expression already";
            self.report.hint(Code::TemplateInExpression, text.place(0), message, hint);
            self.inputs.unread.push_str(text.as_str());
            return (broken(text), Type::Any);
        }
        self.compile(text, 0, text.as_str(), ScriptKind::Expression)
    }

    /// A condition: it must give true or false.
    pub(super) fn condition(&mut self, text: &Text) -> Expression {
        let (expression, ty) = self.bare(text);
        if !matches!(ty, Type::Boolean | Type::Any) {
            let message =
                format!("a condition gives true or false, this gives {}", types::word(&ty));
            self.report.add(Code::NotBoolean, text.place(0), message);
        }
        expression
    }

    /// The body of a script step.
    pub(super) fn script(&mut self, text: &Text) -> (Expression, Type) {
        self.compile(text, 0, text.as_str(), ScriptKind::Script)
    }

    /// The part of `text` that begins at `offset` (in characters), as Rhai.
    fn compile(
        &mut self,
        text: &Text,
        offset: usize,
        code: &str,
        kind: ScriptKind,
    ) -> (Expression, Type) {
        let place = text.place(offset);
        match self.judge(code, kind) {
            Ok(checked) => {
                let expression = Expression {
                    text: Arc::from(code),
                    place,
                    reads: checked.reads,
                    bare: checked.bare,
                };
                self.inputs.reads(&expression);
                (expression, checked.ty)
            }
            Err(faults) => {
                self.inputs.unread.push_str(code);
                for fault in faults {
                    let Fault { code, line, column, message, hint } = fault;
                    let place = text.place_within(offset, line, column);
                    self.report.add_with(finding_code(code), place, message, hint);
                }
                (broken(text), Type::Any)
            }
        }
    }

    /// Checks a text against the names it can mean. Where that finds faults it is checked against
    /// all names, because only they know what was meant; as often as the budget lasts.
    fn judge(&mut self, code: &str, kind: ScriptKind) -> Result<Checked, Vec<Fault>> {
        let few = self
            .scope
            .names_for(code)
            .map(|names| self.request.expressions.check(code, kind, &names));
        let cost = self.scope.size() + 1;
        match few {
            Some(Ok(checked)) => Ok(checked),
            Some(Err(faults)) if self.looks < cost => Err(faults),
            None if self.looks < cost => Err(vec![Fault {
                code: FaultCode::Limit,
                line: 1,
                column: 1,
                message: "the file takes all of `steps` or `inputs` too often".to_owned(),
                hint: Some("name the parts that are needed: `steps.look.output`".to_owned()),
            }]),
            Some(Err(_)) | None => {
                self.looks -= cost;
                self.request.expressions.check(code, kind, self.scope.names())
            }
        }
    }

    /// A text to fill in, with its type where it is one expression.
    pub(super) fn rendered(&mut self, text: &Text, wants: Wants) -> (Template, Type) {
        let parts = match template::parse(text.as_str()) {
            Ok(parts) => parts.parts,
            Err(broken) => {
                let (offset, message) = match broken {
                    Broken::Open(offset) => (offset, "this `${` has no closing brace"),
                    Broken::Empty(offset) => (offset, "there is no expression in this `${}`"),
                };
                let hint = "a `${` that stays as it is, is written `$${`";
                self.report.hint(Code::BadTemplate, text.place(offset), message, hint);
                self.inputs.unread.push_str(text.as_str());
                return (Template::Literal(Value::Null), Type::Any);
            }
        };
        match parts.as_slice() {
            [] => (Template::Literal(Value::from("")), Type::String),
            [Part::Text(plain)] => (Template::Literal(Value::from(plain.as_str())), Type::String),
            [Part::Expression { text: code, offset }] => {
                let (expression, ty) = self.compile(text, *offset, code, ScriptKind::Expression);
                if wants == Wants::Text {
                    self.is_text(text, *offset, &ty);
                }
                (Template::Whole(expression), ty)
            }
            parts => {
                let mut pieces = Vec::new();
                for part in parts {
                    pieces.push(match part {
                        Part::Text(plain) => Piece::Text(plain.clone()),
                        Part::Expression { text: code, offset } => {
                            let (expression, ty) =
                                self.compile(text, *offset, code, ScriptKind::Expression);
                            self.is_text(text, *offset, &ty);
                            Piece::Value(expression)
                        }
                    });
                }
                (Template::Text(pieces), Type::String)
            }
        }
    }

    /// Lists, objects and nothing have no text form of their own.
    fn is_text(&mut self, text: &Text, offset: usize, ty: &Type) {
        let hint = match ty {
            Type::Array(_) => "write `join(list, \", \")` or `json(list)`",
            Type::Object(_) => "write `json(object)`, or name one part of it",
            Type::Null => "write `value ?? \"…\"`",
            Type::Any | Type::Boolean | Type::Integer | Type::Number | Type::String => return,
        };
        let message = format!("{} can not stand in a text", types::word(ty));
        self.report.hint(Code::TypeMismatch, text.place(offset), message, hint);
    }

    /// A text for people or a name.
    pub(super) fn sentence(&mut self, text: &Text) -> Template {
        self.rendered(text, Wants::Text).0
    }

    /// A duration.
    pub(super) fn length(&mut self, length: &draft::Length<'_>) -> Length {
        match length {
            draft::Length::Fixed(span) => Length::Fixed(*span),
            draft::Length::Rendered(text) => {
                let (template, ty) = self.rendered(text, Wants::Text);
                if !matches!(ty, Type::String | Type::Any) {
                    let message =
                        format!("a duration is a text like `4h`, this is {}", types::word(&ty));
                    self.report.add(Code::TypeMismatch, text.place(0), message);
                }
                Length::Rendered(template)
            }
        }
    }
}

/// What stands in a plan that will never be sealed, where an expression has faults.
fn broken(text: &Text) -> Expression {
    Expression { text: Arc::from(""), place: text.place(0), reads: Vec::new(), bare: false }
}

fn finding_code(code: FaultCode) -> Code {
    match code {
        FaultCode::Syntax => Code::ExpressionSyntax,
        FaultCode::UnknownName => Code::UnknownName,
        FaultCode::UnknownFunction => Code::UnknownFunction,
        FaultCode::Type => Code::TypeMismatch,
        FaultCode::Skippable => Code::MaybeSkipped,
        FaultCode::Limit => Code::ExpressionLimit,
    }
}
