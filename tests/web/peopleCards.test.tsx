/** The card of a person, the choice of one, and what people are doing. */
import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test } from "vitest";
import { AppContext } from "../../web/app/context.ts";
import { currentStatus, soonestEnd, statusLine } from "../../web/app/core/statuses.ts";
import type { Conversation } from "../../web/app/core/conversation.ts";
import { closeOverlays, Overlays } from "../../web/app/kit/overlays.tsx";
import { cardActions, outranks } from "../../web/app/people/card.ts";
import { addPeople, findPerson, openPerson } from "../../web/app/people/open.tsx";
import { StatusText } from "../../web/app/people/StatusText.tsx";
import { timeAgo } from "../../web/app/people/when.ts";
import { Navigation } from "../../web/app/shell/navigation.ts";
import { beginLanguage } from "../../web/app/texts.ts";
import { TestPage } from "./page.mjs";
import { ME, ROOM, YOU, settle } from "./support.mjs";
import type { AnyEvent } from "../../web/types/wire.d.ts";

const CLEO = "00000000-0000-4000-8000-0000000000c1";
const LATE = "2099-01-01T00:00:00Z";

describe("a status", () => {
  const now = Date.parse("2026-11-27T12:00:00Z");
  const status = (until: string | null) => ({ emoji: "🌴", text: "away", until });

  test("ends", () => {
    expect(currentStatus(status("2026-11-27T12:00:00Z"), now)).toBeNull();
    expect(currentStatus(status("2026-11-27T12:00:01Z"), now)).not.toBeNull();
    expect(currentStatus(status(null), now)).not.toBeNull();
    expect(currentStatus(undefined, now)).toBeNull();
  });

  test("is a line, of which the soonest end is known", () => {
    expect([statusLine(status(null)), statusLine({ emoji: "", text: "in", until: null }), statusLine(null)]).toEqual(["🌴 away", "in", ""]);
    expect(soonestEnd([status(null), status(LATE), status("2026-11-27T13:00:00Z"), status("2026-11-27T11:00:00Z")], now)).toBe(
      now + 3_600_000,
    );
    expect(soonestEnd([status(null)], now)).toBeNull();
  });

  test("was seen in words of the language", () => {
    expect(timeAgo("2026-11-27T11:55:00Z", now, "en")).toBe("5 minutes ago");
    expect(timeAgo("2026-11-27T11:55:00Z", now, "ru")).toBe("5 минут назад");
    expect(timeAgo("2026-11-26T11:00:00Z", now, "en")).toBe("yesterday");
    expect(timeAgo("2026-11-27T12:00:09Z", now, "en")).toBe("now");
  });
});

describe("what a card offers", () => {
  const about = (mine: "owner" | "moderator" | "member" | "reader", theirs: "owner" | "member" | null, isModerator = false) =>
    cardActions({ isMe: false, isModerator, room: { mine, theirs } });

  test("depends on the ranks of both", () => {
    expect(about("owner", "owner")).toEqual(["mention", "kick", "ban", "block"]);
    expect(about("moderator", "owner")).toEqual(["mention", "block"]);
    expect(about("moderator", "member")).toEqual(["mention", "kick", "ban", "block"]);
    expect(about("member", "member", true)).toEqual(["mention", "block", "instanceBlock"]);
    expect(about("owner", null)).toEqual(["mention", "block"]);
    expect(about("reader", "member")).toEqual(["block"]);
    expect(cardActions({ isMe: false, isModerator: false, room: null })).toEqual(["block"]);
    expect(cardActions({ isMe: true, isModerator: true, room: { mine: "owner", theirs: "owner" } })).toEqual([]);
    expect(outranks(null, "reader")).toBe(false);
  });
});

let page: TestPage;
let calls: [string, string, object?][];
let queue: (() => void)[];
/** The last question for people. */
const listed = () => (page.rest.calls as string[]).findLast((call) => call.startsWith("GET /api/users?")) ?? "";
const room = () => page.room as Conversation;
const see = (happen: () => void) =>
  act(() => {
    happen();
    for (const run of queue.splice(0)) run();
  });
