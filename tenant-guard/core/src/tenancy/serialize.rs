//! A tenancy for programs to read.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::{Table, Tenancy, View};

/// All that is known, with the tables as a list; it is not meant to be read back.
impl Serialize for Tenancy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tables: Vec<&Table> = self.tables.values().collect();
        let views: Vec<&View> = self.views.values().collect();
        let mut object = serializer.serialize_struct("Tenancy", 7)?;
        object.serialize_field("fingerprint", &self.fingerprint.to_string())?;
        object.serialize_field("search_path", &self.search_path)?;
        object.serialize_field("tables", &tables)?;
        object.serialize_field("views", &views)?;
        object.serialize_field("types", &self.types)?;
        object.serialize_field("composite_fields", &self.composite_fields)?;
        object.serialize_field("user_functions", &self.user_functions)?;
        object.end()
    }
}
