"""k8s/base/mongodb/initiate.js, run by Node with a stand-in of mongosh's own objects that writes down each command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "k8s/base/mongodb/initiate.js"
MONGOSH = """
const { readFileSync } = require("fs");
const answers = JSON.parse(process.env.ANSWERS);
const calls = [];
let hellos = 0;
globalThis.print = (text) => calls.push(["print", text]);
globalThis.sleep = () => {};
globalThis.Mongo = class {
  constructor(url) { this.url = url; }
  getDB() {
    return { runCommand: (command) => {
      calls.push([this.url, command]);
      if (command.hello) return answers.hello[Math.min(hellos++, answers.hello.length - 1)];
      if (command.usersInfo) return { ok: 1, users: answers.users };
      return answers[Object.keys(command)[0]] ?? { ok: 1 };
    } };
  }
};
let failed = "";
try { eval(readFileSync(process.env.SCRIPT, "utf8")); } catch (error) { failed = error.message; }
console.log(JSON.stringify({ calls, failed }));
"""


def run_script(answers: dict[str, Any], **environment: str) -> tuple[list[Any], str]:
    """The calls and lines, and why it failed."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node")
    environ = {
        "MEMBERS": "3",
        "DOMAIN": ".mongodb",
        "ANSWERS": json.dumps(answers),
        "SCRIPT": str(SCRIPT),
        **environment,
    }
    done = subprocess.run(
        [node, "-e", MONGOSH],
        env={"PATH": os.environ["PATH"], **environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found = json.loads(done.stdout)
    return found["calls"], found["failed"]


NEW = {"hello": [{"ok": 1}, {"ok": 1, "isWritablePrimary": True}], "users": []}


def test_a_new_set_is_initiated_with_all_members_and_waited_for() -> None:
    calls, failed = run_script(NEW)
    assert failed == ""
    first, initiated = (calls[0], calls[1])
    assert first[0] == "mongodb://mongodb-0.mongodb:27017/?serverSelectionTimeoutMS=5000&directConnection=true"
    members = initiated[1]["replSetInitiate"]["members"]
    assert [each["host"] for each in members] == [f"mongodb-{number}.mongodb:27017" for number in range(3)]
    assert "replicaSet=rs0" in calls[-1][0]
    assert not [call for call in calls if "createUser" in call[1]]


def test_a_set_that_is_there_stays() -> None:
    calls, failed = run_script({"hello": [{"ok": 1, "setName": "rs0", "isWritablePrimary": True}], "users": []})
    assert failed == ""
    assert not [call for call in calls if "replSetInitiate" in call[1]]


def test_with_a_key_the_members_own_user_creates_rookerys() -> None:
    calls, failed = run_script(NEW, KEY="a+key/=\n", MONGO_USER="rookery", MONGO_PASSWORD="p")
    assert failed == ""
    urls = [call[0] for call in calls if call[0] != "print"]
    assert all(url.startswith("mongodb://__system:a%2Bkey%2F%3D@") for url in urls)
    (created,) = [call[1] for call in calls if "createUser" in call[1]]
    assert created == {"createUser": "rookery", "pwd": "p", "roles": [{"role": "readWrite", "db": "rookery"}]}


def test_a_user_that_is_there_gets_the_password_of_the_secret() -> None:
    known = {**NEW, "users": [{"user": "rookery"}]}
    calls, _ = run_script(known, KEY="key", MONGO_USER="rookery", MONGO_PASSWORD="another")
    (updated,) = [call[1] for call in calls if "updateUser" in call[1]]
    assert (updated["updateUser"], updated["pwd"]) == ("rookery", "another")


def test_a_refusal_is_said_and_the_job_fails() -> None:
    refusing = {**NEW, "replSetInitiate": {"ok": 0, "errmsg": "no quorum", "codeName": "NodeNotFound"}}
    assert run_script(refusing)[1] == "no quorum"
    forbidden = {**NEW, "createUser": {"ok": 0, "errmsg": "not authorized"}}
    assert run_script(forbidden, MONGO_USER="rookery")[1] == "not authorized"
