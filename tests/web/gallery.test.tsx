/** The gallery shows components in their states, and opens what lies over the page. */
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { AppContext } from "../../web/app/context.ts";
import type { App } from "../../web/app/core/app.ts";
import { Gallery } from "../../web/app/gallery/Gallery.tsx";
import { closeOverlays, Overlays } from "../../web/app/kit/overlays.tsx";
import { beginLanguage } from "../../web/app/texts.ts";

beforeEach(() => beginLanguage(["en"]));

test("its sections show components, and its buttons open what lies over the page", async () => {
  const user = userEvent.setup();
  const told: unknown[] = [];
  const app = { emit: (_: string, notice: unknown) => told.push(notice) } as unknown as App;
  render(
    <AppContext value={app}>
      <Gallery />
      <Overlays />
    </AppContext>,
  );
  const fields = within(screen.getByRole("region", { name: "Fields" }));
  expect(fields.getByRole("textbox", { name: "With an error" }).getAttribute("aria-invalid")).toBe("true");
  await user.click(screen.getByRole("button", { name: "Show an error" }));
  expect(told).toEqual([{ text: "That is wrong", tone: "error" }]);
  for (const [button, name] of [
    ["Dialog", "Dialog"],
    ["Sheet", "Sheet"],
    ["Popover", "Popover"],
    ["Question", "Question"],
  ]) {
    await user.click(screen.getByRole("button", { name: button }));
    expect(await screen.findByRole("dialog", { name })).toBeTruthy();
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("dialog")).toBeNull();
  }
  closeOverlays();
});
