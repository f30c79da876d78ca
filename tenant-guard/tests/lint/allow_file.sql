-- tenant-guard: allow-file(TG003) reason: set up once for each database
CREATE TABLE notes (id bigint);
CREATE INDEX ON notes (id);
SELECT id FROM nope; --~ TG006
