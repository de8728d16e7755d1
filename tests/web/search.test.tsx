/** The search page and the page of activity: how what is typed is read, and what they show. */
import { act, fireEvent, render, screen } from "@testing-library/react";
import { createRoot } from "react-dom/client";
import { beforeEach, expect, test } from "vitest";
import { concerns } from "../../web/app/attention/follow.ts";
import { isFresh, joined, shownBy } from "../../web/app/attention/items.ts";
import ActivityPage from "../../web/app/attention/ActivityPage.tsx";
import { AppContext, NavigationContext } from "../../web/app/context.ts";
import type { App } from "../../web/app/core/app.ts";
import { Store } from "../../web/app/core/store.ts";
import SearchPage from "../../web/app/search/SearchPage.tsx";
import { queryOf, readAsked, readRest, searchRoute, searchRouteIn, withoutCondition, withTyped, writeAsked } from "../../web/app/search/query.ts";
import type { Navigation } from "../../web/app/shell/navigation.ts";
import { beginLanguage, chooseLanguage } from "../../web/app/texts.ts";

beforeEach(() => beginLanguage(["en"]));

const ROOMS = [{ id: "r1", name: "General" }, { id: "r2", name: "My room" }];

test("conditions are read out of the words, and written as they are read", () => {
  const asked = readAsked('release FROM:@ann plan in:"my room" has:link has:link before:2026-02-30 after:2026-02-03');
  expect(asked.words).toBe("release plan before:2026-02-30");
  expect(asked.conditions.map(({ kind, value }) => `${kind}=${value}`)).toEqual([
    "from=@ann",
    "in=my room",
    "has=link",
    "after=2026-02-03",
  ]);
  expect(readAsked(writeAsked(asked))).toEqual(asked);
  expect(withoutCondition(asked, asked.conditions[0]).conditions).toHaveLength(3);
  expect(readAsked("mail:in:x http://a has:file from: in:#").conditions).toEqual([]);
});

test("conditions that are typed join the others, and replace one of their kind", () => {
  const asked = readAsked("in:General has:link from:ann old");
  expect(writeAsked(withTyped(asked, " new words "))).toBe("in:General has:link from:ann new words");
  expect(writeAsked(withTyped(asked, "from:ben has:code has:link x"))).toBe("in:General from:ben has:code has:link x");
  expect(writeAsked(withTyped(asked, ""))).toBe("in:General has:link from:ann");
  const { conditions } = withTyped(asked, "x");
  expect(withoutCondition({ words: "x", conditions }, asked.conditions[1]).conditions).toHaveLength(2);
});

test("the query has ids of rooms and the midnight of the reader", () => {
  const query = queryOf(readAsked('plan from:@ann in:"#my ROOM" has:Code has:link after:2026-02-03'), ROOMS);
  expect(query?.get("q")).toBe("plan");
  expect(query?.get("from")).toBe("ann");
  expect(query?.get("room")).toBe("r2");
  expect(query?.getAll("has")).toEqual(["code", "link"]);
  expect(query?.get("after")).toBe(new Date(2026, 1, 3).toISOString());
  expect(queryOf(readAsked("in:nowhere x"), ROOMS)).toBeNull();
});

test("an address keeps what was asked", () => {
  for (const text of ["a/b #c", 'in:"x y" 50%', ""]) {
    expect(readRest(searchRoute(text).split("/").slice(2).join("/"))).toBe(text);
  }
  expect(readRest("%E0%A4%A")).toBe("");
});

function message(seq: number, text: string) {
  const sender = { id: "ben", name: "ben" };
  const rest = { mentions: [], edited: false, deleted: false, moderated: false, reactions: {} };
  return { type: "message", room: "r1", seq, sender, text, ts: "2026-02-03T10:00:00.000Z", client_id: `c${seq}`, ...rest };
}

