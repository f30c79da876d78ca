//! What Citus does not carry out as one task, and why that is right: `exceptions.md`.

use std::sync::LazyLock;

use super::one_task::Plan;
use super::shape::Shape;

const PAGE: &str = include_str!("exceptions.md");

/// A form of statement.
#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) name: String,
    /// The features that it is recognised by, beside its plan.
    features: Vec<String>,
    plan: String,
    /// A statement of this form, for the tables of `teeth::schema`.
    pub(crate) example: String,
}

static ALL: LazyLock<Vec<Exception>> = LazyLock::new(|| {
    let sections = PAGE.split("\n## ").skip(1);
    sections.map(Exception::read).collect()
});

pub(crate) fn all() -> &'static [Exception] {
    &ALL
}

/// The one that explains a plan.
pub(crate) fn find(plan: &Plan, shape: &Shape) -> Option<&'static Exception> {
    ALL.iter().find(|exception| exception.is_about(plan, shape))
}

impl Exception {
    fn read(section: &str) -> Self {
        let field = |name: &str| {
            let start = format!("\n- {name}: ");
            let (_, rest) = section.split_once(&start).unwrap_or_else(|| {
                panic!("an exception without `{name}`: {section}");
            });
            rest.lines().next().unwrap_or_default().to_owned()
        };
        // Said in words, for people.
        for words in ["Citus", "right"] {
            assert!(field(words).len() > 20, "too little is said: {section}");
        }
        let (_, example) = section.split_once("```sql\n").expect("an example");
        let exception = Self {
            name: section.lines().next().unwrap_or_default().to_owned(),
            features: field("statement").split(", ").map(str::to_owned).collect(),
            plan: field("plan").trim_matches('`').to_owned(),
            example: example.split("\n```").next().unwrap_or_default().to_owned(),
        };
        // Panics where a feature is misspelt.
        let nothing = Shape::default();
        assert!(
            !exception
                .features
                .iter()
                .any(|feature| nothing.has(feature))
        );
        exception
    }

    pub(crate) fn is_about(&self, plan: &Plan, shape: &Shape) -> bool {
        let planned = match plan {
            Plan::OneTask | Plan::TooLong => false,
            Plan::Tasks => self.plan == "tasks",
            Plan::Subplans => self.plan == "subplans",
            Plan::Pulled => self.plan == "pulled",
            Plan::Fails { state, message } => self
                .plan
                .strip_prefix(state)
                .is_some_and(|said| message.starts_with(said.trim_start())),
        };
        planned && self.features.iter().all(|feature| shape.has(feature))
    }
}
