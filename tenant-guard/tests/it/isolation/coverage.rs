//! What was tried of the grammar, and what became of it.

use std::collections::BTreeMap;
use std::fmt;

use super::oracle::Verdict;
use super::statement::Statement;

/// Productions that the guard refuses, each with the reason.
const REFUSALS: &str = include_str!("refusals.txt");

#[derive(Debug, Default)]
pub(crate) struct Coverage {
    productions: BTreeMap<&'static str, Counts>,
    /// How often, and the first statement of which it was so.
    verdicts: BTreeMap<Verdict, (u32, String)>,
    /// What Citus did not plan as one task, by the exception that says why that is right.
    exceptions: BTreeMap<&'static str, u32>,
    /// Statements without any production of which a refusal is expected.
    expected_to_pass: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    generated: u32,
    accepted: u32,
    equal: u32,
}

impl Counts {
    fn add(&mut self, verdict: Verdict) {
        self.generated += 1;
        self.accepted += u32::from(!matches!(verdict, Verdict::Refused(_)));
        self.equal += u32::from(verdict == Verdict::Equal);
    }
}

impl Coverage {
    pub(crate) fn add(
        &mut self,
        statement: &Statement,
        verdict: Verdict,
        exception: Option<&'static str>,
    ) {
        if let Some(name) = exception {
            *self.exceptions.entry(name).or_default() += 1;
        }
        let first = || (0, statement.sql.clone());
        self.verdicts.entry(verdict).or_insert_with(first).0 += 1;
        for production in &statement.productions {
            self.productions.entry(production).or_default().add(verdict);
        }
        if !statement
            .productions
            .iter()
            .any(|production| is_refused(production))
        {
            self.expected_to_pass.add(verdict);
        }
    }

    pub(crate) fn statements(&self) -> u32 {
        self.verdicts.values().map(|(count, _)| count).sum()
    }

    pub(crate) fn accepted(&self) -> u32 {
        let accepted = |(verdict, _): &(&Verdict, _)| !matches!(verdict, Verdict::Refused(_));
        self.verdicts
            .iter()
            .filter(accepted)
            .map(|(_, (count, _))| count)
            .sum()
    }

    /// A generator whose statements are refused, or fail on both sides, proves nothing.
    pub(crate) fn assert_worth(&self) {
        let all = self.expected_to_pass;
        let share = |part: u32, of: u32| part * 100 / of.max(1);
        assert!(
            share(all.accepted, all.generated) >= 80,
            "too much is refused\n{self}"
        );
        assert!(
            share(all.equal, all.accepted) >= 70,
            "too little runs on both sides\n{self}"
        );
        let count = |verdict| self.verdicts.get(&verdict).map_or(0, |(count, _)| *count);
        let unstable = count(Verdict::Unstable);
        assert!(
            share(unstable, self.statements()) < 2,
            "too much is up to chance\n{self}"
        );
        // A production is seen often enough to say that it is never accepted.
        let often = 40;
        let dead: Vec<&str> = self
            .productions
            .iter()
            .filter(|(name, counts)| {
                counts.generated >= often && counts.accepted == 0 && !is_refused(name)
            })
            .map(|(name, _)| *name)
            .collect();
        assert!(
            dead.is_empty(),
            "never accepted, and not in refusals.txt: {dead:?}\n{self}"
        );
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal => f.write_str("equal"),
            Self::Refused(code) => write!(f, "refused with {code}"),
            Self::BothFailed(state) => write!(f, "both failed with {}", state.escape_ascii()),
            Self::PlanDependent => f.write_str("failed on own rows on one side"),
            Self::Unstable => f.write_str("up to chance"),
            Self::TooLong => f.write_str("took too long"),
            Self::KeyIsLost => f.write_str("fails without the table's key"),
            Self::UnsupportedByCitus => f.write_str("has no plan on Citus"),
            Self::RenamedByCitus => f.write_str("equal but for names that Citus gives"),
            Self::CrashesCitus => f.write_str("not sent, as Citus would crash"),
        }
    }
}

fn is_refused(production: &str) -> bool {
    let names = REFUSALS.lines().filter_map(|line| line.split(' ').next());
    names.into_iter().any(|name| name == production)
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<30} {:>9} {:>9} {:>9}",
            "production", "generated", "accepted", "equal"
        )?;
        for (name, counts) in &self.productions {
            let Counts {
                generated,
                accepted,
                equal,
            } = counts;
            let note = match (is_refused(name), accepted) {
                (true, 0) => "  refused, as expected",
                (true, _) => "  accepted by now: take it off refusals.txt",
                (false, _) => "",
            };
            writeln!(
                f,
                "{name:<30} {generated:>9} {accepted:>9} {equal:>9}{note}"
            )?;
        }
        let Counts {
            generated,
            accepted,
            equal,
        } = self.expected_to_pass;
        writeln!(
            f,
            "{:<30} {generated:>9} {accepted:>9} {equal:>9}",
            "expected to pass"
        )?;
        for (verdict, (count, first)) in &self.verdicts {
            let first: String = first.chars().take(160).collect();
            writeln!(f, "{count:>6} {verdict}, such as {first:?}")?;
        }
        for (name, count) in &self.exceptions {
            writeln!(f, "{count:>6} not one task on Citus: {name}")?;
        }
        Ok(())
    }
}
