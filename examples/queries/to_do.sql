-- What is left to do in a project, the small things first.
SELECT title, points
FROM tasks
WHERE project_id = $1 AND NOT done
ORDER BY points, id
