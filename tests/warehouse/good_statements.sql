SELECT COUNT(*) FROM patients
select count(*) from patients
SELECT COUNT(*) FROM patients;
SELECT COUNT(DISTINCT person_id) FROM notes
SELECT COUNT(DISTINCT note_id), COUNT(DISTINCT visit_id), COUNT(DISTINCT person_id) FROM mentions
SELECT sex, COUNT(*) FROM patients GROUP BY sex
SELECT COUNT(*) AS n, sex FROM patients GROUP BY sex
SELECT sex, age_band, COUNT(*) FROM patients GROUP BY age_band, sex
SELECT AVG(birth_year) FROM patients
SELECT sex, AVG(birth_year), VARIANCE(birth_year), SUM(birth_year) FROM patients GROUP BY sex
SELECT VAR_SAMP(age) FROM notes
SELECT SUM(age * age), COUNT(*) FROM notes
SELECT AVG(CASE WHEN age < 18 THEN 18 WHEN age > 70 THEN 70 ELSE age END) FROM notes
SELECT SUM((CASE WHEN age < 18 THEN 18 WHEN age > 70 THEN 70 ELSE age END) * (CASE WHEN age < 18 THEN 18 WHEN age > 70 THEN 70 ELSE age END)) FROM notes
SELECT COUNT(*) FROM patients WHERE sex = 'female'
SELECT COUNT(*) FROM patients WHERE 'female' = sex
SELECT COUNT(*) FROM patients WHERE sex <> 'female'
SELECT COUNT(*) FROM patients WHERE sex != 'female' AND birth_year > 1900
SELECT COUNT(*) FROM patients WHERE NOT sex = 'female'
SELECT COUNT(*) FROM patients WHERE birth_year <> 1890
SELECT COUNT(*) FROM patients WHERE NOT birth_year = 1890
SELECT COUNT(*) FROM patients WHERE NOT birth_year IN (1890, 1891, 1892)
SELECT COUNT(*) FROM patients WHERE birth_year NOT IN (1890, 1891, 1892)
SELECT COUNT(*) FROM patients WHERE birth_year BETWEEN 1890 AND 1900
SELECT COUNT(*) FROM patients WHERE birth_year NOT BETWEEN 1890 AND 1900
SELECT COUNT(*) FROM patients WHERE 1890 <= birth_year AND 1900 > birth_year
SELECT COUNT(*) FROM patients WHERE NOT (birth_year >= 1890 AND sex = 'male')
SELECT COUNT(*) FROM patients WHERE NOT (birth_year >= 1890 OR NOT sex = 'male')
SELECT COUNT(*) FROM patients WHERE NOT (NOT birth_year > 1900)
SELECT COUNT(*) FROM patients WHERE (birth_year > 1900) IS TRUE
SELECT COUNT(*) FROM patients WHERE (birth_year > 1900) IS NOT TRUE
SELECT COUNT(*) FROM patients WHERE NOT ((birth_year > 1900) IS NOT TRUE)
SELECT COUNT(*) FROM patients WHERE sex = 'male' AND (birth_year < 1890 OR birth_year > 1910)
SELECT COUNT(*) FROM patients WHERE birth_year BETWEEN 1890 AND 1900 OR sex = 'male'
SELECT COUNT(*) FROM patients WHERE NOT (birth_year BETWEEN 1890 AND 1900 AND sex = 'male')
SELECT COUNT(*) FROM patients WHERE birth_year > -1
SELECT COUNT(*) FROM notes WHERE date >= '2020-01-01' AND date < DATE '2022-06-01'
SELECT COUNT(*) FROM notes WHERE NOT date = '2020-01-10'
SELECT COUNT(*) FROM notes WHERE department = 'Öron, näsa'
SELECT COUNT(*) FROM notes WHERE department = 'O''Brien'
SELECT COUNT(*) FROM notes WHERE type LIKE 'A10%'
SELECT COUNT(*) FROM notes WHERE type NOT LIKE 'A10%'
SELECT COUNT(*) FROM notes WHERE STARTS_WITH(type, 'A10%')
SELECT COUNT(*) FROM notes WHERE site = 'no'
SELECT year, COUNT(*) FROM notes WHERE year BETWEEN 2020 AND 2022 GROUP BY year
SELECT year, quarter, COUNT(*) FROM notes WHERE year >= 2020 AND year < 2022 GROUP BY year, quarter
SELECT year, COUNT(*) FROM notes WHERE year IN (2020, 2021) GROUP BY year
SELECT month, COUNT(DISTINCT person_id) FROM visits GROUP BY month
SELECT department, COUNT(*) FROM notes WHERE department IN ('Ortopedi', 'O''Brien') GROUP BY department
SELECT label, COUNT(DISTINCT person_id) FROM mentions WHERE negated = 'no' AND family = 'no' GROUP BY label
SELECT CASE WHEN department IN ('Ortopedi') THEN department END, COUNT(*) FROM notes WHERE department IN ('Ortopedi') GROUP BY CASE WHEN department IN ('Ortopedi') THEN department END
SELECT CASE WHEN birth_year >= 1880 AND birth_year < 1900 THEN '1880-1899' WHEN birth_year >= 1900 AND birth_year < 1950 THEN '1900-1949' END AS born, COUNT(*) FROM patients WHERE birth_year BETWEEN 1880 AND 1949 GROUP BY CASE WHEN birth_year >= 1880 AND birth_year < 1900 THEN '1880-1899' WHEN birth_year >= 1900 AND birth_year < 1950 THEN '1900-1949' END
SELECT COUNT(*) FROM patients WHERE person_id IN (SELECT person_id FROM mentions WHERE label = 'DRUG')
SELECT COUNT(*) FROM patients WHERE person_id NOT IN (SELECT person_id FROM mentions WHERE label = 'DRUG' AND year > 2021)
SELECT COUNT(*) FROM patients WHERE NOT person_id IN (SELECT person_id FROM visits) AND sex = 'male'
SELECT COUNT(*) FROM notes WHERE person_id IN (SELECT person_id FROM visits WHERE person_id IN (SELECT person_id FROM patients WHERE NOT birth_year < 1900))
SELECT "sex", COUNT(*) FROM "patients" GROUP BY "sex"
SELECT COUNT(*) FROM Patients WHERE Sex = 'male'
