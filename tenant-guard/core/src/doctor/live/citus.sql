SELECT pg_catalog.json_build_object('tables', (
    SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
        'schema', n.nspname, 'name', c.relname, 'method', p.partmethod, 'replication', p.repmodel,
        'colocation', p.colocationid, 'column', a.attname
    ) ORDER BY n.nspname, c.relname), '[]')
    FROM pg_catalog.pg_dist_partition p
    JOIN pg_catalog.pg_class c ON c.oid = p.logicalrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = p.logicalrelid
        AND a.attnum = (pg_catalog.regexp_match(p.partkey, ':varattno (\d+)'))[1]::int2
))::text
