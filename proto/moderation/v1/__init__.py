"""`rookery.moderation.v1`."""
