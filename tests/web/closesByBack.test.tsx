/** What opens on a phone has an entry in the history while it is open, and none before or after. */
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { Field, IconButton, Menu } from "../../web/app/kit/index.ts";
import { Select } from "../../web/app/kit/Field.tsx";
import { beginLanguage } from "../../web/app/texts.ts";

const PHONE = "(max-width: 720px)";

beforeEach(() => {
  beginLanguage(["en"]);
  globalThis.matchMedia = (media) =>
    Object.assign(new EventTarget(), { media, matches: media === PHONE, onchange: null }) as unknown as MediaQueryList;
});

test("the list of a field, and a menu, close by Back and leave nothing open in the history", async () => {
  const user = userEvent.setup();
  const options = [
    { value: "day", text: "A day" },
    { value: "week", text: "A week" },
  ];
  render(
    <>
      <Field label="Name" />
      <Select label="Ends" options={options} value="day" onChange={() => {}} testid="ends" />
      <Menu label="Room" entries={[{ id: "mute", text: "Mute", onAction: () => {} }]}>
        <IconButton icon="more" label="More" />
      </Menu>
    </>,
  );
  const depth = () => (history.state as { depth?: number } | null)?.depth;
  for (const [name, role] of [[/Ends/, "listbox"], ["More", "menu"]] as const) {
    await user.click(screen.getByRole("button", { name }));
    await waitFor(() => expect(depth()).toBe(1));
    await user.keyboard("{Escape}");
    await waitFor(() => expect(depth()).toBe(0));
    await user.click(screen.getByRole("button", { name }));
    await waitFor(() => expect(depth()).toBe(1));
    history.back();
    await waitFor(() => expect(screen.queryByRole(role)).toBeNull());
    expect(depth()).toBe(0);
  }
});
