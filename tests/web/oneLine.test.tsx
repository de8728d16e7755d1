/** Where a message shows in one line: the newest one in the list on phones, and what a message answers. */
import { render, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import type { App } from "../../web/app/core/app.ts";
import type { Conversation } from "../../web/app/core/conversation.ts";
import type { Entry } from "../../web/app/core/timeline.ts";
import type { Doer } from "../../web/app/messages/doer.ts";
import { Quote } from "../../web/app/messages/Quote.tsx";
import { Row } from "../../web/app/sidebar/Row.tsx";
import type { RowView } from "../../web/app/sidebar/rowView.ts";
import { beginLanguage } from "../../web/app/texts.ts";

const TEXT = "**Ship it** :rocket:, says [the plan](https://x.org/)\n\n```\nrm -r *\n```";
const WORDS = "Ship it 🚀, says the plan rm -r *";

const VIEW: RowView = {
  id: "r1",
  kind: "room",
  href: "#/room/r1",
  name: "general",
  isPrivate: false,
  isCurrent: false,
  isMuted: false,
  isUnread: false,
  badge: null,
  count: "",
  hasDraft: false,
  presence: null,
  author: "ben",
  isMine: false,
  text: TEXT,
  ts: "2026-02-03T10:00:00.000Z",
};

beforeEach(() => beginLanguage(["en"]));

function showRow(view: RowView) {
  const nothing = () => {};
  render(<Row rowKey="room:r1" view={view} isStop isPhone onFocus={nothing} onMenu={nothing} />);
  return screen.getByRole("link");
}

test("the newest message in the list is plain words", async () => {
  const row = showRow(VIEW);
  await waitFor(() => expect(row.textContent).toContain(`ben: ${WORDS}`));
});

test("a newest message that was withdrawn is told, and one that is not known is nothing", () => {
  expect(showRow({ ...VIEW, text: null }).querySelector("em")).not.toBeNull();
  document.body.replaceChildren();
  expect(showRow({ ...VIEW, text: undefined }).textContent).not.toContain("ben");
});

test("what a message answers is plain words", async () => {
  const app = { store: { authorOf: () => "ben" } } as unknown as App;
  const [entry, quoted] = [{ reply_to: 4 }, { sender: { id: "ben" }, text: TEXT }] as unknown as Entry[];
  const rest = { app, conversation: {} as Conversation, doer: {} as Doer };
  render(<Quote {...rest} entry={entry!} quoted={quoted} />);
  await waitFor(() => expect(screen.getByRole("button").textContent).toContain(`ben${WORDS}`));
});
