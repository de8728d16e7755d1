"""`rookery.auth`."""
