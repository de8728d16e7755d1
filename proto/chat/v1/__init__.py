"""`rookery.chat.v1`."""
