"""What the system needs from the outside: small protocols whose docstrings state ordering and delivery guarantees.

Each has an embedded engine (`chat.engines`) and a production adapter (`chat.adapters`), and one contract suite in
`tests/contracts` that every implementation passes. Every method may raise `chat.errors.Unavailable`; beyond that,
only what its docstring names. Every method is safe to cancel at any await: the call then either took effect as a
whole or not at all.
"""
