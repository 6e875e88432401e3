"""Real parts for the tests: a PostgreSQL server, a mail relay that can misbehave, a browser."""