const people = Array.from({ length: 3 }, (_, index) => ({ id: `${CLEO.slice(0, -1)}${index + 2}`, name: `dan${index}` }));

beforeEach(async () => {
  localStorage.clear();
  beginLanguage(["en"]);
  closeOverlays();
  calls = [];
  queue = [];
  page = new TestPage(undefined, undefined, (run: () => void) => queue.push(run));
  const answer = page.rest.answer.bind(page.rest);
  page.rest.answer = (method: string, path: string, body?: object) => {
    if (method !== "GET") calls.push([method, path, body]);
    const cursor = listed().endsWith("cursor=2&limit=50");
    if (path === "/api/users") return cursor ? { users: [people[2]], more: false, next: null } : { users: people.slice(0, 2), more: true, next: "2" };
    if (path === `/api/users/${YOU}`) return { id: YOU, name: "bob", status: { emoji: "🌴", text: "at sea", until: LATE } };
    if (path === `/api/users/${CLEO}`) return undefined;
    if (path === "/api/privacy/blocks") return { users: [] };
    if (path === "/api/presence") return { states: { [YOU]: { state: "offline", last_seen: "2026-01-01T00:00:00Z" } } };
    if (path.startsWith("/api/privacy/blocks/") || path.startsWith("/api/moderation/blocks/")) return {};
    if (path.includes("/bans/")) return {};
    if (method === "PUT" && path.includes("/members/")) return {};
    return answer(method, path, body);
  };
  await page.signedIn();
  render(
    <AppContext value={page.app}>
      <Overlays />
    </AppContext>,
  );
});

const open = (user: { id: string; name: string }, room = false) =>
  see(() => openPerson(new Navigation(page.app), user, document.body, room ? page.room : null));

test("a card says who it is and what they do, and leads to writing", async () => {
  open({ id: YOU, name: "bob" });
  const card = within(await screen.findByTestId("person-dialog"));
  expect(card.getByRole("heading", { name: "bob" })).toBeTruthy();
  await waitFor(() => {
    see(() => {});
    expect(card.getByTestId("card-status").textContent).toContain("🌴 at sea");
  });
  await userEvent.click(card.getByRole("button", { name: "Message" }));
  expect(location.hash).toBe(`#/person/${YOU}`);
  expect(screen.queryByTestId("person-dialog")).toBeNull();
});

test("a person is blocked after a question, and unblocked without one", async () => {
  open({ id: YOU, name: "bob" });
  await userEvent.click(await screen.findByRole("button", { name: "Block" }));
  expect(screen.getByRole("heading", { name: "Block bob?" })).toBeTruthy();
  await userEvent.click(screen.getByTestId("confirm"));
  await userEvent.click(await screen.findByRole("button", { name: "Unblock" }));
  expect(await screen.findByRole("button", { name: "Block" })).toBeTruthy();
  expect(calls.filter(([, path]) => path.startsWith("/api/privacy"))).toEqual([
    ["PUT", `/api/privacy/blocks/${YOU}`, {}],
    ["DELETE", `/api/privacy/blocks/${YOU}`, undefined],
  ]);
});

test("who may, bans from the room in which the card was opened", async () => {
  room().role = "owner";
  room().members = [{ id: YOU, name: "bob", role: "member" }];
  open({ id: YOU, name: "bob" }, true);
  expect(await screen.findByRole("button", { name: "Mention in general" })).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Ban from general" }));
  await userEvent.click(screen.getByTestId("confirm"));
  await waitFor(() => expect(screen.queryByTestId("person-dialog")).toBeNull());
  expect(calls.some(([method, path]) => method === "PUT" && path === `/api/rooms/${ROOM}/bans/${YOU}`)).toBe(true);
});

test("moderators block an account with a reason and an end", async () => {
  page.app.store.me!.moderator = true;
  open({ id: YOU, name: "bob" });
  await userEvent.click(await screen.findByRole("button", { name: "Block on this server" }));
  await userEvent.type(screen.getByLabelText("Reason, which they read"), "spam");
  await userEvent.click(screen.getByTestId("confirm"));
  await waitFor(() => expect(page.said.notice.at(-1)).toMatchObject({ text: "bob is blocked on this server." }));
  expect(calls.at(-1)).toEqual(["PUT", `/api/moderation/blocks/${YOU}`, { reason: "spam", seconds: 604_800 }]);
});

