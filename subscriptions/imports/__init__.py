"""A list from another program: its file as rows, its rows as people, and the work that brings them in."""
