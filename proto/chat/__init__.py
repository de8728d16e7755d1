"""`rookery.chat`."""
