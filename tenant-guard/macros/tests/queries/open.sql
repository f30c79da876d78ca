SELECT id, title
FROM tasks
WHERE id > $1;
