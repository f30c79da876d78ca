-- Statements and the comments that allow them.
SELECT id FROM tasks;

-- tenant-guard: allow(TG006) reason: nightly report over all tenants
SELECT id FROM nope;
SELECT id FROM nope; --~ TG006

-- tenant-guard: allow(TG006) reason: nightly report
-- with more to say
/* -- tenant-guard: allow(TG999) reason: within a comment of the other kind */
SELECT id
FROM nope;

-- tenant-guard: allow(TG009) reason: of no use --~ allow-unused
SELECT id FROM nope; --~ TG006

--~v allow-without-reason
-- tenant-guard: allow(TG006)
SELECT id FROM nope; --~ TG006

-- tenant-guard: ignore (by hand) --~ allow-malformed
SELECT id FROM nope; --~ TG006
SELECT id FROM tasks; -- tenant-guard: allow(TG006) reason: behind --~ allow-malformed
SELECT id FROM tasks WHERE title = '
-- tenant-guard: allow(TG006) reason: within a string
';
SELECT id FROM nope; SELECT id FROM nope; --~ TG006 TG006
-- tenant-guard: allow(TG006) reason: one of two in a line
SELECT id FROM nope; SELECT id FROM nope;
-- tenant-guard: allow(TG006) reason: nothing follows --~ allow-unused
