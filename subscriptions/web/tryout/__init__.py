"""The mailbox and the time machine, in try-out mode alone."""
