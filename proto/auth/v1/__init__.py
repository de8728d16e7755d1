"""`rookery.auth.v1`."""
