/** One message on the screen: the people whom it mentions, and marking it as unread. */
import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AppContext, NavigationContext } from "../../web/app/context.ts";
import type { Conversation } from "../../web/app/core/conversation.ts";
import { normal } from "../../web/app/core/timeline.ts";
import { closeOverlays, Overlays } from "../../web/app/kit/overlays.tsx";
import { Doer } from "../../web/app/messages/doer.ts";
import { Message } from "../../web/app/messages/Message.tsx";
import { Navigation } from "../../web/app/shell/navigation.ts";
import { beginLanguage } from "../../web/app/texts.ts";
import { TestPage } from "./page.mjs";
import { ME, YOU, item } from "./support.mjs";

let page: TestPage;
let room: Conversation;

beforeEach(async () => {
  beginLanguage(["en"]);
  page = new TestPage();
  const answer = page.rest.answer.bind(page.rest);
  page.rest.answer = (method: string, path: string, body?: object) =>
    path === "/api/privacy/blocks" ? { users: [] } : answer(method, path, body);
  await page.signedIn();
  if (!page.room) throw new Error("there is no room");
  room = page.room;
  page.app.messages.seen(room);
  page.app.store.meet([{ id: YOU, name: "bob" }]);
});

afterEach(() => act(() => closeOverlays()));

function show(text: string, mentions: string[] = [YOU]) {
  const { app } = page;
  const entry = normal(item(2, { text, mentions }));
  const rest = { head: true, quoted: null, version: "", flash: false, stop: true, newestOwn: false, editing: false };
  render(
    <AppContext value={app}>
      <NavigationContext value={new Navigation(app)}>
        <Message app={app} conversation={room} doer={new Doer(app, room)} entry={entry} {...rest} />
        <Overlays />
      </NavigationContext>
    </AppContext>,
  );
  return screen.getByTestId("message");
}

test.each(["{Enter}", " "])("a mention opens the person's card by the key %j, and has the focus again", async (key) => {
  const user = userEvent.setup();
  const message = show("hello @bob, and @nobody");
  const mention = screen.getByRole("button", { name: "@bob" });
  expect([mention.tabIndex, screen.queryByRole("button", { name: "@nobody" })]).toEqual([-1, null]);
  act(() => message.focus());
  expect(mention.tabIndex).toBe(0);
  act(() => mention.focus());
  await user.keyboard(key);
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("button", { name: "Message" })));
  await user.keyboard("{Escape}");
  await waitFor(() => expect(document.activeElement).toBe(mention));
});

test("a press on a mention opens the card, also that of oneself", async () => {
  show(`hello @ann`, [ME]);
  page.app.store.meet([{ id: ME, name: "ann" }]);
  fireEvent.click(screen.getByRole("button", { name: "@ann" }));
  expect(await screen.findByRole("dialog", { name: "About ann" })).toBeTruthy();
});

test("a mention within a link is plain", () => {
  show("[see @bob](https://example.org)");
  expect([screen.queryByRole("button", { name: "@bob" }), screen.getByRole("link").textContent]).toEqual([null, "see @bob"]);
});

test("a message is marked as unread by its bar, and by Alt and a click on its text", async () => {
  const user = userEvent.setup();
  const message = show("hello @bob");
  await user.hover(message);
  fireEvent.click(await screen.findByRole("button", { name: "Mark as unread" }));
  expect([room.mark?.from, room.unread]).toEqual([2, 2]);
  page.app.messages.seen(room);
  fireEvent.click(screen.getByText("hello", { exact: false }));
  fireEvent.click(screen.getByRole("button", { name: "@bob" }), { altKey: true });
  expect(room.mark).toBeNull();
  fireEvent.click(screen.getByText("hello", { exact: false }), { altKey: true });
  expect(room.mark).toEqual({ from: 2 });
});
