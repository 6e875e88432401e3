"""When: what runs by the clock, and who of many processes runs it."""
