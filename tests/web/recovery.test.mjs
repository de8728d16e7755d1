/** Links in mails, and what users are told about their address. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { Recovery } from "../../web/app/core/recovery.ts";
import { describeEmail } from "../../web/app/settings/email.ts";
import { parseRoute } from "../../web/app/core/route.ts";

test("the link of a mail brings its token, and nothing else does", () => {
  assert.deepEqual(parseRoute("#verify=aB-_9"), { kind: "verify", token: "aB-_9" });
  assert.deepEqual(parseRoute("#reset=aB-_9"), { kind: "reset", token: "aB-_9" });
  for (const hash of ["#reset=", "#reset=a/b", "#resets=a", "#/reset=a", "#verify=a b", `#reset=${"a".repeat(257)}`])
    assert.deepEqual(parseRoute(hash), { kind: "home" });
});

test("an address is verified, or waits, or is not there", () => {
  const email = "ann@mail.example";
  for (const [me, said, waits] of [
    [{ email: null, email_verified: false, pending_email: null }, "emailNone", false],
    [{ email, email_verified: false, pending_email: null }, "emailWaits", true],
    [{ email, email_verified: true, pending_email: null }, "emailVerified", false],
    [{ email, email_verified: true, pending_email: email }, "emailVerified", false],
    [{ email, email_verified: true, pending_email: "b@mail.example" }, "emailReplaced", true],
  ]) {
    const found = describeEmail(me);
    assert.equal(found.text, said);
    assert.equal(found.waits, waits);
  }
});

test("each call goes where the server expects it", async () => {
  const calls = [];
  const recovery = new Recovery({
    publicPost: async (path, body) => {
      calls.push([path, body]);
      return { email: "ann@mail.example" };
    },
  });
  await recovery.forget("ann");
  await recovery.reset("token", "a new password");
  assert.equal(await recovery.verify("token"), "ann@mail.example");
  assert.deepEqual(calls, [
    ["/api/auth/password/forgot", { name: "ann" }],
    ["/api/auth/password/reset", { token: "token", new_password: "a new password" }],
    ["/api/auth/email/verify", { token: "token" }],
  ]);
});
