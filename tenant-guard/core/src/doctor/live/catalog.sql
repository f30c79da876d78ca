WITH namespaces AS (
    SELECT oid, nspname
    FROM pg_catalog.pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'citus', 'citus_internal', 'columnar',
                          'columnar_internal')
      AND nspname !~ '^pg_(toast|temp)'
), extended AS (
    -- What an extension brought along.
    SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
), relations AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition, c.relrowsecurity, c.relforcerowsecurity
    FROM pg_catalog.pg_class c
    JOIN namespaces n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT EXISTS (SELECT FROM extended e
                      WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid)
), expressions AS (
    -- An expression is stored as a tree that names functions and operators by their OIDs. Constants
    -- are dumped as bytes, so that no text of a user can look like a part of it.
    SELECT d.adrelid AS relid, CASE WHEN a.attgenerated = '' THEN 'default' ELSE 'generated' END AS place,
           a.attname AS name, d.adbin::text AS tree
    FROM pg_catalog.pg_attrdef d
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    UNION ALL
    SELECT conrelid, 'check', conname, conbin::text
    FROM pg_catalog.pg_constraint WHERE contype = 'c' AND conrelid <> 0
    UNION ALL
    SELECT a.attrelid, 'domain', t.typname, x.conbin::text
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    JOIN pg_catalog.pg_constraint x ON x.contypid = t.oid AND x.contype = 'c'
    WHERE a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT polrelid, 'policy', polname, pg_catalog.concat(polqual::text, polwithcheck::text)
    FROM pg_catalog.pg_policy
    UNION ALL
    SELECT i.indrelid, 'index', c.relname, pg_catalog.concat(i.indexprs::text, i.indpred::text)
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
), called AS (
    SELECT e.relid, e.place, e.name, f.funcid
    FROM expressions e
    CROSS JOIN LATERAL (
        -- PostgreSQL's own casts and operators compute from their operands alone; its functions are
        -- told by name.
        SELECT m[1]::oid AS funcid
        FROM pg_catalog.regexp_matches(e.tree, ':(?:funcid|aggfnoid|winfnoid) (\d+)', 'g') m
        WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_cast k
                          WHERE k.castfunc = m[1]::oid AND k.oid < 16384)
        UNION ALL
        SELECT o.oprcode
        FROM pg_catalog.regexp_matches(e.tree, ':opno (\d+)', 'g') m
        JOIN pg_catalog.pg_operator o ON o.oid = m[1]::oid
        WHERE o.oprnamespace <> 'pg_catalog'::pg_catalog.regnamespace
          AND NOT EXISTS (SELECT FROM extended x
                          WHERE x.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND x.objid = o.oid)
    ) f
), calls AS (
    SELECT c.relid, c.place, c.name, pg_catalog.json_agg(DISTINCT pg_catalog.jsonb_build_object(
        'schema', n.nspname, 'name', p.proname)) AS functions
    FROM called c
    JOIN pg_catalog.pg_proc p ON p.oid = c.funcid
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    GROUP BY c.relid, c.place, c.name
)
SELECT pg_catalog.json_build_object(
    'search_path', pg_catalog.to_json(pg_catalog.current_schemas(false)),
    'schemas', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'name', nspname, 'public_create', pg_catalog.has_schema_privilege('public', oid, 'CREATE')
        ) ORDER BY nspname), '[]')
        FROM namespaces
    ),
    'relations', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', r.nspname,
            'name', r.relname,
            'kind', CASE r.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized_view'
                                   WHEN 'f' THEN 'foreign_table' ELSE 'table' END,
            'columns', (
                SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                    'name', a.attname,
                    'data_type', pg_catalog.format_type(a.atttypid, NULL),
                    'domain_over', CASE WHEN t.typtype = 'd'
                                        THEN pg_catalog.format_type(t.typbasetype, NULL) END,
                    'not_null', a.attnotnull,
                    'collation', CASE WHEN a.attcollation <> t.typcollation THEN l.collname END,
                    'nondeterministic', NOT coalesce(l.collisdeterministic, true),
                    'sequence', (
                        SELECT pg_catalog.json_build_object('schema', sn.nspname, 'name', s.relname)
                        FROM pg_catalog.pg_class s
                        JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
                        WHERE s.relkind = 'S' AND s.oid IN (
                            -- A default that draws from it, or an identity column that owns it.
                            SELECT p.refobjid
                            FROM pg_catalog.pg_attrdef d
                            JOIN pg_catalog.pg_depend p
                              ON p.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND p.objid = d.oid
                             AND p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                            WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum
                            UNION ALL
                            SELECT p.objid
                            FROM pg_catalog.pg_depend p
                            WHERE p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.deptype = 'i'
                              AND p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                              AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum)
                        LIMIT 1
                    )
                ) ORDER BY a.attnum), '[]')
                FROM pg_catalog.pg_attribute a
                JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
                WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
            ),
            'keys', (
                -- A partition's copies of the keys above it are left out. Of exclusion constraints
                -- only the columns compared by `=` keep rows apart.
                SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('name', ic.relname, 'columns', (
                    SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY k.place), '[]')
                    FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place)
                    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                    WHERE k.place <= i.indnkeyatts AND k.attnum > 0
                      AND (x.conexclop IS NULL OR EXISTS (
                        SELECT FROM pg_catalog.pg_operator o
                        WHERE o.oid = x.conexclop[k.place] AND o.oprname = '='))
                )) ORDER BY ic.relname), '[]')
                FROM pg_catalog.pg_index i
                JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
                LEFT JOIN pg_catalog.pg_constraint x ON x.conindid = i.indexrelid AND x.contype = 'x'
                WHERE i.indrelid = r.oid AND (i.indisunique OR i.indisexclusion)
                  AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = i.indexrelid)
            ),
            'foreign_keys', (
                SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                    'name', x.conname,
                    'columns', (
                        SELECT pg_catalog.json_agg(a.attname ORDER BY k.place)
                        FROM pg_catalog.unnest(x.conkey) WITH ORDINALITY k (attnum, place)
                        JOIN pg_catalog.pg_attribute a ON a.attrelid = x.conrelid AND a.attnum = k.attnum
                    ),
                    'target', pg_catalog.json_build_object('schema', tn.nspname, 'name', t.relname),
                    'target_columns', (
                        SELECT pg_catalog.json_agg(a.attname ORDER BY k.place)
                        FROM pg_catalog.unnest(x.confkey) WITH ORDINALITY k (attnum, place)
                        JOIN pg_catalog.pg_attribute a ON a.attrelid = x.confrelid AND a.attnum = k.attnum
                    ),
                    'on_delete', CASE x.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set_null'
                                                    WHEN 'd' THEN 'set_default' ELSE 'refuse' END,
                    'on_update', CASE x.confupdtype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set_null'
                                                    WHEN 'd' THEN 'set_default' ELSE 'refuse' END,
                    'delete_sets', (
                        SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY k.place), '[]')
                        FROM pg_catalog.unnest(x.confdelsetcols) WITH ORDINALITY k (attnum, place)
                        JOIN pg_catalog.pg_attribute a ON a.attrelid = x.conrelid AND a.attnum = k.attnum
                    )
                ) ORDER BY x.conname), '[]')
                FROM pg_catalog.pg_constraint x
                JOIN pg_catalog.pg_class t ON t.oid = x.confrelid
                JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
                WHERE x.conrelid = r.oid AND x.contype = 'f' AND x.conparentid = 0
            ),
            'expressions', (
                SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                    'place', c.place, 'name', c.name, 'calls', c.functions) ORDER BY c.place, c.name), '[]')
                FROM calls c
                WHERE c.relid = r.oid
            ),
            'triggers', (
                -- A partition's copies of the triggers above it are left out.
                SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                    'name', g.tgname,
                    'function', pg_catalog.json_build_object('schema', n.nspname, 'name', p.proname)
                ) ORDER BY g.tgname), '[]')
                FROM pg_catalog.pg_trigger g
                JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid
                JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                WHERE g.tgrelid = r.oid AND NOT g.tgisinternal AND g.tgparentid = 0
            ),
            'rules', (
                SELECT coalesce(pg_catalog.json_agg(w.rulename ORDER BY w.rulename), '[]')
                FROM pg_catalog.pg_rewrite w
                WHERE w.ev_class = r.oid AND w.rulename <> '_RETURN'
            ),
            'row_security', r.relrowsecurity,
            'row_security_forced', r.relforcerowsecurity,
            'policies', (
                SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                    'name', p.polname, 'permissive', p.polpermissive) ORDER BY p.polname), '[]')
                FROM pg_catalog.pg_policy p
                WHERE p.polrelid = r.oid
            ),
            'parents', (
                SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                    'schema', pn.nspname, 'name', p.relname, 'partition', r.relispartition
                ) ORDER BY h.inhseqno), '[]')
                FROM pg_catalog.pg_inherits h
                JOIN pg_catalog.pg_class p ON p.oid = h.inhparent
                JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
                WHERE h.inhrelid = r.oid
            ),
            'reads', (
                SELECT coalesce(pg_catalog.json_agg(DISTINCT pg_catalog.jsonb_build_object(
                    'schema', tn.nspname, 'name', t.relname)), '[]')
                FROM pg_catalog.pg_rewrite w
                JOIN pg_catalog.pg_depend d
                  ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
                 AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> r.oid
                JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
                JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
                WHERE w.ev_class = r.oid AND w.rulename = '_RETURN'
            )
        ) ORDER BY r.nspname, r.relname), '[]')
        FROM relations r
    ),
    'functions', (
        SELECT coalesce(pg_catalog.json_agg(DISTINCT pg_catalog.jsonb_build_object(
            'schema', n.nspname, 'name', p.proname)), '[]')
        FROM pg_catalog.pg_proc p
        JOIN namespaces n ON n.oid = p.pronamespace
        WHERE NOT EXISTS (SELECT FROM extended e
                          WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND e.objid = p.oid)
    ),
    'operators', (
        SELECT coalesce(pg_catalog.json_agg(DISTINCT pg_catalog.jsonb_build_object(
            'schema', n.nspname, 'name', o.oprname)), '[]')
        FROM pg_catalog.pg_operator o
        JOIN namespaces n ON n.oid = o.oprnamespace
        WHERE NOT EXISTS (SELECT FROM extended e
                          WHERE e.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND e.objid = o.oid)
    ),
    'types', (
        -- Neither the types of rows nor those of arrays.
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', n.nspname, 'name', t.typname) ORDER BY n.nspname, t.typname), '[]')
        FROM pg_catalog.pg_type t
        JOIN namespaces n ON n.oid = t.typnamespace
        WHERE (t.typrelid = 0
               OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
          AND NOT EXISTS (SELECT FROM extended e
                          WHERE e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND e.objid = t.oid)
    ),
    'casts', (
        -- PostgreSQL's own have OIDs below 16384 (`FirstNormalObjectId`).
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'source', pg_catalog.format_type(k.castsource, NULL),
            'target', pg_catalog.format_type(k.casttarget, NULL),
            'function', CASE WHEN n.nspname <> 'pg_catalog'
                             THEN pg_catalog.json_build_object('schema', n.nspname, 'name', p.proname) END
        )), '[]')
        FROM pg_catalog.pg_cast k
        LEFT JOIN pg_catalog.pg_proc p ON p.oid = k.castfunc
        LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE k.oid >= 16384
          AND NOT EXISTS (SELECT FROM extended e
                          WHERE e.classid = 'pg_catalog.pg_cast'::pg_catalog.regclass AND e.objid = k.oid)
    )
)::text
