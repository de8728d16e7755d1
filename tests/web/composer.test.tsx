/** The composer: sending, replies, edits, completion, formats, pasted code, the limit, readers. */
import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test } from "vitest";
import { Composer } from "../../web/app/composer/Composer.tsx";
import { ComposerModel } from "../../web/app/composer/model.ts";
import { AppContext } from "../../web/app/context.ts";
import type { Conversation } from "../../web/app/core/conversation.ts";
import { beginLanguage } from "../../web/app/texts.ts";
import { TestPage } from "./page.mjs";
import { ME, message, settle } from "./support.mjs";

const CLEO = { id: "00000000-0000-4000-8000-00000000000c", name: "bobby" };
let page: TestPage;
let model: ComposerModel;

beforeEach(async () => {
  localStorage.clear();
  beginLanguage(["en"]);
  page = new TestPage();
  await page.signedIn();
  page.socket.say({ ...message(4, { sender: ME }), text: "my own" });
  const answer = page.rest.answer.bind(page.rest);
  page.rest.answer = (method: string, path: string, body: object) =>
    path === "/api/users" ? { users: [CLEO] } : answer(method, path, body);
  await page.app.directory.loadMembers(room());
  await settle();
  model = new ComposerModel(page.app, room(), {
    sent: () => {},
    lastOwn: () => room().timeline.entries.findLast((entry) => entry.sender.id === ME) ?? null,
  });
});

function room(): Conversation {
  if (!page.room) throw new Error("there is no room");
  return page.room;
}

function show() {
  render(
    <AppContext value={page.app}>
      <Composer model={model} />
    </AppContext>,
  );
  return screen.queryByTestId("composer") as HTMLTextAreaElement;
}

const sent = () => page.socket.of("send").map(({ text, reply_to }: { text: string; reply_to?: number }) => [text, reply_to]);

test("Enter sends, and Shift+Enter begins a line", async () => {
  const field = show();
  await userEvent.type(field, "one{Shift>}{Enter}{/Shift}two{Enter}");
  expect([sent(), field.value]).toEqual([[["one\ntwo", undefined]], ""]);
  await userEvent.type(field, "  {Enter}");
  expect(sent()).toHaveLength(1);
});

describe("who types elsewhere", () => {
  const elsewhere = async (keys: string, ...more: React.ReactElement[]) => {
    const field = show();
    render(
      <>
        <button>a button</button>
        {more}
      </>,
    );
    screen.getByText("a button").focus();
    await userEvent.keyboard(keys);
    return field;
  };

  test("writes to the conversation", async () => {
    const field = await elsewhere("так{Enter}");
    expect(sent()).toEqual([["так", undefined]]);
    expect(document.activeElement).toBe(field);
  });

  test("does not, with keys that write nothing, press buttons or are a command", async () => {
    const field = await elsewhere(" {Enter}{ArrowDown}{Control>}b{/Control}{Alt>}x{/Alt}{Escape}{F2}");
    expect([document.activeElement === field, field.value]).toEqual([false, ""]);
    await userEvent.keyboard("{Control>}v{/Control}");
    expect(document.activeElement).toBe(field);
  });

  test("does not while something lies over the page", async () => {
    const field = await elsewhere("x", <div key="layer" role="dialog" />);
    expect(field.value).toBe("");
  });

  test("does not in another field", async () => {
    const field = await elsewhere("{Escape}", <input key="field" aria-label="another" />);
    await userEvent.type(screen.getByLabelText("another"), "x");
    expect(field.value).toBe("");
  });
});

test("an Enter of an input method sends nothing", async () => {
  const field = show();
  await userEvent.type(field, "にほ");
  fireEvent.keyDown(field, { key: "Enter", keyCode: 229 });
  expect(sent()).toEqual([]);
});

test("what is typed is a draft until it was sent", async () => {
  const field = show();
  await userEvent.type(field, "half");
  expect(page.app.drafts.get(room().key)).toBe("half");
  await userEvent.type(field, "{Enter}");
  expect(page.app.drafts.keys()).toEqual([]);
});

describe("an edit", () => {
  test("begins with Up in an empty field, marks its message, and Escape leaves it", async () => {
    const field = show();
    await userEvent.type(field, "{ArrowUp}");
    expect([field.value, room().editing]).toEqual(["my own", 4]);
    expect(screen.getByTestId("context").textContent).toContain("Edit message");
    await userEvent.type(field, "{Escape}");
    expect([field.value, room().editing]).toEqual(["", null]);
  });

  test("is sent when the text is another one, and brings back what stood there", async () => {
    const field = show();
    await userEvent.type(field, "later");
    act(() => void model.editLast());
    await userEvent.type(field, "!{Enter}");
    expect(page.socket.of("edit")).toMatchObject([{ seq: 4, text: "my own!" }]);
    expect([field.value, room().editing]).toEqual(["later", null]);
  });

  test("does not begin with Up in a text", async () => {
    const field = show();
    await userEvent.type(field, "a{ArrowUp}");
    expect(field.value).toBe("a");
  });
});

