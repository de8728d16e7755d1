/** The whole page of somebody who is signed in: a conversation with its messages, its panel, and the ways to other places. */
import type { ReactNode } from "react";
import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { AppContext } from "../../web/app/context.ts";
import type { Conversation } from "../../web/app/core/conversation.ts";
import { InviteDialog } from "../../web/app/invitations/InviteDialog.tsx";
import { closeOverlays } from "../../web/app/kit/overlays.tsx";
import { Banned } from "../../web/app/members/Banned.tsx";
import { Root } from "../../web/app/shell/Root.tsx";
import { Stage } from "../../web/app/shell/stage.ts";
import { beginLanguage } from "../../web/app/texts.ts";
import { TestPage } from "./page.mjs";
import { item, ROOM, YOU } from "./support.mjs";

/** The list of messages is 600 pixels high, and each message 40. */
class Sizes {
  readonly #tell: ResizeObserverCallback;
  constructor(tell: ResizeObserverCallback) {
    this.#tell = tell;
  }
  observe(target: Element) {
    const height = target.classList.contains("messages") ? 600 : 40;
    const entry = { target, contentRect: { width: 800, height } } as unknown as ResizeObserverEntry;
    queueMicrotask(() => act(() => this.#tell([entry], this as unknown as ResizeObserver)));
  }
  unobserve() {}
  disconnect() {}
}

const TEXTS = ["**Bold** and [a link](https://example.org)", "```python\nprint(1)\n```", "plain words"];
let page: TestPage;

beforeEach(async () => {
  beginLanguage(["en"]);
  closeOverlays();
  globalThis.ResizeObserver = Sizes;
  Object.defineProperty(HTMLElement.prototype, "offsetParent", { configurable: true, get: () => document.body });
  location.hash = `#/room/${ROOM}`;
  page = new TestPage(undefined, undefined, (run: () => void) => queueMicrotask(() => act(run)));
  page.rest.history = TEXTS.map((text, index) => item(index + 1, { text })).reverse();
  const answer = page.rest.answer.bind(page.rest);
  page.rest.answer = (method: string, path: string, body: object) => {
    if (method === "DELETE") return {};
    if (path.endsWith("/bans")) return { bans: [{ id: YOU, name: "bob" }] };
    if (path.endsWith("/invites")) return { token: "the-token" };
    return answer(method, path, body);
  };
});

async function enter() {
  const stage = new Stage(page.app);
  render(<Root stage={stage} />);
  await act(() => page.signedIn());
  await screen.findByRole("heading", { name: /general/ });
}

test("one reads the messages of a room, with their formats and code", async () => {
  await enter();
  const list = within(await screen.findByRole("list", { name: /general/ }));
  expect((await list.findByText("Bold")).tagName).toBe("STRONG");
  expect(list.getByRole("link", { name: "a link" }).getAttribute("href")).toBe("https://example.org/");
  expect(list.getByText("plain words")).toBeTruthy();
  expect(list.getByRole("button", { name: "Copy" })).toBeTruthy();
});

test("an address opens its room at once, and no other screen before it", async () => {
  const shown: (string | null)[] = [];
  const watch = new MutationObserver(() => shown.push(screen.queryByRole("main")?.textContent ?? null));
  watch.observe(document.body, { subtree: true, childList: true });
  await enter();
  watch.disconnect();
  expect(shown.filter((text) => text?.includes("Hello"))).toEqual([]);
  expect(shown.at(-1)).toContain("general");
});

test("one looks at what one writes, and sends it", async () => {
  await enter();
  const field = await screen.findByRole("textbox", { name: /general/ });
  await userEvent.type(field, "**very** soon");
  await userEvent.click(screen.getByRole("button", { name: "Preview" }));
  expect((await screen.findByText("very")).tagName).toBe("STRONG");
  await userEvent.click(screen.getByRole("button", { name: "Send" }));
  await waitFor(() => expect(page.socket.of("send").map(({ text }: { text: string }) => text)).toEqual(["**very** soon"]));
  const list = within(screen.getByRole("list", { name: /general/ }));
  expect((await list.findByText("very")).tagName).toBe("STRONG");
});

test("one opens the members beside the conversation, and goes to other places", async () => {
  await enter();
  await userEvent.click(await screen.findByRole("button", { name: "Members" }));
  const panel = within(await screen.findByRole("complementary", { name: "Members" }));
  expect(await panel.findByText("bob")).toBeTruthy();
  const tabs = within(screen.getByRole("navigation", { name: "Places" }));
  expect(tabs.getAllByRole("link").map((link) => link.getAttribute("href"))).toEqual(["#/", "#/activity", "#/search", "#/settings"]);
  expect(tabs.getByRole("link", { name: /Chats/ }).getAttribute("aria-current")).toBe("page");
});

test("one lifts a ban, and copies the link of an invitation", async () => {
  await page.signedIn();
  const room = page.room as Conversation;
  const show = (dialog: ReactNode) => render(<AppContext value={page.app}>{dialog}</AppContext>);
  const shown = show(<Banned conversation={room} onClose={() => {}} />);
  await userEvent.click(await screen.findByRole("button", { name: "Lift the ban of bob" }));
  await waitFor(() => expect(page.rest.count("DELETE /api/rooms")).toBe(1));
  shown.unmount();
  show(<InviteDialog conversation={room} onClose={() => {}} />);
  const dialog = within(await screen.findByRole("dialog", { name: "Invite to general" }));
  const link = (await dialog.findByRole("textbox")) as HTMLInputElement;
  expect(link.value).toContain("the-token");
});
