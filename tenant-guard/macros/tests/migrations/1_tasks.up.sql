CREATE TABLE tasks (tenant_id bigint NOT NULL, id bigint NOT NULL, PRIMARY KEY (tenant_id, id));
SELECT create_distributed_table('tasks', 'tenant_id');
