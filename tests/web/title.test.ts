/** What the title and the icon of the window say of what is unread. */
import { expect, test } from "vitest";
import { windowTitle } from "../../web/app/sidebar/title.ts";

test("a mention is counted, what is only unread is a dot, and each has an icon", () => {
  const at = (unread: number, mentions: number) => windowTitle({ unread, mentions }, "general", "Rookery");
  expect(at(0, 0)).toEqual({ title: "general · Rookery", icon: "icons/rook.svg", badge: 0 });
  expect(at(5, 0)).toEqual({ title: "• general · Rookery", icon: "icons/rook-quiet.svg", badge: 0 });
  expect(at(5, 2)).toEqual({ title: "(2) general · Rookery", icon: "icons/rook-unread.svg", badge: 2 });
  expect(at(5000, 4000).title).toBe("(999+) general · Rookery");
  expect(windowTitle({ unread: 0, mentions: 0 }, null, "Team").title).toBe("Team");
});
