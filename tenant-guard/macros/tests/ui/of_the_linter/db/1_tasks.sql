CREATE TABLE tasks (tenant_id bigint NOT NULL, id bigint NOT NULL, title text, done boolean, PRIMARY KEY (tenant_id, id));
CREATE TABLE projects (tenant_id bigint NOT NULL, id bigint NOT NULL, name text, PRIMARY KEY (tenant_id, id));
CREATE TABLE countries (code text PRIMARY KEY, name text);
SELECT create_distributed_table('tasks', 'tenant_id');
SELECT create_distributed_table('projects', 'tenant_id');
SELECT create_reference_table('countries');
