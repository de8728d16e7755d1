/** The link past the lists gives the focus to what the page shows, and leaves the address as it is. */
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { MAIN, SkipLink } from "../../web/app/shell/SkipLink.tsx";
import { beginLanguage } from "../../web/app/texts.ts";

test.each([
  ["en", "Skip to the conversation"],
  ["ru", "К разговору"],
])("Tab reaches it first, and Enter skips the lists (%s)", async (language, name) => {
  beginLanguage([language]);
  location.hash = "#/room/general";
  const user = userEvent.setup();
  render(
    <>
      <SkipLink />
      <a href="#/room/other">other</a>
      <main id={MAIN} tabIndex={-1} />
    </>,
  );
  await user.tab();
  expect(document.activeElement).toBe(screen.getByRole("link", { name }));
  await user.keyboard("{Enter}");
  expect(document.activeElement).toBe(screen.getByRole("main"));
  expect(location.hash).toBe("#/room/general");
});
