"""The virtual data warehouse: questions to all sites as if they were one, and no note leaves any of them. Pure rules, no I/O.

    from fedkit.warehouse import sql
    from fedkit.warehouse.builder import count

    question = count("patients").where(label="IMPLANT", year=(2020, 2024)).by("site", "year").question()
    question == sql.parse("SELECT site, year, COUNT(DISTINCT person_id) FROM mentions WHERE label = 'IMPLANT' "
                          "AND year BETWEEN 2020 AND 2024 GROUP BY site, year")

What is where: schema (views and columns) · predicates, measures, groups, question (a question as data) · builder and sql (two
ways to make one) · render (what a site runs) · explain (a question in words) · plan_report (what a site says beforehand) ·
suggestions (near names) · disclosure/, noise/, memory (what may leave) · statistics/ (other kinds of questions).
"""
