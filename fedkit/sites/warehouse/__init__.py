"""The site's side of the data warehouse: its tables, and answers to questions under an approved data request.

    plan = site.plan(request.digest, question)            # nothing runs: cost, rules, what the site would run
    receipt = site.execute(request.digest, "query", 1, question.digest)

questions: those that were planned · planning: what a plan says · answering: from a question to what may leave · released: the
release memory.

tables: OMOP CDM 5.4 and what it has no place for · rows: a note as rows · sources, building: from notes to tables, resumable,
only what changed · views: what questions are asked of, without text · database: where tables are written · connection: what
questions are asked over, and can do nothing else · site_tables, framing: answers out of them · catalogue, publishing: what
everybody may see, as the steward has signed it · synthetic: invented tables at full size.
"""
