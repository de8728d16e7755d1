/** One's own account: the programs in which one is logged in, and a wrong password. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { programOf } from "../../web/app/settings/programs.ts";
import { Api } from "../../web/app/core/api.ts";

test("browsers have their names", () => {
  const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
  for (const [agent, name] of [
    [chrome, "Chrome on Linux"],
    [`${chrome} Edg/140.0`, "Edge on Linux"],
    ["Mozilla/5.0 (Windows NT 10.0; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox on Windows"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/18.0 Safari/605.1", "Safari on macOS"],
    ["Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"],
    ["rookery-client/1.0", null],
    ["", null],
  ])
    assert.deepEqual(programOf(agent), name && { browser: name.split(" on ")[0], system: name.split(" on ")[1] });
});

test("a wrong password is not tried again with another token", async () => {
  let calls = 0;
  const fetcher = async () => {
    calls += 1;
    return { ok: false, status: 401, text: async () => JSON.stringify({ code: "wrong_login", detail: "no" }) };
  };
  const api = new Api(fetcher, { token: async () => "access" });
  await assert.rejects(api.put("/api/auth/password", {}), { code: "wrong_login" });
  assert.equal(calls, 1);
});
