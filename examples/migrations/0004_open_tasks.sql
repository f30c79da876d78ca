-- For each project what is left to do. The guard puts this query in the view's place, restricted.
CREATE VIEW open_tasks AS
    SELECT project_id, count(*) AS open FROM tasks WHERE NOT done GROUP BY project_id;
