/** The components of which views are made, as people use them: by names, roles and keys. */
import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { type FormEvent, useState } from "react";
import { beforeEach, expect, test, vi } from "vitest";
import { chooseAppearance, readAppearance } from "../../web/app/appearance.ts";
import { closeOverlays, confirmed, Overlays } from "../../web/app/kit/overlays.tsx";
import {
  Avatar,
  Badge,
  Button,
  Choice,
  Dialog,
  EmptyState,
  ErrorState,
  Field,
  IconButton,
  Menu,
  Switch,
  Tabs,
} from "../../web/app/kit/index.ts";
import { beginLanguage } from "../../web/app/texts.ts";

beforeEach(() => beginLanguage(["en"]));

test("a menu opens by a key, and does what was chosen", async () => {
  const user = userEvent.setup();
  const said: string[] = [];
  const entries = ["Mute", "Leave"].map((text) => ({ id: text, text, onAction: () => said.push(text) }));
  render(
    <Menu label="Room" entries={entries}>
      <IconButton icon="more" label="More" />
    </Menu>,
  );
  await user.tab();
  await user.keyboard("{Enter}");
  expect(screen.getByRole("menu", { name: "More" })).toBeTruthy();
  await user.keyboard("{ArrowDown}{Enter}");
  expect(said).toEqual(["Leave"]);
  expect(screen.queryByRole("menu")).toBeNull();
});

test("a dialog has its title as name, closes by Escape, and gives the focus back", async () => {
  const user = userEvent.setup();
  function Page() {
    const [open, setOpen] = useState(false);
    return (
      <>
        <Button onPress={() => setOpen(true)}>New room</Button>
        {open && (
          <Dialog title="A new room" onClose={() => setOpen(false)}>
            <Field label="Name" error="That name is taken." />
          </Dialog>
        )}
      </>
    );
  }
  render(<Page />);
  await user.click(screen.getByRole("button", { name: "New room" }));
  const dialog = screen.getByRole("dialog", { name: "A new room" });
  const field = screen.getByRole("textbox", { name: "Name" });
  expect(dialog.contains(field)).toBe(true);
  expect(field.getAttribute("aria-invalid")).toBe("true");
  expect(field.getAttribute("aria-describedby")).toBeTruthy();
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("dialog")).toBeNull();
  await vi.waitFor(() => expect(document.activeElement?.textContent).toBe("New room"));
});

test("the focus goes to what stood around a button that is gone when its dialog closes", async () => {
  const user = userEvent.setup();
  function Page() {
    const [step, setStep] = useState<"before" | "asked" | "after">("before");
    return (
      <>
        <div tabIndex={-1} data-testid="message">
          {step === "before" && <button onClick={() => setStep("asked")}>Delete</button>}
        </div>
        {step === "asked" && (
          <Dialog title="Delete?" onClose={() => setStep("after")}>
            sure?
          </Dialog>
        )}
      </>
    );
  }
  render(<Page />);
  await user.click(screen.getByRole("button", { name: "Delete" }));
  screen.getByRole("dialog", { name: "Delete?" });
  await user.keyboard("{Escape}");
  await vi.waitFor(() => expect(document.activeElement).toBe(screen.getByTestId("message")));
});

