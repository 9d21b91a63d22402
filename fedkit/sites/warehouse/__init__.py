"""The site's side of the data warehouse: its tables, and answers to questions under an approved data request.

    plan = site.plan(request.digest, question)            # nothing runs: cost, rules, what the site would run
    receipt = site.execute(request.digest, "query", 1, question.digest)

questions: those that were planned · planning: what a plan says · answering: from a question to what may leave · released: the
release memory. The store of the notes' persons, visits and mentions, how it is built and what its catalogue says stand beside
them: store, building, connection, catalogue.
"""
