"""Whether evidence is as it was sealed: told to the commands, from a database, a copy of one, or a proof."""
