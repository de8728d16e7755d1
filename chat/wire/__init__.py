"""The formats of bytes that leave a process: frames of clients, records of the log, payloads of the relay."""
