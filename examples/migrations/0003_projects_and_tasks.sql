-- The tenant stands in every key, so that no key reaches over to another tenant.
CREATE TABLE projects (
    organisation_id bigint NOT NULL REFERENCES organisations (id),
    id bigint NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (organisation_id, id)
);
SELECT create_distributed_table('projects', 'organisation_id', colocate_with => 'organisations');

CREATE TABLE tasks (
    organisation_id bigint NOT NULL,
    id bigint NOT NULL,
    project_id bigint NOT NULL,
    title text NOT NULL,
    points integer NOT NULL DEFAULT 1,
    done boolean NOT NULL DEFAULT false,
    PRIMARY KEY (organisation_id, id),
    FOREIGN KEY (organisation_id, project_id) REFERENCES projects (organisation_id, id)
);
CREATE INDEX tasks_by_project ON tasks (organisation_id, project_id);
SELECT create_distributed_table('tasks', 'organisation_id', colocate_with => 'organisations');
