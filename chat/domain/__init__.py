"""The nouns and laws of a chat: users, rooms, roles, messages. Pure values, no I/O, no clock."""
