SELECT id FROM tasks