test("a reply names its message and goes with it", async () => {
  const field = show();
  act(() => model.reply(room().timeline.entries[0]!));
  expect(screen.getByTestId("context").textContent).toContain("Reply to ann: my own");
  await userEvent.type(field, "yes{Enter}");
  expect(sent()).toEqual([["yes", 4]]);
  expect(screen.queryByTestId("context")).toBeNull();
});

test("the message that is answered stands there as plain words", async () => {
  act(() => page.socket.say({ ...message(5, { sender: ME }), text: "**look** at [this](https://x.org/) :tada:\n- `now`" }));
  show();
  act(() => model.reply(room().timeline.entries.find(({ seq }) => seq === 5)!));
  await waitFor(() => expect(screen.getByTestId("context").textContent).toContain("Reply to ann: look at this 🎉 • now"));
});

describe("completion", () => {
  test("offers people of the room first, and tells the others apart", async () => {
    const field = show();
    await userEvent.type(field, "hi @bo");
    await waitFor(() => expect(screen.getAllByRole("option").map((one) => one.textContent)).toEqual(["bob", "bobbynot in this room"]));
    await userEvent.keyboard("{Enter}");
    expect([field.value, sent()]).toEqual(["hi @bob ", []]);
  });

  test("chooses nobody outside of the room by itself: Enter sends", async () => {
    const field = show();
    await userEvent.type(field, "hi @bobb");
    expect((await screen.findByRole("option")).getAttribute("aria-selected")).toBe("false");
    await userEvent.keyboard("{Enter}");
    expect(sent()).toEqual([["hi @bobb", undefined]]);
  });

  test("of a room and of an emoji", async () => {
    const field = show();
    await userEvent.type(field, "in #gen");
    await screen.findByRole("option", { name: "#general" });
    await userEvent.keyboard("{Tab}");
    await userEvent.type(field, ":rocke");
    await screen.findByRole("option", { name: /rocket/ }, { timeout: 5000 });
    await userEvent.keyboard("{Enter}");
    expect(field.value).toBe("in #general 🚀 ");
  });

  test("puts an emoji in when its shortcode is closed", async () => {
    const field = show();
    await userEvent.type(field, "so :tada:");
    await waitFor(() => expect(field.value).toBe("so 🎉"));
  });

  test("is left with Escape, which keeps the text", async () => {
    const field = show();
    await userEvent.type(field, "@bo");
    await screen.findAllByRole("option");
    await userEvent.keyboard("{Escape}");
    expect([screen.queryByRole("option"), field.value]).toEqual([null, "@bo"]);
  });
});

test("formats come by button and by key", async () => {
  const field = show();
  await userEvent.type(field, "word");
  field.setSelectionRange(0, 4);
  await userEvent.click(screen.getByRole("button", { name: "Bold" }));
  expect(field.value).toBe("**word**");
  await userEvent.keyboard("{Control>}b{/Control}");
  expect(field.value).toBe("word");
});

test("a list goes on in the next line", async () => {
  const field = show();
  await userEvent.type(field, "- one{Shift>}{Enter}{/Shift}two");
  expect(field.value).toBe("- one\n- two");
});

test("the mark of an item that is there already is not put in twice", async () => {
  const field = show();
  await userEvent.type(field, "- a{Shift>}{Enter}{/Shift}- b{Shift>}{Enter}{/Shift}- c");
  expect(field.value).toBe("- a\n- b\n- c");
  await userEvent.clear(field);
  await userEvent.type(field, "- - a");
  expect(field.value).toBe("- - a");
});

test("pasted code can be put in a fence", async () => {
  const field = show();
  await userEvent.click(field);
  await userEvent.paste("const a = 1;\nlet b = 2;\ncall(a, b);");
  await userEvent.click(await screen.findByTestId("make-code"));
  expect(field.value).toBe("```\nconst a = 1;\nlet b = 2;\ncall(a, b);\n```");
  expect(screen.queryByTestId("make-code")).toBeNull();
});

test("what is left is told near the limit, and too much is not sent", () => {
  const field = show();
  fireEvent.change(field, { target: { value: "a".repeat(16_384) } });
  expect(screen.getByTestId("left").textContent).toBe("0 bytes left");
  fireEvent.change(field, { target: { value: "a".repeat(16_385) } });
  expect(screen.getByRole("alert").textContent).toBe("Too long by 1 byte. Split the message.");
  fireEvent.keyDown(field, { key: "Enter" });
  expect(sent()).toEqual([]);
});

test("readers are told why they cannot write", () => {
  room().role = "reader";
  expect(show()).toBeNull();
  expect(screen.getByText(/You can read here, but not write\. An owner/)).toBeTruthy();
});