test("a question is answered by a button, and by Escape with no", async () => {
  const user = userEvent.setup();
  render(<Overlays />);
  const ask = () => confirmed({ title: "Delete it?", text: "It is gone then.", verb: "Delete" });
  let answer!: Promise<boolean>;
  act(() => void (answer = ask()));
  await user.click(await screen.findByRole("button", { name: "Delete" }));
  expect(await answer).toBe(true);
  act(() => void (answer = ask()));
  await user.keyboard("{Escape}");
  expect(await answer).toBe(false);
  act(() => closeOverlays());
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("a field with an error does not keep its form from being sent", async () => {
  const user = userEvent.setup();
  let sent = 0;
  const send = (event: FormEvent) => {
    event.preventDefault();
    sent += 1;
  };
  render(
    <form onSubmit={send}>
      <Field label="Name" error="That name is taken." />
      <button>Send</button>
    </form>,
  );
  expect(screen.getByLabelText("Name").getAttribute("aria-invalid")).toBe("true");
  expect(screen.getByText("That name is taken.")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Send" }));
  await user.type(screen.getByLabelText("Name"), "x{Enter}");
  expect(sent).toBe(2);
});

test("a password can be shown", async () => {
  const user = userEvent.setup();
  render(<Field label="Password" type="password" />);
  const field = screen.getByLabelText("Password");
  expect(field.getAttribute("type")).toBe("password");
  await user.click(screen.getByRole("button", { name: "Show" }));
  expect(field.getAttribute("type")).toBe("text");
  expect(screen.getByRole("button", { name: "Hide" })).toBeTruthy();
});

test("switches and choices tell what was chosen", async () => {
  const user = userEvent.setup();
  const said: unknown[] = [];
  render(
    <>
      <Switch isOn={false} onChange={(on) => said.push(on)}>
        Sounds
      </Switch>
      <Choice
        label="Theme"
        value="light"
        options={[
          { value: "light", text: "Light" },
          { value: "dark", text: "Dark" },
        ]}
        onChange={(value) => said.push(value)}
      />
    </>,
  );
  await user.click(screen.getByRole("switch", { name: "Sounds" }));
  await user.click(screen.getByRole("radio", { name: "Dark" }));
  expect(said).toEqual([true, "dark"]);
});

test("tabs are moved through by arrows", async () => {
  const user = userEvent.setup();
  const tabs = ["About", "Members"].map((title) => ({ id: title, title, content: <p>all of {title}</p> }));
  render(<Tabs label="Room" tabs={tabs} />);
  await user.click(screen.getByRole("tab", { name: "About" }));
  await user.keyboard("{ArrowRight}");
  expect(screen.getByRole("tabpanel", { name: "Members" }).textContent).toBe("all of Members");
});

test("the chosen tab shows itself where the row is wider than the screen, also at first", () => {
  const tabs = ["About", "Members"].map((title) => ({ id: title, title, content: title }));
  const shown: (string | null)[] = [];
  const before = Element.prototype.scrollIntoView;
  Element.prototype.scrollIntoView = function (this: Element) {
    shown.push(this.textContent);
  };
  const { rerender } = render(<Tabs label="Room" tabs={tabs} selected="Members" />);
  rerender(<Tabs label="Room" tabs={tabs} selected="About" />);
  Element.prototype.scrollIntoView = before;
  expect(shown).toEqual(["Members", "About"]);
});

test("what is empty, failed, unread or away says so", async () => {
  const user = userEvent.setup();
  const retry = vi.fn();
  render(
    <>
      <EmptyState title="No rooms yet" />
      <ErrorState text="The rooms could not be loaded." onRetry={retry} />
      <Badge count={120} kind="mention" />
      <Badge count={1} kind="mention" testid="one" />
      <Avatar id="1" name="«ann»" presence="away" />
    </>,
  );
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(retry).toHaveBeenCalledOnce();
  expect(screen.getByRole("alert").textContent).toContain("The rooms could not be loaded.");
  expect(screen.getByTestId("unread").textContent).toBe("99+ mentions");
  expect(screen.getByTestId("one").textContent).toBe("1 mention");
  expect(screen.getByTestId("presence-dot").textContent).toBe("away");
  expect(screen.getByText("A")).toBeTruthy();
});

test("the appearance is kept, and what is kept and not known is as if nothing were", () => {
  chooseAppearance({ theme: "contrast", textSize: "125" });
  expect(document.documentElement.dataset).toMatchObject({ theme: "contrast", density: "compact", textSize: "125" });
  localStorage.setItem("rookery.theme", "pink");
  expect(readAppearance()).toEqual({ theme: "system", density: "compact", textSize: "125" });
  chooseAppearance({ theme: "system" });
  expect(document.documentElement.dataset.theme).toBeUndefined();
});
