/** Who is typing is told in the language of the page. */
import { act, render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { AppContext } from "../../web/app/context.ts";
import { TypingLine } from "../../web/app/conversation/TypingLine.tsx";
import type { App } from "../../web/app/core/app.ts";
import { Store } from "../../web/app/core/store.ts";
import { beginLanguage } from "../../web/app/texts.ts";

test("who is typing shows, and ends", async () => {
  beginLanguage(["en"]);
  let now = 0;
  const store = new Store((run: () => void) => queueMicrotask(run), () => now);
  store.me = { id: "me", name: "ann", moderator: false };
  store.addRoom({ id: "r1", name: "General" });
  const conversation = store.open("room", "r1");
  const names = ["ben", "cleo", "dan", "eve"];
  store.meet(names.map((name) => ({ id: name, name })));
  const app = { store, directory: { wantNames: () => {} } } as unknown as App;
  render(
    <AppContext value={app}>
      <TypingLine conversation={conversation} />
    </AppContext>,
  );
  const line = () => screen.getByTestId("typing").textContent;
  const type = (user: string) => act(async () => store.apply({ type: "typing", room: "r1", user } as never));
  expect(line()).toBe("");
  await type("ben");
  expect(line()).toBe("ben is typing…");
  await type("cleo");
  expect(line()).toBe("ben and cleo are typing…");
  act(() => beginLanguage(["ru"]));
  expect(line()).toBe("ben и cleo печатают…");
  await type("dan");
  await type("eve");
  expect(line()).toBe("Несколько человек печатают…");
  now = 60_000;
  await act(async () => store.touch("typing:room:r1"));
  expect(line()).toBe("");
  beginLanguage(["en"]);
});
