"""The form on other sites."""
