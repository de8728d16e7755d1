/** What can be done with a message: the bar that the keyboard moves in, and the sheet that a finger opens. */
import { fireEvent, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { AppContext } from "../../web/app/context.ts";
import type { App } from "../../web/app/core/app.ts";
import type { Conversation } from "../../web/app/core/conversation.ts";
import { Store } from "../../web/app/core/store.ts";
import type { Entry } from "../../web/app/core/timeline.ts";
import type { Action } from "../../web/app/messages/actions.ts";
import type { Doer } from "../../web/app/messages/doer.ts";
import { MessageSheet } from "../../web/app/messages/MessageSheet.tsx";
import { Toolbar } from "../../web/app/messages/Toolbar.tsx";
import { beginLanguage } from "../../web/app/texts.ts";

const ACTIONS: Action[] = ["react", "reply", "copyLink"];
const entry = { seq: 1, pinned: null, reactions: {} } as unknown as Entry;
const app = { store: new Store(() => {}, () => 0), on: () => () => {} } as unknown as App;

/** A doer that notes what it is asked to do. */
function makeDoer() {
  const done: string[] = [];
  const doer = {
    app,
    actions: () => ACTIONS,
    react: (_: Entry, emoji: string) => done.push(emoji),
    run: (action: Action) => done.push(action),
  } as unknown as Doer;
  return { doer, done };
}

beforeEach(() => {
  beginLanguage(["en"]);
  // jsdom has no modal dialogs.
  HTMLDialogElement.prototype.showModal ??= function open(this: HTMLDialogElement) {
    this.open = true;
  };
  HTMLDialogElement.prototype.close ??= function close(this: HTMLDialogElement) {
    this.open = false;
  };
});

test("arrows move within the bar of a message, Tab leaves it, and Escape goes back to the message", async () => {
  const user = userEvent.setup();
  const { doer, done } = makeDoer();
  const left: string[] = [];
  render(
    <AppContext value={app}>
      <Toolbar
        conversation={{} as Conversation}
        doer={doer}
        entry={entry}
        onLeave={() => left.push("left")}
        onKeep={() => {}}
      />
      <button type="button">behind</button>
    </AppContext>,
  );
  const buttons = within(screen.getByRole("toolbar", { name: "Message actions" })).getAllByRole("button");
  await user.tab();
  expect(document.activeElement).toBe(buttons[0]);
  await user.keyboard("{ArrowRight}{ArrowRight}{ArrowRight}{ArrowRight}");
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Reply" }));
  await user.keyboard("{Enter}{ArrowLeft}{ArrowLeft}{Enter}");
  expect(done).toEqual(["reply", "😂"]);
  await user.keyboard("{Escape}");
  expect(left).toEqual(["left"]);
  await user.tab();
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "behind" }));
});

test("the finger that opened the sheet chooses nothing when it lets go", async () => {
  const user = userEvent.setup();
  const { doer, done } = makeDoer();
  let closed = 0;
  render(
    <AppContext value={app}>
      <MessageSheet
        doer={doer}
        entry={entry}
        onClose={() => {
          closed += 1;
        }}
      />
    </AppContext>,
  );
  const sheet = await screen.findByTestId("message-sheet");
  const reply = within(sheet).getByRole("button", { name: "Reply", hidden: true });
  // The click of a finger that came down before the sheet was there.
  fireEvent.click(reply, { detail: 1 });
  fireEvent.click(sheet, { detail: 1 });
  expect([done, closed]).toEqual([[], 0]);
  await user.click(reply);
  expect([done, closed]).toEqual([["reply"], 1]);
  await user.click(sheet);
  expect(closed).toBe(2);
});
