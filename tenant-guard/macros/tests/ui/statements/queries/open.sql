-- What is left to do.
SELECT id, title FROM tasks WHERE NOT done AND id > $1;
