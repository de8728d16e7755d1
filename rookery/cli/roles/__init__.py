"""What each role opens and runs, one function a role, in the order in which the parts need each other.

Rule 1: everything is entered on one stack, so it closes in reverse order, also when a later part fails.
Rule 2: HTTP is the last that begins and is told of a drain first, so nobody is sent to a role that cannot serve yet.
Rule 3: a drain lets clients go first, then stores what they sent, then answers the last requests.
Rule 4: a role has a module of its own, which imports what the role needs: half of a start is imports.
"""
