/** Reactions: their names, who gave them, and the Escape that a tooltip keeps to itself. */
import { act, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { AppContext } from "../../web/app/context.ts";
import { normal, type Entry } from "../../web/app/core/timeline.ts";
import { IconButton } from "../../web/app/kit/IconButton.tsx";
import { Doer } from "../../web/app/messages/doer.ts";
import { MessageSheet } from "../../web/app/messages/MessageSheet.tsx";
import { Reactions } from "../../web/app/messages/Reactions.tsx";
import ReactionsSheet from "../../web/app/messages/ReactionsSheet.tsx";
import { Navigation } from "../../web/app/shell/navigation.ts";
import { beginLanguage } from "../../web/app/texts.ts";
import { TestPage } from "./page.mjs";
import { item, ME, YOU } from "./support.mjs";

const OTHERS = ["cleo", "dan", "eve"].map((name, index) => ({ id: `00000000-0000-4000-8000-00000000001${index}`, name }));
let page: TestPage;
let entry: Entry;

beforeEach(async () => {
  beginLanguage(["en"]);
  page = new TestPage();
  await page.signedIn();
  page.app.store.meet([{ id: YOU, name: "bob" }, ...OTHERS]);
  const reactions = { "👍": [YOU, ...OTHERS.map(({ id }) => id), ME], "🎉": [YOU] };
  entry = normal(item(1, { reactions }) as Parameters<typeof normal>[0]);
});

function show(writable = true) {
  const { app, room } = page;
  if (!room) throw new Error("there is no room");
  if (!writable) Object.assign(room, { role: "reader" });
  render(
    <AppContext value={app}>
      <Reactions app={app} conversation={room} entry={entry} />
    </AppContext>,
  );
}

test("they are called by the emoji's name and those who reacted, oneself first", async () => {
  show();
  const thumb = await screen.findByRole("button", { name: "thumbs up: you, bob and 3 others · 5" });
  expect(thumb.getAttribute("aria-pressed")).toBe("true");
  expect(screen.getByRole("button", { name: "party popper: bob · 1" }).textContent).toBe("🎉1");
  act(() => beginLanguage(["ru"]));
  expect(await screen.findByRole("button", { name: "большой палец вверх: вы, bob и ещё 3 · 5" })).toBeTruthy();
});

test("a tooltip names them all, also where one may not react", async () => {
  show(false);
  await screen.findByRole("button", { name: /^thumbs up/ });
  await userEvent.tab();
  expect((await screen.findByRole("tooltip")).textContent).toBe("👍thumbs up: you, bob, cleo, dan and eve");
  await userEvent.keyboard("{Enter}");
  expect(page.socket.of("react")).toEqual([]);
});

test("the sheet lists everybody by emoji", async () => {
  render(
    <AppContext value={page.app}>
      <ReactionsSheet entry={entry} onClose={() => {}} />
    </AppContext>,
  );
  expect(await screen.findByRole("region", { name: "thumbs up" })).toBeTruthy();
  expect(screen.getByRole("dialog", { name: "Who reacted" })).toBeTruthy();
  expect(screen.getAllByRole("listitem").map((one) => one.textContent)).toEqual(["Ayou", "Bbob", "Ccleo", "Ddan", "Eeve", "Bbob"]);
});

test("the sheet of a message takes no click of the finger that opened it", () => {
  const { app, room } = page;
  if (!room) throw new Error("there is no room");
  const doer = new Doer(app, room);
  let replies = 0;
  doer.does.reply = () => {
    replies += 1;
  };
  HTMLDialogElement.prototype.showModal ??= () => {};
  HTMLDialogElement.prototype.close ??= () => {};
  render(
    <AppContext value={app}>
      <MessageSheet doer={doer} entry={entry} onClose={() => {}} />
    </AppContext>,
  );
  const reply = screen.getByText("Reply");
  fireEvent.click(reply, { detail: 1 });
  expect(replies).toBe(0);
  fireEvent.pointerDown(reply);
  fireEvent.click(reply, { detail: 1 });
  expect(replies).toBe(1);
  expect(screen.getByText("Who reacted")).toBeTruthy();
});

test("one Escape closes the panel, also while a tooltip shows at the button that got the focus back", async () => {
  const navigation = new Navigation(page.app);
  const end = navigation.begin();
  navigation.place = { screen: { kind: "home" }, panel: "members" };
  render(<IconButton icon="users" label="Members" />);
  await userEvent.tab();
  await screen.findByRole("tooltip");
  fireEvent.keyDown(document.activeElement ?? document.body, { key: "Escape" });
  expect(navigation.place.panel).toBeNull();
  expect(screen.queryByRole("tooltip")).toBeNull();
  end();
});
