/** The logo of the instance: where it is shown, and how its owner gives it another one. */
import { act, fireEvent, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { AuthPage } from "../../web/app/auth/AuthPage.tsx";
import { AppContext, NavigationContext } from "../../web/app/context.ts";
import { Logo } from "../../web/app/kit/Logo.tsx";
import { Overlays } from "../../web/app/kit/overlays.tsx";
import SettingsPage from "../../web/app/settings/SettingsPage.tsx";
import { Navigation } from "../../web/app/shell/navigation.ts";
import { Sidebar } from "../../web/app/sidebar/Sidebar.tsx";
import { beginLanguage } from "../../web/app/texts.ts";
import { TestPage } from "./page.mjs";
import { ME } from "./support.mjs";

const FIRST = "/api/instance/logo/one";
const SECOND = "/api/instance/logo/two";
const PICTURE = new File(["picture"], "logo.png", { type: "image/png" });
let page: TestPage;
let logo: string | null;
let role: "owner" | "moderator";
let sent: object[];

beforeEach(() => {
  localStorage.clear();
  beginLanguage(["en"]);
  page = new TestPage(undefined, undefined, (run: () => void) => queueMicrotask(() => act(run)));
  logo = FIRST;
  role = "owner";
  sent = [];
  const answer = page.rest.answer.bind(page.rest);
  page.rest.answer = (method: string, path: string, body: object) => {
    if (path === "/api/config") return { ws_url: "ws://edge/ws", name: "Команда", logo };
    if (path === "/api/auth/me") return { id: ME, name: "ann", moderator: true, instance_role: role };
    if (path === "/api/instance")
      return { revision: 3, name: "Команда", registration: null, default_rooms: [], room_makers: "everyone", logo };
    if (path === "/api/instance/logo") {
      sent.push(body);
      logo = method === "PUT" ? SECOND : null;
      return { logo };
    }
    return answer(method, path, body);
  };
});

const show = (what: React.ReactNode) =>
  render(
    <AppContext value={page.app}>
      <NavigationContext value={new Navigation(page.app)}>
        {what}
        <Overlays />
      </NavigationContext>
    </AppContext>,
  );
async function showSetting() {
  await page.signedIn();
  show(<SettingsPage rest="instance" />);
  return screen.findByTestId("logo-setting");
}
const sourceOf = (image: HTMLElement) => image.getAttribute("src");
const choose = async (file: File) => {
  const input = document.querySelector<HTMLInputElement>('input[type="file"]');
  if (!input) throw new Error("there is no field for a file");
  await userEvent.upload(input, file, { applyAccept: false });
};

test("a logo stands for the instance, and its letter where it does not load", () => {
  const { rerender } = render(<Logo address={FIRST} name="команда" />);
  expect(sourceOf(screen.getByTestId("logo"))).toBe("api/instance/logo/one");
  fireEvent.error(screen.getByTestId("logo"));
  expect(screen.getByTestId("logo-letter").textContent).toBe("К");
  rerender(<Logo address={SECOND} name="команда" />);
  expect(sourceOf(screen.getByTestId("logo"))).toBe("api/instance/logo/two");
  rerender(
    <Logo address={null} name="команда">
      the sign
    </Logo>,
  );
  expect(screen.getByText("the sign")).toBeTruthy();
});

test("who logs in sees it above the name", async () => {
  show(<AuthPage reason={undefined} />);
  expect(sourceOf(await screen.findByTestId("logo"))).toBe("api/instance/logo/one");
  expect(screen.getByRole("heading", { name: "Команда" })).toBeTruthy();
});

test("without a logo, who logs in sees the sign of Rookery", async () => {
  logo = null;
  show(<AuthPage reason={undefined} />);
  expect(await screen.findByRole("heading", { name: "Команда" })).toBeTruthy();
  expect(screen.queryByTestId("logo")).toBeNull();
});

test("it stands by the name above the list", async () => {
  await page.signedIn();
  show(<Sidebar />);
  const brand = screen.getByRole("link", { name: "Команда" });
  expect(sourceOf(within(brand).getByTestId("logo"))).toBe("api/instance/logo/one");
});

test("another name and logo are there at once, whoever gave them", async () => {
  await page.signedIn();
  show(<Sidebar />);
  const decided = { name: "Nest", registration: "open", room_makers: "everyone" } as const;
  act(() => page.socket.say({ type: "instance", ...decided, logo: SECOND }));
  const brand = await screen.findByRole("link", { name: "Nest" });
  expect(sourceOf(within(brand).getByTestId("logo"))).toBe("api/instance/logo/two");
  act(() => page.socket.say({ type: "instance", ...decided, logo: null }));
  await vi.waitFor(() => expect(screen.queryByTestId("logo")).toBeNull());
});

test("an owner gives the instance another logo, which is sent as it is", async () => {
  const setting = await showSetting();
  expect(sourceOf(within(setting).getByTestId("logo"))).toBe("api/instance/logo/one");
  await choose(PICTURE);
  expect(sent).toEqual([PICTURE]);
  expect(sourceOf(await within(setting).findByTestId("logo"))).toBe("api/instance/logo/two");
  expect(page.app.store.logo).toBe(SECOND);
  expect(page.said.notice).toEqual([{ text: "The logo is set.", tone: "info" }]);
});

test("an owner takes the logo away after a question", async () => {
  const setting = await showSetting();
  await userEvent.click(screen.getByRole("button", { name: "Remove" }));
  const question = await screen.findByRole("dialog", { name: "Remove the logo?" });
  await userEvent.click(within(question).getByRole("button", { name: "Remove" }));
  expect(await screen.findByRole("button", { name: "Choose a file…" })).toBeTruthy();
  expect(within(setting).queryByTestId("logo")).toBeNull();
  expect(page.rest.count("DELETE /api/instance/logo")).toBe(1);
  expect(page.app.store.logo).toBeNull();
});

test("what is seen to be no logo is told, and not sent; in Russian, too", async () => {
  beginLanguage(["ru"]);
  await showSetting();
  await choose(new File(["<svg/>"], "logo.svg", { type: "image/svg+xml" }));
  expect(screen.getByTestId("logo-error").textContent).toMatch(/SVG не подходит/);
  expect(screen.getByRole("button", { name: "Выбрать другой…" })).toBeTruthy();
  expect(sent).toEqual([]);
});

test("what the server refuses is told in a sentence of the page", async () => {
  await showSetting();
  const detail = "the picture is 9 by 9 pixels; each side of a logo has 64 to 1024";
  Object.assign(page.rest, { blocked: { status: 422, code: "invalid", field: "logo", detail } });
  await choose(PICTURE);
  expect((await screen.findByText(/^Each side of a logo has 64/)).getAttribute("role")).toBe("alert");
  Object.assign(page.rest, { blocked: { status: 403, code: "forbidden", detail: "this is for the owners of the instance" } });
  await choose(new File(["other"], "other.png", { type: "image/png" }));
  expect(await screen.findByText("Only owners of the instance may do this.")).toBeTruthy();
});

test("who does not own the instance sees the logo, and no way to change it", async () => {
  role = "moderator";
  const setting = await showSetting();
  expect(within(setting).getByTestId("logo")).toBeTruthy();
  expect(within(setting).queryByRole("button")).toBeNull();
});