function frame(answers: Record<string, unknown>[]) {
  const store = new Store((run: () => void) => run(), () => 0);
  store.me = { id: "ann", name: "ann", moderator: false };
  ROOMS.forEach((room) => store.addRoom(room));
  const asked: string[] = [];
  const put: [string, unknown][] = [];
  const gone: string[] = [];
  const api = {
    get: async (path: string) => {
      asked.push(path);
      const answer = answers.shift();
      if (!answer || "status" in answer) throw answer;
      return answer;
    },
    put: async (path: string, body: unknown) => void put.push([path, body]),
  };
  const app = { store, api, on: () => () => {}, directory: { wantNames: () => {} } } as unknown as App;
  const navigation = { go: (hash: string) => void gone.push(hash) } as unknown as Navigation;
  const show = async (page: React.ReactNode) => {
    await act(async () => {
      render(
        <AppContext value={app}>
          <NavigationContext value={navigation}>{page}</NavigationContext>
        </AppContext>,
      );
    });
  };
  /** As a browser does, which runs late effects later. @param onDrawn is called between the drawing and late effects */
  const draw = async (page: React.ReactNode, onDrawn: () => void) => {
    Reflect.set(globalThis, "IS_REACT_ACT_ENVIRONMENT", false);
    const box = document.body.appendChild(document.createElement("div"));
    const root = createRoot(box);
    const drawn = new Promise<void>((resolve) => new MutationObserver(() => resolve()).observe(box, { childList: true }));
    root.render(
      <AppContext value={app}>
        <NavigationContext value={navigation}>{page}</NavigationContext>
      </AppContext>,
    );
    await drawn;
    onDrawn();
    await new Promise((resolve) => setTimeout(resolve));
    Reflect.set(globalThis, "IS_REACT_ACT_ENVIRONMENT", true);
    return () => root.unmount();
  };
  return { show, draw, asked, put, gone };
}

test("what is typed as soon as the field is there stays", async () => {
  const { draw } = frame([]);
  const end = await draw(<SearchPage rest="" />, () =>
    fireEvent.change(screen.getByRole("searchbox"), { target: { value: "needle" } }),
  );
  expect(screen.getByRole("searchbox")).toHaveProperty("value", "needle");
  act(end);
});

test("the search page shows hits with what stands around them, and goes on behind an empty page", async () => {
  const { show, asked, gone } = frame([
    { messages: [], more: true, next: "further" },
    { messages: [message(5, "the plan")], context: [message(4, "before it")], more: true, next: "last" },
    { messages: [message(2, "old plan")], context: [], more: false, next: null },
  ]);
  await show(<SearchPage rest={encodeURIComponent("has:link plan")} />);
  expect(screen.getByRole("searchbox")).toHaveProperty("value", "plan");
  const hit = screen.getByRole("link", { name: /the plan/ });
  expect(hit.getAttribute("href")).toBe("#/room/r1/5");
  expect(hit.textContent).toContain("before it");
  expect(hit.querySelector("mark")?.textContent).toBe("plan");
  expect(screen.getByRole("status").textContent).toBe("More than 1 message");
  await act(async () => screen.getByRole("button", { name: "More results" }).click());
  expect(screen.getAllByTestId("search-page-hit")).toHaveLength(2);
  expect(asked[1]).toContain("cursor=further");
  expect(asked[2]).toContain("cursor=last");
  screen.getByRole("button", { name: "Remove the condition has:link" }).click();
  fireEvent.change(screen.getByRole("searchbox"), { target: { value: "from:ben x" } });
  fireEvent.submit(screen.getByRole("search"));
  fireEvent.change(screen.getByRole("searchbox"), { target: { value: "" } });
  fireEvent.keyDown(screen.getByRole("searchbox"), { key: "Backspace" });
  expect(gone).toEqual([searchRoute("plan"), searchRoute("has:link from:ben x"), searchRoute("")]);
});

test("hits and what stands around them are plain words, in which the hit is marked", async () => {
  const { show } = frame([
    {
      messages: [message(5, "> so\n\nthe **pl**an, [here](https://x.org/)")],
      context: [message(4, "## *before* it")],
      more: false,
      next: null,
    },
  ]);
  await show(<SearchPage rest="plan" />);
  const hit = screen.getByTestId("search-page-hit");
  expect(hit.textContent).toContain("so the plan, here");
  expect(hit.textContent).toContain("ben before it");
  expect(hit.querySelector("mark")?.textContent).toBe("plan");
});

test("the search page says what is wrong, and tries again", async () => {
  const { show, asked } = frame([{ status: 0 }, { messages: [], more: false, next: null }]);
  await show(<SearchPage rest="plan" />);
  expect(screen.getByRole("alert").textContent).toContain("cannot be reached");
  await act(async () => screen.getByRole("button", { name: "Try again" }).click());
  expect(screen.getByRole("status").textContent).toContain("Nothing was found");
  expect(asked).toHaveLength(2);
});

test("nothing by somebody tells that the name has to be whole", async () => {
  const { show } = frame([{ messages: [], more: false, next: null }]);
  await show(<SearchPage rest={encodeURIComponent("from:@ol design")} />);
  expect(screen.getByRole("status").textContent).toContain("Nothing by @ol was found. The name has to be whole");
});

