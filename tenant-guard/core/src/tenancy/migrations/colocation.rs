//! Which distributed tables share a colocation group, as Citus decides it.

use super::super::{TableName, TenantType};

/// What Citus takes when nothing else is set (`citus.shard_count`).
const DEFAULT_SHARD_COUNT: u32 = 32;

/// A colocation group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    name: String,
}

impl Group {
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// What two tables have to share so that Citus puts them into one group without being asked
/// (`ColocationId`, Citus `src/backend/distributed/utils/colocation_utils.c`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Traits {
    pub(super) shard_count: u32,
    pub(super) tenant_type: TenantType,
    pub(super) collation: Option<String>,
}

/// The groups so far, in the order in which they were made.
#[derive(Clone, Debug)]
pub(super) struct Colocation {
    groups: Vec<(Group, Traits)>,
    /// `citus.shard_count` as the migrations have set it.
    pub(super) shard_count: u32,
}

impl Default for Colocation {
    fn default() -> Self {
        Self {
            groups: Vec::new(),
            shard_count: DEFAULT_SHARD_COUNT,
        }
    }
}

impl Colocation {
    /// `colocate_with => 'default'`: the oldest group with these traits, or a new one.
    pub(super) fn default_group(&mut self, traits: Traits, founder: &TableName) -> Group {
        let fitting = self.groups.iter().find(|(_, known)| *known == traits);
        match fitting {
            Some((group, _)) => group.clone(),
            None => self.new_group(traits, founder),
        }
    }

    /// `colocate_with => 'none'`: a new group. The first of all is called `default`, each other one
    /// after the table that founds it.
    pub(super) fn new_group(&mut self, traits: Traits, founder: &TableName) -> Group {
        let mut name = if self.groups.is_empty() {
            "default".to_owned()
        } else {
            founder.to_string()
        };
        while self.groups.iter().any(|(group, _)| group.name == name) {
            name.push('\'');
        }
        let group = Group { name };
        self.groups.push((group.clone(), traits));
        group
    }

    /// How many shards a group's tables have.
    pub(super) fn shard_count(&self, group: &Group) -> u32 {
        self.groups
            .iter()
            .find(|(known, _)| known == group)
            .map_or(self.shard_count, |(_, traits)| traits.shard_count)
    }
}
