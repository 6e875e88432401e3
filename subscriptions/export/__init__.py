"""What leaves: confirmed lists for whatever sends the newsletter."""
