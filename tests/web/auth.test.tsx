/** Log-in, registration and the links of mails, as people see and use them. */
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { AuthPage } from "../../web/app/auth/AuthPage.tsx";
import { MailLinkPage } from "../../web/app/auth/MailLinkPage.tsx";
import { AppContext } from "../../web/app/context.ts";
import { request } from "../../web/app/core/api.ts";
import { beginLanguage, chooseLanguage } from "../../web/app/texts.ts";
import { TestPage } from "./page.mjs";

let page: TestPage;
let bodies: Record<string, object>;

beforeEach(() => {
  localStorage.clear();
  beginLanguage(["en"]);
  page = new TestPage();
  bodies = {};
  const publicPost = (path: string, body: object) => request(page.app.api.fetch, "POST", path, body);
  Object.assign(page.app, { publicPost });
  const answer = page.rest.answer.bind(page.rest);
  page.rest.answer = (method: string, path: string, body: object) => {
    bodies[path] = body;
    if (path === "/api/config") return { ws_url: "ws://edge/ws", name: "Команда", registration: "open" };
    if (path === "/api/auth/email/verify") return { email: "ann@mail.example" };
    return answer(method, path, body);
  };
});

const show = (what = <AuthPage reason="You were logged out." />) => render(<AppContext value={page.app}>{what}</AppContext>);
const refuse = (problem: object) => Object.assign(page.rest, { blocked: problem });
const press = (name: string) => userEvent.click(screen.getByRole("button", { name }));

test("the page has the name of the instance, and says why one is here", async () => {
  show();
  expect(await screen.findByRole("heading", { name: "Команда" })).toBeTruthy();
  expect(screen.getByRole("status").textContent).toBe("You were logged out.");
});

test("what is missing is told by its field, and what is there is sent", async () => {
  show();
  await press("Log in");
  expect(screen.getAllByText("This is needed.")).toHaveLength(2);
  expect(document.activeElement).toBe(screen.getByLabelText("Name"));
  await userEvent.type(screen.getByLabelText("Name"), " ann ");
  await userEvent.type(screen.getByLabelText("Password"), "secret words{Enter}");
  expect(bodies["/api/auth/login"]).toEqual({ name: "ann", password: "secret words" });
});

test("an error goes when one types, and what is sent again is judged anew", async () => {
  show();
  await press("Log in");
  await userEvent.type(screen.getByLabelText("Name"), "a");
  expect(screen.getAllByText("This is needed.")).toHaveLength(1);
  await userEvent.type(screen.getByLabelText("Password"), "x");
  expect(screen.queryByText("This is needed.")).toBeNull();
  refuse({ status: 401, code: "wrong_login" });
  await press("Log in");
  expect(await screen.findByText("The name or the password is wrong.")).toBeTruthy();
  await userEvent.type(screen.getByLabelText("Password"), "y");
  expect(screen.queryByText("The name or the password is wrong.")).toBeNull();
  await press("Log in");
  expect(await screen.findByText("The name or the password is wrong.")).toBeTruthy();
});

test("errors are sentences in the language of the page, not the server's words", async () => {
  refuse({ status: 401, code: "wrong_login", detail: "the name or the password is wrong" });
  show();
  chooseLanguage("ru");
  await userEvent.type(await screen.findByLabelText("Имя"), "ann");
  await userEvent.type(screen.getByLabelText("Пароль"), "x{Enter}");
  expect(await screen.findByText("Неверное имя или пароль.")).toBeTruthy();
  chooseLanguage(null);
});

test("a block says its reason and offers to ask the moderators", async () => {
  refuse({ status: 403, code: "blocked", reason: "spam", until: "2027-01-02T10:00:00Z" });
  show();
  await userEvent.type(screen.getByLabelText("Name"), "ann");
  await userEvent.type(screen.getByLabelText("Password"), "x{Enter}");
  expect((await screen.findByText(/The reason: spam\./)).textContent).toContain("January");
  expect(screen.getByTestId("appeal-block")).toBeTruthy();
});

test("a registration shows the password and how strong it is", async () => {
  show();
  await userEvent.click(screen.getByRole("tab", { name: "Create account" }));
  const password = screen.getByLabelText("Password") as HTMLInputElement;
  await userEvent.type(password, "12345678");
  expect(screen.getByTestId("strength").dataset.strength).toBe("weak");
  await press("Show the password");
  expect(password.type).toBe("text");
  await userEvent.type(password, " correct horse battery");
  expect(screen.getByTestId("strength").dataset.strength).toBe("strong");
  await userEvent.type(screen.getByLabelText("Name"), "ann");
  await press("Create account");
  expect(bodies["/api/auth/register"]).toEqual({ name: "ann", password: "12345678 correct horse battery" });
});

test("who forgot the password gets the same answer for every name", async () => {
  show();
  await userEvent.type(screen.getByLabelText("Name"), "ann");
  await press("Forgot password?");
  expect((screen.getByLabelText("Name or e-mail address") as HTMLInputElement).value).toBe("ann");
  await press("Send the link");
  expect(await screen.findByTestId("forgot-done")).toBeTruthy();
  await press("Back to log-in");
  expect(screen.getByTestId("login-form")).toBeTruthy();
});

test("the link of a mail verifies an address only after a press", async () => {
  const left: (string | undefined)[] = [];
  show(<MailLinkPage link={{ kind: "verify", token: "t" }} onDone={async (reason) => void left.push(reason)} />);
  expect(bodies["/api/auth/email/verify"]).toBeUndefined();
  await press("Verify the address");
  expect(await screen.findByText("ann@mail.example is verified.")).toBeTruthy();
  await press("Go on");
  expect(left).toEqual([undefined]);
});

test("the link of a mail sets another password", async () => {
  const left: (string | undefined)[] = [];
  show(<MailLinkPage link={{ kind: "reset", token: "t" }} onDone={async (reason) => void left.push(reason)} />);
  await userEvent.type(screen.getByLabelText("New password"), "another horse{Enter}");
  expect(bodies["/api/auth/password/reset"]).toEqual({ token: "t", new_password: "another horse" });
  expect(left).toEqual(["The password was changed. Log in with it."]);
});
