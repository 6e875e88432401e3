"""What holds for every request: who asks, in which language, from where, and what stands on every answer."""
