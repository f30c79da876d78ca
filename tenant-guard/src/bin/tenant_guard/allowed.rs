//! What is allowed beyond the defaults.

use clap::Args;
use tenant_guard::{Policy, PolicyError};

/// What the command line or a project's file declares tenant-safe.
#[derive(Debug, Args)]
pub(crate) struct Allowed {
    /// A function that is tenant-safe: its result depends on nothing but its arguments. With its
    /// signature: `slugify(text, integer DEFAULT 80)`; may be repeated.
    #[arg(long = "allow-function", value_name = "SIGNATURE")]
    pub(crate) functions: Vec<String>,
    /// An operator that is tenant-safe, such as `<=>`; may be repeated.
    #[arg(long = "allow-operator", value_name = "OPERATOR")]
    pub(crate) operators: Vec<String>,
    /// A type that is tenant-safe, such as `vector`; may be repeated.
    #[arg(long = "allow-type", value_name = "TYPE")]
    pub(crate) types: Vec<String>,
    /// An extension of which everything safe is allowed, by its name in CREATE EXTENSION; may be
    /// repeated.
    #[arg(long = "allow-extension", value_name = "EXTENSION")]
    pub(crate) extensions: Vec<String>,
}

impl Allowed {
    pub(crate) fn policy(&self) -> Result<Policy, PolicyError> {
        let mut policy = Policy::default();
        for signature in &self.functions {
            policy = policy.allow_function(signature)?;
        }
        for operator in &self.operators {
            policy = policy.allow_operator(operator)?;
        }
        for name in &self.types {
            policy = policy.allow_type(name)?;
        }
        for extension in &self.extensions {
            policy = policy.allow_extension(extension.parse()?);
        }
        Ok(policy)
    }
}
