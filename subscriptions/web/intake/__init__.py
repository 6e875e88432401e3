"""From a request to a sign-up and its answer."""
