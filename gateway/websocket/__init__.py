"""The server's side of a WebSocket (RFC 6455, RFC 7692) without any I/O: bytes in, events and bytes out."""
