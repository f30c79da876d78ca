CREATE TABLE tasks (tenant_id bigint, id bigint, title text, done boolean, PRIMARY KEY (tenant_id, id));
CREATE TABLE projects (tenant_id bigint, id bigint, name text, PRIMARY KEY (tenant_id, id));
SELECT create_distributed_table('tasks', 'tenant_id');
SELECT create_distributed_table('projects', 'tenant_id');
