"""What each command does: a handler for each, by subject, and the table in `table.py`."""
