/** Members of long lists, and public rooms. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "vitest";
import { TestPage } from "./page.mjs";
import { ROOM, YOU } from "./support.mjs";

const MEMBERS = Array.from({ length: 900 }, (_, index) => `user${String(index).padStart(4, "0")}`)
  .concat("Bob", "bobby", "bo", "zoe")
  .sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
  .map((name) => ({ id: name, name, role: "member" }));

let page, directory;
beforeEach(async () => {
  page = new TestPage();
  await page.signedIn();
  ({ directory } = page.app);
  const { get } = page.app.api;
  page.app.api.get = async (path, query = {}) => {
    page.rest.calls.push(`${path} ${JSON.stringify(query)}`);
    if (path === `/api/rooms/${ROOM}`) return { id: ROOM, members: MEMBERS.length };
    if (!path.endsWith("/members")) return get.call(page.app.api, path, query);
    const starts = MEMBERS.filter(({ name }) => name.toLowerCase().startsWith((query.name ?? "").toLowerCase()));
    const rest = starts.filter(({ name }) => name.toLowerCase() > (query.cursor ?? "").toLowerCase());
    const members = rest.slice(0, query.limit);
    return { members, more: rest.length > query.limit, next: rest.length > query.limit ? members.at(-1).name : null };
  };
});

const asked = () => page.rest.calls.filter((call) => call.includes("/members ")).length;

describe("members of a long list", () => {
  test("come page by page", async () => {
    await directory.loadMembers(page.room);
    assert.deepEqual([page.room.members.length, page.room.moreMembers], [200, true]);
    for (let times = 0; times < 4; times += 1) await directory.moreMembers(page.room);
    assert.deepEqual([page.room.members.length, page.room.moreMembers], [904, false]);
    assert.equal(new Set(page.room.members.map(({ id }) => id)).size, 904);
  });

  test("follow what happens, and are not read anew", async () => {
    page.app.openKey = page.room.key;
    await directory.loadMembers(page.room);
    await directory.moreMembers(page.room);
    const before = asked();
    const [first] = page.room.members;
    const event = { type: "member", room: ROOM, user: first.id };
    directory.member({ ...event, change: "role", role: "reader" });
    assert.equal(page.room.members[0].role, "reader");
    directory.member({ ...event, change: "kicked" });
    directory.member({ ...event, change: "kicked" });
    assert.deepEqual([page.room.members.length, page.room.memberCount], [399, 903]);
    directory.member({ ...event, change: "joined" });
    assert.deepEqual([page.room.members[0].id, page.room.memberCount], [first.id, 904]);
    assert.equal(asked(), before);
  });

  test("are found by the server, wherever they stand", async () => {
    const names = async (prefix) => (await directory.findMembers(page.room, prefix)).map(({ name }) => name);
    assert.deepEqual(await names("bo"), ["bo", "Bob", "bobby"]);
    assert.deepEqual(await names("BOB"), ["Bob", "bobby"]);
    assert.deepEqual(await names("user08"), MEMBERS.slice(803, 903).map(({ name }) => name));
    assert.deepEqual(await names("nobody"), []);
    const before = asked();
    assert.deepEqual(await names("zoe"), ["zoe"]);
    assert.equal(asked() - before, 1);
  });
});

describe("a room that the user is not in", () => {
  test("is offered when it is public", async () => {
    const answer = page.rest.answer.bind(page.rest);
    page.rest.answer = (method, path, body) => {
      if (path === `/api/rooms/${YOU}`) return { id: YOU, name: "open", visibility: "public", role: null };
      if (path === `/api/rooms/${ROOM}`) return { id: ROOM, name: "left", visibility: "private", role: null };
      return answer(method, path, body);
    };
    assert.equal((await directory.joinable(YOU)).name, "open");
    assert.equal(await directory.joinable(ROOM), null);
    assert.equal(await directory.joinable("unknown"), null);
  });
});
