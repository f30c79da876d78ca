-- Lists the functions of a fresh database for src/safe_functions.txt, one line a name, with its class:
--   immutable  every overload is IMMUTABLE, at least one takes and gives plain values only, and it is
--              no internal support (types' I/O, operators, index access methods, aggregates' steps,
--              encodings, text search templates)
--   review     any other name: it belongs into src/safe_functions.txt only after reading what it does
-- Run it with psql -XAt -F ' ' on a new database without extensions; compare with the list.
WITH function AS (
    SELECT p.oid, p.proname, p.provolatile,
           EXISTS (SELECT FROM pg_operator WHERE oprcode = p.oid) AS is_operator,
           EXISTS (SELECT FROM pg_amproc WHERE amproc = p.oid)
           OR EXISTS (SELECT FROM pg_type
                      WHERE p.oid IN (typinput, typoutput, typreceive, typsend, typmodin, typmodout,
                                      typanalyze, typsubscript))
           OR EXISTS (SELECT FROM pg_aggregate
                      WHERE p.oid <> aggfnoid
                        AND p.oid IN (aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn,
                                      aggmtransfn, aggminvtransfn, aggmfinalfn))
           OR EXISTS (SELECT FROM pg_conversion WHERE conproc = p.oid)
           OR EXISTS (SELECT FROM pg_ts_template WHERE p.oid IN (tmplinit, tmpllexize))
           OR EXISTS (SELECT FROM pg_ts_parser
                      WHERE p.oid IN (prsstart, prstoken, prsend, prsheadline, prslextype))
               AS is_support,
           (SELECT bool_and(t.typname !~ '^_?(reg|pg_)'
                            AND t.typname !~ '(handler|trigger)$'
                            AND t.typname NOT IN ('internal', 'cstring', 'unknown', 'void', 'oid', 'tid',
                                                  'xid', 'xid8', 'cid', 'aclitem', 'gtsvector', 'int2vector',
                                                  'oidvector', 'refcursor', 'txid_snapshot')
                            AND t.typname NOT IN ('_oid', '_tid', '_xid', '_cid', '_aclitem', '_cstring'))
            FROM unnest(p.proargtypes::oid[] || coalesce(p.proallargtypes, '{}') || p.prorettype) AS used(oid)
            JOIN pg_type AS t ON t.oid = used.oid) AS plain_values
    FROM pg_proc AS p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace
)
SELECT proname,
       CASE WHEN bool_and(provolatile = 'i') AND bool_or(plain_values)
                 AND NOT bool_or(is_support) AND NOT bool_and(is_operator)
            THEN 'immutable' ELSE 'review' END
FROM function
GROUP BY proname
ORDER BY proname COLLATE "C";
