-- The tenants themselves. A tenant's own row lies where its other rows lie.
CREATE TABLE organisations (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    country text NOT NULL REFERENCES countries (code)
);
SELECT create_distributed_table('organisations', 'id');
