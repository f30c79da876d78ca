-- Read by every tenant, written by none: a copy on every node.
CREATE TABLE countries (
    code text PRIMARY KEY,
    name text NOT NULL
);
SELECT create_reference_table('countries');

INSERT INTO countries (code, name)
VALUES ('BR', 'Brazil'), ('DE', 'Germany'), ('IN', 'India'), ('JP', 'Japan'), ('KE', 'Kenya');
