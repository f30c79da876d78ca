//! The bytes that decide everything that a generator makes: a shorter or smaller tape makes
//! something plainer, so that proptest's shrinking needs no help.

use std::collections::BTreeSet;

/// Read once from its start to its end, and then zeros for ever.
pub(crate) struct Tape<'t> {
    bytes: std::slice::Iter<'t, u8>,
    productions: BTreeSet<&'static str>,
}

impl<'t> Tape<'t> {
    pub(crate) fn new(bytes: &'t [u8]) -> Self {
        Self {
            bytes: bytes.iter(),
            productions: BTreeSet::new(),
        }
    }

    /// A number below `below`; 0 when the tape is at its end.
    pub(crate) fn choose(&mut self, below: usize) -> usize {
        let byte = self.bytes.next().map_or(0, |byte| usize::from(*byte));
        byte % below.max(1)
    }

    /// True once in so many times; never at the end of the tape.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.choose(times) == times - 1
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, options: &[&'a T]) -> &'a T {
        options[self.choose(options.len())]
    }

    /// Takes one of the productions of a rule and notes that it was taken.
    pub(crate) fn production(&mut self, options: &[&'static str]) -> &'static str {
        let name = self.pick(options);
        self.note(name);
        name
    }

    /// Notes that a production was taken.
    pub(crate) fn note(&mut self, production: &'static str) {
        self.productions.insert(production);
    }

    /// All productions that were taken.
    pub(crate) fn into_productions(self) -> BTreeSet<&'static str> {
        self.productions
    }
}
