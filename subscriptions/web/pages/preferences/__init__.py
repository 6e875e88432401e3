"""The pages behind one's own mailbox."""
