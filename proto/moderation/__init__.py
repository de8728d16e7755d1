"""`rookery.moderation`."""
