"""`rookery edge --processes N`: one command that runs several edges on one port, each on a core of its own."""
