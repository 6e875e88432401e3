"""What may happen, decided without a database, a clock or a network."""