test("a room that the user is not in is told, and nothing is asked", async () => {
  const { show, asked } = frame([]);
  await show(<SearchPage rest={encodeURIComponent("in:nowhere")} />);
  expect(screen.getByText("You are in no room of this name.")).toBeTruthy();
  expect(asked).toEqual([]);
});

test("the page of activity marks what is new, filters, and notes what was seen", async () => {
  const by = { id: "ben", name: "ben" };
  const items = [
    { kind: "reaction", by, at: "2026-02-03T12:00:00.000Z", message: message(1, "mine"), emoji: "👍" },
    { kind: "mention", by, at: "2026-02-03T10:00:00.000Z", message: message(2, "@ann **look**") },
  ];
  const { show, put } = frame([{ items, more: false, next: null, seen: "2026-02-03T11:00:00.000Z", unseen: 1 }]);
  await show(<ActivityPage />);
  expect(screen.getAllByTestId("activity-item").map((item) => item.textContent?.includes("New"))).toEqual([true, false]);
  expect(screen.getByText("ben reacted with 👍")).toBeTruthy();
  expect(screen.getByText("@ann look")).toBeTruthy();
  expect(put).toEqual([["/api/attention/seen", { until: "2026-02-03T12:00:00.000Z" }]]);
  await act(async () => screen.getByRole("button", { name: "Mentions" }).click());
  expect(screen.getAllByTestId("activity-item")).toHaveLength(1);
  act(() => chooseLanguage("ru"));
  expect(screen.getByRole("heading", { name: "Активность" })).toBeTruthy();
  chooseLanguage(null);
});

test("what is new came after the user looked", () => {
  const item = { kind: "reply", by: { id: "b", name: "b" }, at: "2026-02-03T10:00:00.000Z", message: message(1, "x") };
  expect(isFresh(item as never, null)).toBe(true);
  expect(isFresh(item as never, "2026-02-03T10:00:00.000Z")).toBe(false);
  expect(shownBy("mentions", [item as never])).toEqual([]);
  expect(shownBy("replies", [item as never])).toHaveLength(1);
});

test("the search within a room has its name as a condition", () => {
  expect(readAsked(readRest(searchRouteIn({ kind: "room", name: "My room" }).slice("#/search/".length)))).toEqual({
    words: "",
    conditions: [{ kind: "in", value: "My room" }],
  });
  expect(searchRouteIn({ kind: "dm", name: "ben" })).toBe("#/search");
});

test("what may concern the user is asked for anew, and nothing else", () => {
  const known = (_: unknown, seq: number) => (seq === 1 ? { sender: { id: "ann" } } : { sender: { id: "cleo" } });
  const event = (more: object) => ({ ...message(7, "x"), ...more }) as Parameters<typeof concerns>[0];
  const isAsked = (more: object) => concerns(event(more), "ann", known);
  expect(isAsked({})).toBe(false);
  expect(isAsked({ mentions: ["ann"] })).toBe(true);
  expect(isAsked({ mentions: ["ann"], sender: { id: "ann", name: "ann" } })).toBe(false);
  expect(isAsked({ reply_to: 1 })).toBe(true);
  expect(isAsked({ reply_to: 2 })).toBe(false);
  expect(isAsked({ type: "reaction", user: "ben", seq: 1 })).toBe(true);
  expect(isAsked({ type: "reaction", user: "ann", seq: 1 })).toBe(false);
  expect(isAsked({ type: "activity", rooms: [{ room: "r1", seq: 9, mentioned: true }] })).toBe(true);
  expect(isAsked({ type: "typing", user: "ben" })).toBe(false);
});

test("news come before the older pages that are there already", () => {
  const by = { id: "ben", name: "ben" };
  const item = (seq: number) => ({
    kind: "mention" as const,
    by,
    at: `2026-02-03T10:00:0${seq}.000Z`,
    message: message(seq, "x") as never,
  });
  const page = (seqs: number[], next: string | null) => ({
    items: seqs.map(item),
    more: next !== null,
    next,
    seen: null,
    unseen: 0,
  });
  const seqs = ({ items }: { items: { message: { seq: number } }[] }) => items.map((one) => one.message.seq);
  const before = joined(page([5, 4], "b"), page([4, 3, 2], "c"), true);
  expect(seqs(before)).toEqual([5, 4, 3, 2]);
  const after = joined(before, page([6, 5, 4], "d"), false);
  expect([seqs(after), after.next]).toEqual([[6, 5, 4, 3, 2], "c"]);
  expect(seqs(joined(before, page([9, 8], "x"), false))).toEqual([9, 8]);
  expect(seqs(joined(before, page([5, 3], null), false))).toEqual([5, 3]);
});
