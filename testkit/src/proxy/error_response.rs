//! An error as a server sends it.

use super::protocol::message;

/// An error as a server sends it (`ErrorResponse`), for [`Reaction::Answer`](super::Reaction).
///
/// ```
/// use citus_testkit::ErrorResponse;
///
/// let serialization = ErrorResponse::new("40001");
/// let stale_plan = ErrorResponse::new("0A000")
///     .message("cached plan must not change result type")
///     .routine("RevalidateCachedQuery");
/// let shutdown = ErrorResponse::new("57P01").fatal();
/// # let _ = (serialization, stale_plan, shutdown);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ErrorResponse {
    severity: &'static str,
    sqlstate: String,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    routine: Option<String>,
}

impl ErrorResponse {
    /// An error of severity `ERROR` with this SQLSTATE: the session goes on after it.
    pub fn new(sqlstate: impl Into<String>) -> Self {
        Self {
            severity: "ERROR",
            sqlstate: sqlstate.into(),
            message: "injected by a fault proxy".to_owned(),
            detail: None,
            hint: None,
            routine: None,
        }
    }

    /// The message.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// The detail.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The function of the server that raised it.
    pub fn routine(mut self, routine: impl Into<String>) -> Self {
        self.routine = Some(routine.into());
        self
    }

    /// Of severity `FATAL`: the session ends after it.
    pub fn fatal(mut self) -> Self {
        self.severity = "FATAL";
        self
    }

    pub(super) fn is_fatal(&self) -> bool {
        self.severity == "FATAL"
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        // S is translated and V is not; the codes are in "Error and Notice Message Fields".
        let fields = [
            (b'S', Some(self.severity)),
            (b'V', Some(self.severity)),
            (b'C', Some(self.sqlstate.as_str())),
            (b'M', Some(self.message.as_str())),
            (b'D', self.detail.as_deref()),
            (b'H', self.hint.as_deref()),
            (b'R', self.routine.as_deref()),
        ];
        let mut body = Vec::new();
        for (code, value) in fields {
            let Some(value) = value else { continue };
            body.push(code);
            body.extend(value.bytes().filter(|byte| *byte != 0));
            body.push(0);
        }
        body.push(0);
        message(b'E', &body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_end_with_a_zero_and_hold_none() {
        let bytes = ErrorResponse::new("40001").message("a\0b").encode();
        assert_eq!(bytes[0], b'E');
        assert_eq!(bytes[1..5], u32::to_be_bytes(30)[..]);
        assert_eq!(&bytes[5..], b"SERROR\0VERROR\0C40001\0Mab\0\0");
    }
}
