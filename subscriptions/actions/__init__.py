"""The verbs. One function is one transaction, and every one takes `now`."""
