"""How things look: the colours of the design, the shades of a list's own colour, its picture; for pages and mails."""
