-- What a server says of its own functions (schema pg_catalog, without those of extensions): one row a name, in
-- the order of bytes.
--   volatility  of the overload that is the least sure: immutable, stable or volatile
--   kind        plain     at least one overload takes and gives values that guarded SQL can hold
--               internal  every overload is a part of the server's machinery: it takes or gives what SQL cannot
--                         hold, or is a type's input or output, a support function of an index or of a search
--                         parser, a step of an aggregate, a conversion of encodings
--               other     anything else
-- The first row is the release. `cargo xtask functions` runs this and compares it with src/builtin/functions.txt.
SELECT current_setting('server_version_num')::integer / 10000;

WITH function AS (
    SELECT p.proname,
           p.provolatile,
           EXISTS (SELECT FROM pg_amproc WHERE amproc = p.oid)
           OR EXISTS (SELECT FROM pg_type
                      WHERE p.oid IN (typinput, typoutput, typreceive, typsend, typmodin, typmodout,
                                      typanalyze, typsubscript))
           OR EXISTS (SELECT FROM pg_aggregate
                      WHERE p.oid <> aggfnoid
                        AND p.oid IN (aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn,
                                      aggmtransfn, aggminvtransfn, aggmfinalfn))
           OR EXISTS (SELECT FROM pg_conversion WHERE conproc = p.oid)
           OR EXISTS (SELECT FROM pg_operator WHERE p.oid IN (oprrest, oprjoin))
           OR EXISTS (SELECT FROM pg_ts_template WHERE p.oid IN (tmplinit, tmpllexize))
           OR EXISTS (SELECT FROM pg_ts_parser
                      WHERE p.oid IN (prsstart, prstoken, prsend, prsheadline, prslextype))
           OR EXISTS (SELECT FROM pg_proc AS other WHERE other.prosupport = p.oid)
           OR bool_or(t.typname IN ('internal', 'cstring', 'trigger', 'event_trigger', '_cstring')
                      OR t.typname LIKE '%\_handler')
               AS is_machinery,
           bool_and(t.typname !~ '^_?(reg|pg_)'
                    AND t.typname NOT IN ('unknown', 'void', 'xml', 'oid', 'tid', 'xid', 'xid8', 'cid',
                                          'aclitem', 'gtsvector', 'int2vector', 'oidvector', 'refcursor',
                                          'txid_snapshot', '_xml', '_oid', '_tid', '_xid', '_xid8', '_cid',
                                          '_aclitem'))
               AS has_plain_values
    FROM pg_proc AS p,
         unnest(p.proargtypes::oid[] || coalesce(p.proallargtypes, '{}') || p.prorettype) AS used(oid)
         JOIN pg_type AS t ON t.oid = used.oid
    WHERE p.pronamespace = 'pg_catalog'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend
                      WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
    GROUP BY p.oid
)
SELECT proname,
       CASE WHEN bool_and(provolatile = 'i') THEN 'immutable'
            WHEN bool_or(provolatile = 'v') THEN 'volatile'
            ELSE 'stable'
       END AS volatility,
       CASE WHEN bool_and(is_machinery) THEN 'internal'
            WHEN bool_or(has_plain_values AND NOT is_machinery) THEN 'plain'
            ELSE 'other'
       END AS kind
FROM function
GROUP BY proname
ORDER BY proname COLLATE "C";
