//! `tenant-guard rewrite`

use std::io::{self, BufRead, Write};

use serde::Serialize;
use tenant_guard::{Access, Code, Guard, GuardedSql};

use crate::Outcome;

/// How statements are separated, and how they are answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    pub(crate) json: bool,
    pub(crate) null: bool,
}

impl Format {
    fn separator(self) -> u8 {
        if self.null { 0 } else { b'\n' }
    }
}

/// Answers each statement of `input` in order, and writes each answer out before the next
/// statement is read, so that another process can take turns with this one.
pub(crate) fn run(
    guard: &Guard,
    format: Format,
    mut input: impl BufRead,
    out: &mut impl Write,
) -> anyhow::Result<Outcome> {
    let mut refusals = 0;
    let mut record = Vec::new();
    while let Some(complete) = read_record(&mut input, format.separator(), &mut record)? {
        let answer = if complete {
            answer(guard, &record)
        } else {
            Answer::too_long()
        };
        refusals += usize::from(matches!(answer, Answer::Refused { .. }));
        write_answer(&answer, format, out)?;
        out.flush()?;
    }
    Ok(Outcome::of(refusals))
}

/// The longest statement that is kept in memory; longer ones are read past. It is above what any
/// policy of this command accepts.
const LONGEST: usize = 1024 * 1024;

/// Reads up to the next separator. `None` at the end of the input; `Some(false)` where the record
/// was too long to keep.
fn read_record(
    input: &mut impl BufRead,
    separator: u8,
    record: &mut Vec<u8>,
) -> io::Result<Option<bool>> {
    record.clear();
    let (mut any, mut complete) = (false, true);
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            break;
        }
        any = true;
        let end = buffer.iter().position(|byte| *byte == separator);
        let part = &buffer[..end.unwrap_or(buffer.len())];
        complete &= record.len() + part.len() <= LONGEST;
        if complete {
            record.extend_from_slice(part);
        }
        let taken = part.len() + usize::from(end.is_some());
        input.consume(taken);
        if end.is_some() {
            break;
        }
    }
    if separator == b'\n' && record.last() == Some(&b'\r') {
        record.pop();
    }
    Ok(any.then_some(complete))
}

enum Answer {
    Accepted(GuardedSql),
    Refused {
        code: &'static str,
        message: String,
        hint: String,
    },
}

impl Answer {
    fn refused(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused {
            code: code.as_str(),
            message: message.into(),
            hint: hint.into(),
        }
    }

    fn too_long() -> Self {
        let message = format!("the statement is longer than {LONGEST} bytes");
        Self::refused(
            Code::TooComplex,
            message,
            "split it into several statements",
        )
    }
}

fn answer(guard: &Guard, record: &[u8]) -> Answer {
    let Ok(sql) = std::str::from_utf8(record) else {
        return Answer::refused(
            Code::Syntax,
            "the statement is not UTF-8",
            "send the statement in UTF-8",
        );
    };
    match guard.check(sql) {
        Ok(guarded) => Answer::Accepted(guarded),
        Err(refusal) => Answer::refused(refusal.code(), refusal.message(), refusal.hint()),
    }
}

fn write_answer(answer: &Answer, format: Format, out: &mut impl Write) -> io::Result<()> {
    if format.json {
        serde_json::to_writer(&mut *out, &object(answer))?;
        return out.write_all(b"\n");
    }
    match answer {
        Answer::Accepted(guarded) => out.write_all(guarded.text().as_bytes())?,
        Answer::Refused {
            code,
            message,
            hint,
        } => {
            let line = format!("-- {code}: {message}; {hint}");
            // An answer in lines is one line.
            out.write_all(line.replace(['\n', '\r'], " ").as_bytes())?;
        }
    }
    out.write_all(&[format.separator()])
}

/// An answer as an object, with its keys in this order.
#[derive(Serialize)]
#[serde(untagged)]
enum Object<'a> {
    Accepted {
        ok: bool,
        sql: &'a str,
        tenant_param: Option<u32>,
        access: &'static str,
        writes: bool,
    },
    Refused {
        ok: bool,
        code: &'static str,
        message: &'a str,
        hint: &'a str,
    },
}

fn object(answer: &Answer) -> Object<'_> {
    match answer {
        Answer::Accepted(guarded) => Object::Accepted {
            ok: true,
            sql: guarded.text(),
            tenant_param: guarded.tenant_param(),
            access: access(guarded),
            writes: guarded.writes(),
        },
        Answer::Refused {
            code,
            message,
            hint,
        } => Object::Refused {
            ok: false,
            code,
            message,
            hint,
        },
    }
}

fn access(guarded: &GuardedSql) -> &'static str {
    match guarded.access() {
        Access::Tenant { .. } => "tenant",
        Access::TenantSchema => "tenant schema",
        Access::Reference => "reference",
        // The library may learn of more; this command is built with it.
        _ => "none",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use tenant_guard::{Policy, Tenancy};

    const SCHEMA: &str = "CREATE TABLE tasks (tenant_id bigint, id bigint, UNIQUE (tenant_id, id));
        SELECT create_distributed_table('tasks', 'tenant_id');
        CREATE TABLE countries (code text PRIMARY KEY);
        SELECT create_reference_table('countries');";

    fn rewritten(input: &[u8], json: bool, null: bool) -> (String, Outcome) {
        let guard = Guard::new(Tenancy::from_sql(SCHEMA).unwrap(), Policy::default());
        let mut out = Vec::new();
        let outcome = run(&guard, Format { json, null }, input, &mut out).unwrap();
        (String::from_utf8(out).unwrap(), outcome)
    }

    #[test]
    fn each_line_is_answered_by_a_line() {
        let input = b"SELECT id FROM tasks\r\n\nSELECT 1\n\xff\nSELECT * FROM x; --\nSELECT code FROM countries";
        let (out, outcome) = rewritten(input, true, false);
        let answers: Vec<Value> = out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let access: Vec<&Value> = answers
            .iter()
            .map(|answer| match &answer["access"] {
                Value::Null => &answer["code"],
                access => access,
            })
            .collect();
        assert_eq!(
            access,
            ["tenant", "TG002", "none", "TG001", "TG006", "reference"]
        );
        assert_eq!(answers[0]["tenant_param"], 1);
        assert_eq!(answers[0]["writes"], false);
        assert_eq!(answers[2]["tenant_param"], Value::Null);
        assert_eq!(outcome, Outcome::Refused);
    }

    #[test]
    fn answers_in_text() {
        let (out, outcome) = rewritten(b"SELECT id\nFROM tasks\0SELECT 1", false, true);
        assert_eq!(
            out,
            "SELECT id\nFROM public.tasks WHERE tasks.tenant_id = $1\0SELECT 1\0"
        );
        assert_eq!(outcome, Outcome::Accepted);
        let (out, _) = rewritten(b"SELECT * FROM x\n", false, false);
        assert!(
            out.starts_with("-- TG006: ") && out.ends_with('\n'),
            "{out}"
        );
        assert_eq!(rewritten(b"", true, false).0, "");
    }

    #[test]
    fn a_statement_without_end_is_not_kept() {
        let mut input = vec![b'x'; 3 * LONGEST];
        input.extend_from_slice(b"\nSELECT 1\n");
        let (out, _) = rewritten(&input, false, false);
        let mut lines = out.lines();
        assert!(lines.next().unwrap().starts_with("-- TG004: "));
        assert_eq!(lines.next(), Some("SELECT 1"));
    }
}
