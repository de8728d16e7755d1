"""The shared core: what every role of Rookery knows about chatting, without any network or driver."""
