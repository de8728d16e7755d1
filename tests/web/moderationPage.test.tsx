/** The pages of moderators, and the dialogs by which one reaches them. */
import { act, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { AppContext, NavigationContext } from "../../web/app/context.ts";
import { Overlays } from "../../web/app/kit/overlays.tsx";
import { ModerationPage } from "../../web/app/moderation/ModerationPage.tsx";
import { openBlockAppeal } from "../../web/app/moderation/openers.ts";
import { Navigation } from "../../web/app/shell/navigation.ts";
import { beginLanguage } from "../../web/app/texts.ts";
import { TestPage } from "./page.mjs";
import { ME, ROOM, YOU } from "./support.mjs";

const NOW = "2026-01-02T00:00:00Z";
const caseOf = (id: string, text: string) => ({
  id,
  kind: "reported",
  state: "open",
  user: { id: YOU, name: "bob" },
  room: ROOM,
  users: null,
  seq: 3,
  text,
  rule: "",
  reason: "",
  opened: NOW,
  reports: [{ user: ME, reason: "rude", at: NOW }],
  appeal: null,
  verdict: null,
  decided_by: null,
  decided: null,
});
let page: TestPage;
let waiting: ReturnType<typeof caseOf>[];
let posted: [string, Record<string, unknown>][];

beforeEach(async () => {
  beginLanguage(["en"]);
  page = new TestPage(undefined, undefined, (run: () => void) => queueMicrotask(() => act(run)));
  waiting = [caseOf("a", "first"), caseOf("b", "second"), caseOf("c", "third")];
  posted = [];
  const answer = page.rest.answer.bind(page.rest);
  page.rest.answer = (method: string, path: string, body: Record<string, unknown>) => {
    if (path === "/api/auth/me") return { id: ME, name: "ann", moderator: true };
    if (!path.startsWith("/api/moderation")) return answer(method, path, body);
    if (path.endsWith("/context"))
      return { messages: [2, 3].map((seq) => ({ seq, room: ROOM, sender: { id: YOU, name: "bob" }, text: `said ${seq}`, ts: NOW, client_id: `c${seq}` })) };
    if (path.endsWith("/queue")) return { cases: waiting, more: false };
    if (path.endsWith("/blocks")) return { blocks: [{ user: { id: YOU, name: "bob" }, by: ME, reason: "spam", since: NOW, until: null }], more: false };
    if (path.endsWith("/audit")) return { entries: [{ id: "e", at: NOW, by: ME, action: "report", user: YOU, rule: "", reason: "", verdict: null, until: null }], more: false };
    posted.push([path, body]);
    const id = path.split("/").at(-1);
    waiting = waiting.filter((one) => one.id !== id);
    return { ...caseOf(id ?? "", ""), verdict: body?.verdict };
  };
  await page.signedIn();
});

const show = (tab: string) =>
  render(
    <AppContext value={page.app}>
      <NavigationContext value={new Navigation(page.app)}>
        <ModerationPage tab={tab} />
        <Overlays />
      </NavigationContext>
    </AppContext>,
  );
const texts = () => screen.queryAllByTestId("case-text").map((one) => one.textContent);

test("a case is removed for a reason, and the focus is on the one that follows", async () => {
  show("open");
  const group = await screen.findAllByRole("group", { name: "Decide about Reported: bob" });
  await userEvent.click(within(group[0]).getByRole("button", { name: "Remove" }));
  const dialog = screen.getByRole("dialog", { name: "Remove message" });
  await userEvent.type(within(dialog).getByRole("textbox", { name: "Reason" }), "Be kind");
  await userEvent.click(within(dialog).getByRole("button", { name: "Remove" }));
  expect(posted).toEqual([["/api/moderation/queue/a", { verdict: "remove", reason: "Be kind", seconds: null }]]);
  await vi.waitFor(() => expect(texts()).toEqual(["second", "third"]));
  await vi.waitFor(() => expect((document.activeElement as HTMLElement).dataset.id).toBe("b"));
});

test("several are selected, and blocked at once for the length that one chose", async () => {
  show("open");
  await userEvent.click(await screen.findByRole("checkbox", { name: "Select all" }));
  await userEvent.click(screen.getAllByTestId("select-case")[1]);
  await userEvent.click(screen.getByTestId("bulk-block"));
  const dialog = screen.getByRole("dialog", { name: "Block 1 person" });
  await userEvent.click(within(dialog).getByTestId("block-length"));
  await userEvent.click(screen.getByRole("option", { name: "One week" }));
  await userEvent.click(within(dialog).getByRole("button", { name: "Block" }));
  await vi.waitFor(() => expect(texts()).toEqual(["second"]));
  expect(posted.map(([path, { seconds }]) => [path.at(-1), seconds])).toEqual([
    ["a", 604_800],
    ["c", 604_800],
  ]);
});

test("the queue is live while the page is open", async () => {
  const end = page.app.moderation.watch.begin(() => true);
  show("open");
  await screen.findByText("third");
  waiting = [caseOf("b", "second"), caseOf("d", "fourth")];
  act(() => page.socket.say({ type: "case", case: "a", change: "decided", state: "decided" }));
  await vi.waitFor(() => expect(texts()).toEqual(["second", "fourth"]));
  end();
});

test("what others decide, block and note shows in the other lists, too", async () => {
  const end = page.app.moderation.watch.begin(() => true);
  await act(async () => {});
  const answer = page.rest.answer.bind(page.rest);
  for (const [tab, path, found] of [
    ["decided", "/queue", { cases: [{ ...caseOf("z", "late"), verdict: "allow", decided: NOW }], more: false }],
    ["blocks", "/blocks", { blocks: [{ user: { id: ME, name: "ann" }, by: YOU, reason: "late", since: NOW, until: null }], more: false }],
    ["audit", "/audit", { entries: [{ id: "z", at: NOW, by: ME, action: "report", user: YOU, rule: "", reason: "late", verdict: null, until: null }], more: false }],
  ] as const) {
    let isLate = false;
    page.rest.answer = (method: string, asked: string, body: Record<string, unknown>) =>
      isLate && asked.includes(path) ? found : answer(method, asked, body);
    const { unmount } = show(tab);
    await vi.waitFor(() => expect(screen.getByTestId("moderation-list").children.length + screen.queryAllByText(/Nobody/).length).toBeGreaterThan(0));
    expect(screen.queryByText("late")).toBeNull();
    isLate = true;
    act(() => page.socket.say({ type: "case", case: "a", change: "decided", state: "decided" }));
    await act(() => page.clock.pass(2000));
    expect(await screen.findByText("late")).toBeTruthy();
    unmount();
  }
  end();
});

test("a message is shown among those around it", async () => {
  show("open");
  await userEvent.click((await screen.findAllByRole("button", { name: "What was written around it" }))[0]);
  expect((await screen.findByText("said 3")).closest("li")?.getAttribute("aria-current")).toBe("true");
});

test("blocks end, and the log is read, in Russian too", async () => {
  beginLanguage(["ru"]);
  const { unmount } = show("blocks");
  await userEvent.click(await screen.findByRole("button", { name: "Разблокировать: bob" }));
  expect(await screen.findByText("Никто не заблокирован.")).toBeTruthy();
  unmount();
  show("audit");
  expect((await screen.findByTestId("audit-entry")).textContent).toContain("ann — жалоба на сообщение (bob)");
});

test("who is blocked asks that it ends", async () => {
  page.app.leave();
  show("audit");
  await act(() => openBlockAppeal(page.app, { name: "bob", password: "secret" }));
  const dialog = await screen.findByRole("dialog", { name: "Ask the moderators" });
  await userEvent.type(within(dialog).getByRole("textbox"), "the cake");
  await userEvent.click(within(dialog).getByRole("button", { name: "Send" }));
  expect(posted).toEqual([["/api/moderation/appeals/block", { name: "bob", password: "secret", text: "the cake" }]]);
});