test("the card of an account that is gone offers nothing to write", async () => {
  open({ id: CLEO, name: "cleo" });
  expect(await screen.findByText("This account was deleted.")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Message" })).toBeNull();
});

test("people are listed page by page, found by name, and chosen by the keyboard", async () => {
  see(() => findPerson(page.app, new Navigation(page.app)));
  expect(await screen.findByRole("heading", { name: "Recent" })).toBeTruthy();
  expect(await screen.findByRole("button", { name: "dan0" })).toBeTruthy();
  await userEvent.click(screen.getByTestId("more-people"));
  expect(await screen.findByRole("button", { name: "dan2" })).toBeTruthy();
  await userEvent.type(screen.getByRole("searchbox"), "da");
  await waitFor(() => expect(listed()).toContain("name=da"));
  await waitFor(() => expect(screen.queryByRole("button", { name: "dan2" })).toBeNull());
  await userEvent.keyboard("{ArrowDown}{ArrowDown}{ArrowUp}{ArrowUp}");
  expect(document.activeElement).toBe(screen.getByRole("searchbox"));
  await userEvent.keyboard("{ArrowDown}");
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "dan0" }));
  await userEvent.keyboard("{Enter}");
  expect(location.hash).toBe(`#/person/${people[0].id}`);
});

test("an Enter before people are found waits for them", async () => {
  location.hash = "";
  see(() => findPerson(page.app, new Navigation(page.app)));
  expect(await screen.findByRole("button", { name: "dan0" })).toBeTruthy();
  await userEvent.type(screen.getByRole("searchbox"), "dan{Enter}");
  expect(location.hash).toBe("");
  await waitFor(() => expect(location.hash).toBe(`#/person/${people[0].id}`));
});

test("a line that is pressed stays where it is until the click, also when others are found", async () => {
  see(() => findPerson(page.app, new Navigation(page.app)));
  const line = await screen.findByRole("button", { name: "dan1" });
  await userEvent.type(screen.getByRole("searchbox"), "da");
  fireEvent(line, new MouseEvent("pointerdown", { bubbles: true, button: 0 }));
  people.unshift({ ...people[0], id: "00000000-0000-4000-8000-0000000000e9", name: "dana" });
  await waitFor(() => expect(listed()).toContain("name=da"));
  await act(() => new Promise((resolve) => setTimeout(resolve)));
  expect(screen.queryByRole("button", { name: "dana" })).toBeNull();
  fireEvent.pointerUp(line);
  fireEvent.click(line);
  people.shift();
  expect(location.hash).toBe(`#/person/${people[1].id}`);
});

test("people are added to a room, and one who does not want it is told of", async () => {
  room().role = "owner";
  see(() => addPeople(room()));
  await userEvent.click(await screen.findByRole("button", { name: /dan0/ }));
  await waitFor(() => expect(page.said.notice.at(-1)).toMatchObject({ text: "dan0 is in general now." }));
  expect((await screen.findByRole("button", { name: /dan0/ })).textContent).toContain("in the room");
  Object.assign(page.rest, { blocked: { status: 403, code: "forbidden" } });
  await userEvent.click(screen.getByRole("button", { name: /dan1/ }));
  const text = "dan1 lets nobody add them. Send an invitation link instead.";
  await waitFor(() => expect(page.said.notice.at(-1)).toMatchObject({ text }));
});

test("what others do is shown beside their names, and goes when they end it", async () => {
  render(
    <AppContext value={page.app}>
      <StatusText id={YOU} />
    </AppContext>,
  );
  const say = (status?: object) => see(() => page.app.store.apply({ type: "user", user: YOU, name: "bob", display_name: null, status } as AnyEvent));
  say({ emoji: "🎧", text: "focus", until: null });
  expect(screen.getByTestId("status").textContent).toBe("🎧 focus");
  say();
  expect(screen.queryByTestId("status")).toBeNull();
  expect(page.app.store.statusOf(ME)).toBeNull();
  await settle();
});
