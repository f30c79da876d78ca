-- Without the schema's own statements: of a query's folder, DDL is refused.
CREATE TABLE notes (id bigint); --~ TG003
SELECT 'a;b', $$c;d$$ FROM tasks;
SELECT id FROM "Tasks"; --~ TG006
UPDATE tasks SET tenant_id = 6; --~ TG017
INSERT INTO tasks (tenant_id, id) VALUES (1, 2); --~ TG016
SELECT titel FROM tasks; --~ TG023
SELEC id FROM tasks; --~ TG001
SELECT id -- the place is where the table is
FROM tasks, -- which is below
  nope; --~ TG006
