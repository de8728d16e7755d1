"""nginx in front of roles: sockets go to the edges, REST goes by path.

It comes from the system, or from apt-get where that may be used.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from scripts.lib.servers.process import Needs, Process
from scripts.lib.servers.tools import ports, run, say

_WHAT = "needs nginx (on Debian: apt-get install nginx-light)"
_SETTINGS = """\
daemon off;
pid nginx.pid;
worker_processes 1;
worker_rlimit_nofile 16384;
{user}
events {{ worker_connections 8000; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  upstream edges {{ {edges} }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    location /ws {{
      proxy_pass http://edges;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_read_timeout 120s;
      proxy_next_upstream error timeout http_503;
    }}
    location /api/auth/ {{ proxy_pass http://{auth}; proxy_set_header Connection ""; }}
    location / {{ proxy_pass http://{chat}; proxy_set_header Connection ""; }}
  }}
}}
"""


def binary() -> Path:
    """nginx; installed when there is none."""
    search = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    found = shutil.which("nginx", path=search)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _install()
        found = shutil.which("nginx", path=search)
    if found is None:
        raise Needs(_WHAT)
    return Path(found)


def process(folder: Path, *, edges: Sequence[str], auth: str, chat: str) -> Process:
    """One that serves these addresses, each HOST:PORT. `url` has its own."""
    port = ports(folder, 1)[0]

    def prepare() -> None:
        user = "user root;" if os.geteuid() == 0 else ""  # its folders belong to whoever starts it
        # After a failure, nginx counts a server as well again only when a request there has *ended*: with WebSockets,
        # which do not end, a server that was restarted would get one connection in each `fail_timeout`.
        upstream = " ".join(f"server {each} max_fails=0;" for each in edges)
        settings = _SETTINGS.format(user=user, edges=upstream, port=port, auth=auth, chat=chat)
        (folder / "nginx.conf").write_text(settings)

    command = [str(binary()), "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]
    return Process(folder=folder, command=command, ready=lambda: _accepts(port), prepare=prepare)


def address(folder: Path) -> str:
    """HOST:PORT where it listens."""
    return f"127.0.0.1:{ports(folder, 1)[0]}"


def _accepts(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _install() -> None:
    """The package would start a service of its own; meanwhile a policy forbids it."""
    say("installing nginx with apt-get")
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        run(["apt-get", "update", "-qq"], _WHAT)
        install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "nginx-light"]
        run(install, _WHAT, DEBIAN_FRONTEND="noninteractive")
    finally:
        if ours:
            policy.unlink(missing_ok=True)
