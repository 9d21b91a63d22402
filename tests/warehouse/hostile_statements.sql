## single rows and single persons
SELECT * FROM patients
SELECT person_id FROM patients
SELECT person_id, COUNT(*) FROM notes GROUP BY person_id
SELECT note_id, COUNT(*) FROM notes GROUP BY note_id
SELECT sex, birth_year FROM patients
SELECT DISTINCT birth_year FROM patients
SELECT COUNT(*), birth_year FROM patients
SELECT sex, COUNT(*) FROM patients GROUP BY sex, birth_year
SELECT date, COUNT(*) FROM notes GROUP BY date
SELECT COUNT(*) FROM patients WHERE person_id = 4711
SELECT COUNT(*) FROM patients WHERE person_id IN (1, 2, 3)
SELECT COUNT(*) FROM patients WHERE person_id BETWEEN 1 AND 2
SELECT COUNT(*) FROM notes WHERE note_id < 10
SELECT AVG(person_id) FROM patients
SELECT SUM(note_id) FROM notes
SELECT COUNT(person_id) FROM patients
SELECT COUNT(DISTINCT birth_year) FROM patients
SELECT COUNT(DISTINCT person_id, note_id) FROM notes
SELECT patients FROM patients
SELECT COLUMNS(*) FROM patients
SELECT text, COUNT(*) FROM notes GROUP BY text
SELECT note_text FROM note
## extremes and order
SELECT MIN(birth_year) FROM patients
SELECT MAX(birth_year) FROM patients
SELECT MEDIAN(birth_year) FROM patients
SELECT QUANTILE_CONT(birth_year, 0.01) FROM patients
SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY birth_year) FROM patients
SELECT FIRST(birth_year) FROM patients
SELECT ANY_VALUE(birth_year) FROM patients
SELECT ARG_MAX(person_id, birth_year) FROM patients
SELECT MODE(birth_year) FROM patients
SELECT sex, COUNT(*) FROM patients GROUP BY sex ORDER BY COUNT(*)
SELECT sex, COUNT(*) FROM patients GROUP BY sex LIMIT 1
SELECT sex, COUNT(*) FROM patients GROUP BY sex LIMIT 1 OFFSET 1
SELECT COUNT(*) FROM patients FETCH FIRST 1 ROWS ONLY
SELECT TOP 1 birth_year FROM patients
SELECT sex, COUNT(*) FROM patients GROUP BY sex HAVING COUNT(*) = 1
SELECT sex, COUNT(*) FROM patients GROUP BY sex HAVING MAX(birth_year) > 2000
SELECT COUNT(*) FROM patients QUALIFY ROW_NUMBER() OVER () = 1
SELECT COUNT(*) FROM patients USING SAMPLE 1
SELECT COUNT(*) FROM patients TABLESAMPLE (1 ROWS)
## lists, texts and structures as figures
SELECT LIST(birth_year) FROM patients
SELECT ARRAY_AGG(person_id) FROM patients
SELECT STRING_AGG(department, ',') FROM notes
SELECT GROUP_CONCAT(department) FROM notes
SELECT HISTOGRAM(birth_year) FROM patients
SELECT MAP(LIST(person_id), LIST(birth_year)) FROM patients
SELECT STRUCT_PACK(a := person_id) FROM patients
SELECT TO_JSON(patients) FROM patients
SELECT JSON_GROUP_ARRAY(person_id) FROM patients
SELECT BIT_XOR(person_id) FROM patients
SELECT PRODUCT(birth_year) FROM patients
SELECT APPROX_COUNT_DISTINCT(person_id) FROM patients
SELECT APPROX_TOP_K(birth_year, 3) FROM patients
SELECT STDDEV_POP(birth_year) FROM patients
SELECT ENTROPY(birth_year) FROM patients
SELECT CORR(birth_year, notes) FROM patients
SELECT COUNT(*) FILTER (WHERE birth_year = 1950) FROM patients
SELECT COUNT(*) OVER (PARTITION BY person_id) FROM notes
SELECT SUM(birth_year) OVER (ORDER BY person_id) FROM patients
SELECT SUM(DISTINCT birth_year) FROM patients
SELECT SUM(birth_year ORDER BY person_id) FROM patients
SELECT COUNT(*) + 0.5 FROM patients
SELECT COUNT(*) * 1000000 FROM patients
SELECT 1 / (COUNT(*) - 12) FROM patients
SELECT -COUNT(*) FROM patients
SELECT SUM(birth_year * 1000000) FROM patients
SELECT SUM(birth_year + person_id) FROM patients
SELECT SUM(CASE WHEN birth_year = 1950 THEN 1000000 ELSE 0 END) FROM patients
SELECT SUM(CASE WHEN birth_year < 1900 THEN 1900 WHEN birth_year > 2000 THEN 2000 ELSE person_id END) FROM patients
SELECT SUM(CASE WHEN birth_year < 1900 THEN 1900 WHEN birth_year > 2000 THEN 9999999 ELSE birth_year END) FROM patients
SELECT SUM(CASE WHEN birth_year < 0 THEN 0 WHEN birth_year > 9999 THEN 9999 ELSE birth_year END) FROM patients
SELECT SUM(CASE WHEN birth_year > 1900 THEN 1900 WHEN birth_year < 2000 THEN 2000 ELSE birth_year END) FROM patients
SELECT SUM(CASE WHEN birth_year <= 1900 THEN 1900 WHEN birth_year >= 2000 THEN 2000 ELSE birth_year END) FROM patients
SELECT SUM(LEAST(GREATEST(birth_year, 1900), 2000)) FROM patients
SELECT SUM(POWER(birth_year, 40)) FROM patients
SELECT SUM(birth_year * birth_year * birth_year) FROM patients
SELECT COUNT(*)::VARCHAR FROM patients
SELECT CAST(COUNT(*) AS VARCHAR) FROM patients
SELECT 42
SELECT 'x' FROM patients
SELECT NULL
SELECT TRUE, COUNT(*) FROM patients
## files, network, other databases
SELECT COUNT(*) FROM read_csv('/etc/passwd')
SELECT COUNT(*) FROM read_csv_auto('/etc/passwd')
SELECT COUNT(*) FROM read_text('/etc/passwd')
SELECT COUNT(*) FROM read_blob('/proc/self/environ')
SELECT COUNT(*) FROM read_parquet('s3://elsewhere/notes.parquet')
SELECT COUNT(*) FROM read_json('https://elsewhere.example/collect')
SELECT COUNT(*) FROM '/etc/passwd'
SELECT COUNT(*) FROM "notes.parquet"
SELECT COUNT(*) FROM 'notes.csv' AS patients
SELECT COUNT(*) FROM glob('/home/*')
SELECT COUNT(*) FROM sqlite_scan('gate.db', 'accounts')
SELECT COUNT(*) FROM postgres_scan('host=elsewhere', 'public', 'notes')
SELECT COUNT(*) FROM pg_read_file('/etc/passwd')
SELECT pg_read_file('/etc/passwd')
SELECT COUNT(*) FROM dblink('host=elsewhere', 'SELECT 1')
SELECT lo_import('/etc/passwd')
SELECT COUNT(*) FROM patients WHERE sex = (SELECT content FROM read_text('/etc/passwd'))
SELECT getenv('HOME'), COUNT(*) FROM patients
SELECT current_setting('temp_directory'), COUNT(*) FROM patients
COPY patients TO '/tmp/patients.csv'
COPY (SELECT * FROM notes) TO 's3://elsewhere/notes.parquet'
COPY patients FROM '/tmp/patients.csv'
EXPORT DATABASE '/tmp/all'
IMPORT DATABASE '/tmp/all'
ATTACH 'other.duckdb' AS other
ATTACH '' AS pg (TYPE postgres)
DETACH warehouse
INSTALL httpfs
LOAD httpfs
FORCE INSTALL spatial FROM 'http://elsewhere.example'
## the database itself
SELECT COUNT(*) FROM information_schema.tables
SELECT COUNT(*) FROM pg_catalog.pg_tables
SELECT COUNT(*) FROM pg_stat_activity
SELECT COUNT(*) FROM sqlite_master
SELECT COUNT(*) FROM duckdb_settings()
SELECT COUNT(*) FROM duckdb_secrets()
SELECT COUNT(*) FROM pragma_table_info('note')
SELECT COUNT(*) FROM main.patients
SELECT COUNT(*) FROM other.main.patients
SELECT COUNT(*) FROM note
SELECT COUNT(*) FROM person
SELECT version()
SELECT pg_sleep(3600)
SELECT pg_terminate_backend(1)
SELECT nextval('s'), COUNT(*) FROM patients
SELECT random(), COUNT(*) FROM patients GROUP BY random()
SELECT now(), COUNT(*) FROM patients
PRAGMA database_list
PRAGMA enable_external_access=true
SET enable_external_access = true
SET lock_configuration = false
RESET lock_configuration
SHOW TABLES
SHOW ALL TABLES
DESCRIBE patients
SUMMARIZE patients
EXPLAIN SELECT COUNT(*) FROM patients
EXPLAIN ANALYZE SELECT COUNT(*) FROM patients
CALL pragma_version()
CHECKPOINT
VACUUM
USE other
## what writes
DROP TABLE patients
DELETE FROM patients
UPDATE patients SET sex = 'other'
INSERT INTO patients SELECT * FROM patients
TRUNCATE patients
ALTER TABLE patients ADD COLUMN x INTEGER
CREATE TABLE mine AS SELECT * FROM notes
CREATE VIEW mine AS SELECT * FROM notes
CREATE MACRO mine(x) AS x
CREATE FUNCTION mine() RETURNS int AS 'SELECT 1' LANGUAGE sql
CREATE SECRET s (TYPE s3)
SELECT * INTO mine FROM notes
MERGE INTO patients USING notes ON TRUE WHEN MATCHED THEN DELETE
GRANT ALL ON patients TO public
DO $$ BEGIN PERFORM 1; END $$
PREPARE p AS SELECT COUNT(*) FROM patients
EXECUTE p
BEGIN
COMMIT
SELECT COUNT(*) FROM patients; DROP TABLE patients
SELECT COUNT(*) FROM patients; SELECT COUNT(*) FROM notes
SELECT COUNT(*) FROM patients;;; SELECT 1
; SELECT COUNT(*) FROM patients; DELETE FROM notes
SELECT COUNT(*) FROM patients FOR UPDATE
## more than one view
SELECT COUNT(*) FROM patients, notes
SELECT COUNT(*) FROM patients JOIN notes ON patients.person_id = notes.person_id
SELECT COUNT(*) FROM patients CROSS JOIN patients AS p
SELECT COUNT(*) FROM patients NATURAL JOIN notes
SELECT COUNT(*) FROM patients LEFT JOIN notes USING (person_id)
SELECT COUNT(*) FROM patients POSITIONAL JOIN notes
SELECT COUNT(*) FROM patients ASOF JOIN notes ON patients.person_id >= notes.person_id
SELECT COUNT(*) FROM patients, LATERAL (SELECT * FROM notes) AS n
SELECT COUNT(*) FROM patients, UNNEST([1, 2, 3])
SELECT UNNEST([1, 2, 3]), COUNT(*) FROM patients
SELECT COUNT(*) FROM (SELECT * FROM patients)
SELECT COUNT(*) FROM (SELECT * FROM patients LIMIT 1) AS p
SELECT COUNT(*) FROM (VALUES (1), (2)) AS v
SELECT COUNT(*) FROM generate_series(1, 1000000000)
SELECT COUNT(*) FROM range(1000000000000)
WITH p AS (SELECT * FROM patients) SELECT COUNT(*) FROM p
WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT COUNT(*) FROM r
SELECT COUNT(*) FROM patients UNION SELECT birth_year FROM patients
SELECT COUNT(*) FROM patients UNION ALL SELECT person_id FROM patients
SELECT COUNT(*) FROM patients EXCEPT SELECT 12
SELECT COUNT(*) FROM patients INTERSECT SELECT 12
(SELECT COUNT(*) FROM patients) UNION ALL (SELECT person_id FROM patients)
SELECT (SELECT birth_year FROM patients LIMIT 1), COUNT(*) FROM patients
SELECT COUNT(*) FROM patients WHERE birth_year = (SELECT MAX(birth_year) FROM patients)
SELECT COUNT(*) FROM patients WHERE EXISTS (SELECT 1 FROM notes)
SELECT COUNT(*) FROM patients WHERE birth_year > ALL (SELECT birth_year FROM patients)
SELECT COUNT(*) FROM patients WHERE birth_year = ANY (SELECT age FROM notes)
SELECT COUNT(*) FROM patients WHERE birth_year IN (SELECT age FROM notes)
SELECT COUNT(*) FROM patients WHERE person_id IN (SELECT note_id FROM notes)
SELECT COUNT(*) FROM patients WHERE birth_year IN (SELECT person_id FROM notes)
SELECT COUNT(*) FROM patients WHERE person_id IN (SELECT person_id FROM notes LIMIT 1)
SELECT COUNT(*) FROM patients WHERE person_id IN (SELECT person_id FROM notes ORDER BY age LIMIT 1)
SELECT COUNT(*) FROM patients WHERE person_id IN (SELECT MIN(person_id) FROM patients)
SELECT COUNT(*) FROM patients WHERE person_id IN (SELECT person_id FROM notes GROUP BY person_id HAVING COUNT(*) > 9)
SELECT COUNT(*) FROM patients WHERE person_id IN (SELECT person_id FROM notes UNION SELECT 4711)
SELECT COUNT(*) FROM patients WHERE person_id IN (SELECT person_id FROM notes WHERE note_id = 1)
SELECT COUNT(*) FROM patients WHERE person_id IN (SELECT person_id FROM read_csv('/etc/passwd'))
SELECT COUNT(*) FROM patients WHERE (person_id, sex) IN (SELECT person_id, sex FROM patients)
SELECT COUNT(*) FROM patients AS p (a, b)
SELECT sex, COUNT(*) FROM patients GROUP BY ROLLUP (sex)
SELECT sex, COUNT(*) FROM patients GROUP BY CUBE (sex)
SELECT sex, COUNT(*) FROM patients GROUP BY GROUPING SETS ((sex), ())
SELECT sex, COUNT(*) FROM patients GROUP BY ALL
SELECT * FROM patients PIVOT (COUNT(*) FOR sex IN ('male'))
PIVOT patients ON sex USING COUNT(*)
UNPIVOT patients ON birth_year INTO NAME n VALUE v
FROM patients SELECT COUNT(*)
FROM patients
TABLE patients
VALUES (1)
## conditions
SELECT COUNT(*) FROM patients WHERE 1 = 1
SELECT COUNT(*) FROM patients WHERE TRUE
SELECT COUNT(*) FROM patients WHERE sex = sex
SELECT COUNT(*) FROM patients WHERE sex = 'male' OR 'a' = 'a'
SELECT COUNT(*) FROM patients WHERE birth_year = birth_year + 0
SELECT COUNT(*) FROM patients WHERE birth_year % 2 = 0
SELECT COUNT(*) FROM patients WHERE birth_year + 1 = 1951
SELECT COUNT(*) FROM patients WHERE ABS(birth_year) = 1950
SELECT COUNT(*) FROM patients WHERE 1 / (birth_year - 1950) > 0
SELECT COUNT(*) FROM patients WHERE HASH(person_id) % 2 = 0
SELECT COUNT(*) FROM patients WHERE MD5(sex) = 'x'
SELECT COUNT(*) FROM patients WHERE RANDOM() < 0.5
SELECT COUNT(*) FROM patients WHERE rowid = 0
SELECT COUNT(*) FROM patients WHERE ctid = '(0,1)'
SELECT COUNT(*) FROM patients WHERE ROW_NUMBER() OVER () = 1
SELECT COUNT(*) FROM notes WHERE department LIKE '%a%'
SELECT COUNT(*) FROM notes WHERE department LIKE '_a%'
SELECT COUNT(*) FROM notes WHERE department ILIKE 'a%'
SELECT COUNT(*) FROM notes WHERE department NOT ILIKE 'a%'
SELECT COUNT(*) FROM notes WHERE department SIMILAR TO 'a.*'
SELECT COUNT(*) FROM notes WHERE department ~ '^(a+)+$'
SELECT COUNT(*) FROM notes WHERE REGEXP_MATCHES(department, '(a+)+')
SELECT COUNT(*) FROM notes WHERE department GLOB 'a*'
SELECT COUNT(*) FROM notes WHERE department LIKE 'a!%%' ESCAPE '!'
SELECT COUNT(*) FROM notes WHERE LENGTH(department) = 3
SELECT COUNT(*) FROM notes WHERE department || type = 'ab'
SELECT COUNT(*) FROM notes WHERE department[1] = 'a'
SELECT COUNT(*) FROM notes WHERE CAST(year AS VARCHAR) LIKE '20%'
SELECT COUNT(*) FROM notes WHERE year::VARCHAR = '2020'
SELECT COUNT(*) FROM notes WHERE year IS NULL
SELECT COUNT(*) FROM notes WHERE COALESCE(year, 1) = 1
SELECT COUNT(*) FROM notes WHERE year IS DISTINCT FROM 2020
SELECT COUNT(*) FROM notes WHERE date > CURRENT_DATE
SELECT COUNT(*) FROM notes WHERE date > '2020-01-01'::DATE + INTERVAL 1 DAY
SELECT COUNT(*) FROM notes WHERE date = '2020-02-30'
SELECT COUNT(*) FROM notes WHERE date = 'yesterday'
SELECT COUNT(*) FROM notes WHERE date > TIMESTAMP '2020-01-01 00:00:00'
SELECT COUNT(*) FROM notes WHERE year = 1e400
SELECT COUNT(*) FROM notes WHERE year = 0x7E4
SELECT COUNT(*) FROM notes WHERE year = '2020'
SELECT COUNT(*) FROM notes WHERE year = 2020.5
SELECT COUNT(*) FROM notes WHERE year = 99999999999999999999999999
SELECT COUNT(*) FROM notes WHERE year = NULL
SELECT COUNT(*) FROM notes WHERE year = ?
SELECT COUNT(*) FROM notes WHERE year = $1
SELECT COUNT(*) FROM notes WHERE year = :year
SELECT COUNT(*) FROM notes WHERE year = @year
SELECT COUNT(*) FROM notes WHERE year IN ()
SELECT COUNT(*) FROM notes WHERE sex = ''
SELECT COUNT(*) FROM notes WHERE sex = 'nobody'
SELECT COUNT(*) FROM notes WHERE sex = x'6d616c65'
SELECT COUNT(*) FROM notes WHERE sex = E'\x6dale'
SELECT COUNT(*) FROM notes WHERE sex = U&'\006dale'
SELECT COUNT(*) FROM notes WHERE sex = $$male$$
SELECT COUNT(*) FROM notes WHERE sex = CHR(109) || 'ale'
SELECT COUNT(*) FROM notes WHERE CASE WHEN year = 2020 THEN TRUE ELSE FALSE END
SELECT COUNT(*) FROM notes WHERE IF(year = 2020, TRUE, FALSE)
SELECT COUNT(*) FROM notes WHERE (SELECT TRUE)
SELECT COUNT(*) FROM notes WHERE text LIKE 'Pasienten%'
SELECT COUNT(*) FROM notes WHERE notes.year = 2020
SELECT COUNT(*) FROM notes WHERE sex XOR language
SELECT COUNT(*) FROM notes WHERE year << 2 = 8080
SELECT COUNT(*) FROM notes WHERE list_contains([2020], year)
SELECT COUNT(*) FROM notes WHERE year = ANY([2020])
SELECT COUNT(*) FROM notes WHERE x -> x + 1
SELECT COUNT(*) FROM notes WHERE sex COLLATE NOCASE = 'MALE'
## groups
SELECT year, COUNT(*) FROM notes GROUP BY year
SELECT department, COUNT(*) FROM notes GROUP BY department
SELECT birth_year % 10, COUNT(*) FROM patients GROUP BY birth_year % 10
SELECT year, COUNT(*) FROM notes WHERE year IN (2019, 2021) OR sex = 'male' GROUP BY year
SELECT CASE WHEN sex IN ('male') THEN department END, COUNT(*) FROM notes GROUP BY CASE WHEN sex IN ('male') THEN department END
SELECT CASE WHEN person_id IN (1) THEN person_id END, COUNT(*) FROM notes GROUP BY CASE WHEN person_id IN (1) THEN person_id END
SELECT CASE WHEN year >= 2020 AND year < 2021 THEN 'secret' END, COUNT(*) FROM notes GROUP BY CASE WHEN year >= 2020 AND year < 2021 THEN 'secret' END
SELECT CASE WHEN year >= 2020 AND age < 21 THEN '2020' END, COUNT(*) FROM notes GROUP BY CASE WHEN year >= 2020 AND age < 21 THEN '2020' END
SELECT CASE WHEN sex = 'male' THEN 1 ELSE birth_year END, COUNT(*) FROM notes GROUP BY CASE WHEN sex = 'male' THEN 1 ELSE birth_year END
SELECT sex, COUNT(*) FROM patients GROUP BY CASE WHEN sex IN ('male') THEN sex END
SELECT CASE WHEN year >= 2020 AND age < 2021 THEN '2020' END, COUNT(*) FROM notes GROUP BY CASE WHEN year >= 2020 AND age < 2021 THEN '2020' END
SELECT CASE WHEN year > 2019 AND year <= 2020 THEN '2019' END, COUNT(*) FROM notes GROUP BY CASE WHEN year > 2019 AND year <= 2020 THEN '2019' END
SELECT CASE WHEN year >= 2020 OR year < 2021 THEN '2020' END, COUNT(*) FROM notes GROUP BY CASE WHEN year >= 2020 OR year < 2021 THEN '2020' END
SELECT CASE WHEN year >= 2020 AND year < 2021 THEN '2020' WHEN year >= 2022 AND year < 2023 THEN '2021-2022' END, COUNT(*) FROM notes GROUP BY CASE WHEN year >= 2020 AND year < 2021 THEN '2020' WHEN year >= 2022 AND year < 2023 THEN '2021-2022' END
SELECT sex, COUNT(*) FROM patients
SELECT sex, sex, COUNT(*) FROM patients GROUP BY sex
SELECT COUNT(*) FROM patients GROUP BY sex
SELECT sex, COUNT(*) FROM patients GROUP BY 1
SELECT sex, COUNT(*) FROM patients GROUP BY sex || ''
SELECT sex, age_band, language, birth_year, COUNT(*) FROM patients WHERE birth_year BETWEEN 1900 AND 2000 GROUP BY sex, age_band, language, birth_year
SELECT COUNT(*) AS a, COUNT(*) AS b FROM patients
## comments, encodings, shapes of text
SELECT COUNT(*) FROM patients -- and nothing else
SELECT COUNT(*) /* hidden */ FROM patients
SELECT COUNT(*) FROM patients /* ; DROP TABLE patients */
SELECT /*+ PARALLEL(8) */ COUNT(*) FROM patients
SELECT COUNT(*) FROM patients WHERE sex = 'male' --' OR 1 = 1
SELECT COUNT(*) FROM patients # comment
/* SELECT */ DROP TABLE patients
SELECT COUNT(*) FROM p\u0430tients
SELECT COUNT(*) FROM patients WHERE s\u0435x = 'male'
SELECT COUNT(*) FROM \uff50\uff41\uff54\uff49\uff45\uff4e\uff54\uff53
SELECT\u00a0COUNT(*) FROM patients
SELECT COUNT(*)\u200b FROM patients
SELECT COUNT(*) FROM patients WHERE sex = \u2018male\u2019
SELECT COUNT(*) FROM patients WHERE sex \uff1d 'male'
SELECT COUNT(*) FROM patients WHERE sex = 'male\u0000'
SELECT COUNT(*) FROM patients WHERE department = 'a\u202eb'
SELECT COUNT(*) FROM patients WHERE sex = 'male'\u037e DROP TABLE patients
\ufeffSELECT COUNT(*) FROM patients
SELECT COUNT(*) FROM patients\u0000
SELECT COUNT(*) FROM `patients`
SELECT COUNT(*) FROM [patients]
SELECT COUNT(*) FROM "patients\u0022; DROP TABLE patients; --"
SELECT COUNT(*) FROM patients WHERE sex = 'male
SELECT COUNT(*) FROM patients WHERE sex = 'male''
SELECT COUNT(* FROM patients
SELECT COUNT(*) FROM
SELECT FROM patients
SELECT
COUNT(*)
Robert'); DROP TABLE patients; --
{"kind": "table"}
{{ patients }}
SELECT COUNT(*) FROM {{ patients }}
SELECT COUNT(*) FROM @patients
SELECT COUNT(*) FROM patients PREWHERE sex = 'male'
SELECT COUNT(*) FROM patients FINAL
SELECT COUNT(*) FROM patients AT (TIMESTAMP => '2020-01-01')
SELECT STRAIGHT_JOIN COUNT(*) FROM patients
SELECT SQL_NO_CACHE COUNT(*) FROM patients
SELECT ALL COUNT(*) FROM patients INTO OUTFILE '/tmp/x'
SELECT AS STRUCT COUNT(*) FROM patients
SELECT COUNT(*) FROM patients CONNECT BY PRIOR person_id = person_id
SELECT COUNT(*) FROM patients MATCH_RECOGNIZE (PATTERN (a))
SELECT COUNT(*) FROM patients SETTINGS max_threads = 1
SELECT COUNT(*) FROM patients OPTION (MAXDOP 1)
SELECT COUNT(*) FROM patients CLUSTER BY sex
SELECT COUNT(*) FROM patients WINDOW w AS (PARTITION BY sex)
SELECT TRANSFORM(person_id) USING 'cat' FROM patients
