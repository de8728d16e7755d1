/** What the devices of a user share: sections of one document, and the choices of the list among them. */
import { beforeEach, describe, expect, test } from "vitest";
import { type Api, ApiError } from "../../web/app/core/api.ts";
import type { App } from "../../web/app/core/app.ts";
import { Choices } from "../../web/app/core/choices.ts";
import { Preferences } from "../../web/app/core/preferences.ts";
import { Sharing } from "../../web/app/core/sharing.ts";
import { Store } from "../../web/app/core/store.ts";
import { Unsaved } from "../../web/app/core/unsaved.ts";
import type { Signals } from "../../web/app/core/signals.ts";
import { Box, Clock, ME, settle } from "./support.mjs";

/** A server with the document, as far as `Preferences` uses its `Api`. */
class Server {
  revision = 0;
  content = "";
  puts = 0;
  isDown = false;
  refusal: ApiError | null = null;

  get = async () => {
    if (this.isDown) throw new ApiError(0, {});
    return { revision: this.revision, content: this.content };
  };
  put = async (_path: string, body: { revision: number; content: string }) => {
    this.puts += 1;
    if (this.isDown) throw new ApiError(0, {});
    if (this.refusal) throw this.refusal;
    if (body.revision !== this.revision) throw new ApiError(409, { code: "conflict" });
    this.content = body.content;
    this.revision += 1;
    return { revision: this.revision };
  };
}

let server: Server;
beforeEach(() => {
  server = new Server();
});
const device = () => new Preferences(server as unknown as Api);

describe("a section", () => {
  test("is there on another device, and the other sections stay", async () => {
    server.content = '{"theme": "dark"}';
    const here = device();
    await here.load();
    await here.save("list", [1]);
    const there = device();
    await there.load();
    expect([there.get("theme"), there.get("list"), there.get("else")]).toEqual(["dark", [1], undefined]);
  });

  test("is put over what a faster device saved", async () => {
    const [here, there] = [device(), device()];
    await Promise.all([here.load(), there.load()]);
    await there.save("theme", "dark");
    await here.save("list", [1]);
    expect(JSON.parse(server.content)).toEqual({ theme: "dark", list: [1] });
  });

  test("is saved in the order in which it was changed", async () => {
    const here = device();
    await Promise.all([here.save("list", 1), here.save("list", 2), here.save("list", 3)]);
    expect(JSON.parse(server.content)).toEqual({ list: 3 });
  });

  test("that cannot be saved says so, and the next one is tried", async () => {
    const here = device();
    server.isDown = true;
    await expect(here.save("list", 1)).rejects.toThrow(ApiError);
    server.isDown = false;
    await here.save("list", 2);
    expect(JSON.parse(server.content)).toEqual({ list: 2 });
  });

  test("keeps the fields that were not decided, and those that this build does not know", async () => {
    server.content = '{"looks": {"theme": "sepia", "shadows": 3, "density": "compact"}}';
    server.revision = 1;
    const here = device();
    await here.save("looks", { density: "comfortable" });
    expect(JSON.parse(server.content)).toEqual({ looks: { theme: "sepia", shadows: 3, density: "comfortable" } });
  });

  test("is not read again when its revision is known", async () => {
    const here = device();
    await here.save("list", 1);
    expect([await here.load(1), await here.load(2), await here.load()]).toEqual([false, true, true]);
  });

  test("of a document that cannot be read is none", async () => {
    for (const content of ["", "{", "[1]", "null", '"x"']) {
      server.content = content;
      const here = device();
      await here.load();
      expect(here.get("list")).toBeUndefined();
    }
  });
});

describe("the choices of the list", () => {
  /** @param box what the browser keeps */
  const begin = (box: Box | null = null) => {
    const choices = new Choices(box);
    choices.open(ME);
    const touched: string[] = [];
    const clock = new Clock();
    const store = new Store(queueMicrotask, clock.now);
    store.me = { id: ME, name: "ann", moderator: false };
    store.watch("choices", () => touched.push("choices"));
    const told: unknown[] = [];
    const runs = new Map<string, (detail: unknown) => void>();
    const on = (name: string, run: (detail: unknown) => void) => {
      runs.set(name, run);
      return () => runs.delete(name);
    };
    const emit = (_name: string, detail: unknown) => told.push(detail);
    const app = { api: server, store, choices, notifying: null, timers: clock, emit, on } as unknown as App;
    const sharing = new Sharing(app);
    const say = <K extends keyof Signals>(name: K, detail: Partial<Signals[K]>) => runs.get(name)?.(detail);
    return { app, choices, touched, sharing, told, say, clock, later: (ms: number) => void (clock.time += ms) };
  };

  test("come from the other device, and go there", async () => {
    const first = begin();
    await settle();
    first.choices.toggleFavourite("room:a");
    await settle();
    const second = begin();
    await settle();
    expect([[...second.choices.favourites], second.touched]).toEqual([["room:a"], ["choices"]]);
  });

  test("that are made before the answer stay", async () => {
    server.content = '{"list": {"favourites": ["room:b"], "collapsed": []}}';
    const { choices } = begin();
    choices.toggleFavourite("room:a");
    await settle();
    expect([...choices.favourites]).toEqual(["room:b", "room:a"]);
    expect(JSON.parse(server.content).list.favourites).toEqual(["room:b", "room:a"]);
  });

  test("are those of this browser when the server does not answer", async () => {
    server.isDown = true;
    const { choices } = begin();
    choices.toggleFavourite("room:a");
    await settle();
    expect([...choices.favourites]).toEqual(["room:a"]);
  });

  test("of the other device are here when one comes back to the window", async () => {
    const first = begin();
    await settle();
    const second = begin();
    await settle();
    second.choices.toggleFavourite("room:b");
    await settle();
    first.sharing.readAgain();
    await settle();
    expect([...first.choices.favourites]).toEqual([]);
    first.later(10_000);
    first.sharing.readAgain();
    await settle();
    expect([...first.choices.favourites]).toEqual(["room:b"]);
  });

  test("that could not be saved are saved when one comes back, and not lost to older ones", async () => {
    const { choices, sharing, later } = begin();
    await settle();
    server.isDown = true;
    choices.toggleFavourite("room:a");
    await settle();
    server.isDown = false;
    later(10_000);
    sharing.readAgain();
    await settle();
    expect([...choices.favourites]).toEqual(["room:a"]);
    expect(JSON.parse(server.content).list.favourites).toEqual(["room:a"]);
  });

  test("of other parts are told to them", async () => {
    server.content = '{"looks": 7}';
    const { told } = begin();
    await settle();
    expect(told).toEqual([{ section: "looks", value: 7 }]);
  });

  test("of the other device are here at once, by the event that tells of them", async () => {
    const [first, second] = [begin(), begin()];
    await settle();
    second.choices.toggleFavourite("room:b");
    await settle();
    first.say("event", { type: "preferences", revision: 1 });
    await settle();
    expect([...first.choices.favourites]).toEqual(["room:b"]);
    second.choices.toggleFavourite("room:c");
    await settle();
    first.say("event", { type: "preferences", revision: 1 });
    await settle();
    expect([...first.choices.favourites]).toEqual(["room:b"]);
  });

  test("of the other device are here after a lost connection, in which the event was lost", async () => {
    const [first, second] = [begin(), begin()];
    await settle();
    first.say("link", { state: "online" });
    second.choices.toggleFavourite("room:b");
    await settle();
    first.say("link", { state: "reconnecting" });
    first.say("link", { state: "online" });
    await settle();
    expect([...first.choices.favourites]).toEqual(["room:b"]);
  });

  test("that were made without a connection are sent when it is back, also by another visit", async () => {
    server.isDown = true;
    const box = new Box();
    const offline = begin(box);
    void offline.sharing.save("looks", { theme: "dark" });
    void offline.sharing.save("looks", { density: "compact" });
    offline.choices.toggleFavourite("room:a");
    await settle();
    offline.sharing.stop();
    server.isDown = false;
    server.content = '{"looks": {"theme": "light", "textSize": "125"}}';
    server.revision = 1;
    const { told, choices } = begin(box);
    await settle();
    const looks = { theme: "dark", textSize: "125", density: "compact" };
    expect(JSON.parse(server.content)).toEqual({ looks, list: { favourites: ["room:a"] } });
    expect([told.at(-1), [...choices.favourites]]).toEqual([{ section: "looks", value: looks }, ["room:a"]]);
    expect(box.getItem(`rookery.unsaved/${ME}`)).toBeNull();
  });

  test("that two devices made without a connection are all there, whoever sends first", async () => {
    const [first, second] = [begin(), begin()];
    first.choices.toggleFavourite("room:a");
    first.choices.toggleFavourite("room:b");
    await settle();
    second.later(10_000);
    second.sharing.readAgain();
    await settle();
    server.isDown = true;
    first.choices.toggleFavourite("room:a");
    first.choices.toggleFavourite("room:c");
    second.choices.toggleFavourite("room:d");
    second.choices.toggleCollapsed("rooms");
    await settle();
    server.isDown = false;
    for (const { sharing, later } of [second, first, second]) {
      later(10_000);
      sharing.readAgain();
      await settle();
    }
    expect(JSON.parse(server.content)).toEqual({ list: { favourites: ["room:b", "room:d", "room:c"], collapsed: ["rooms"] } });
    for (const { choices } of [first, second]) expect([...choices.favourites]).toEqual(["room:b", "room:d", "room:c"]);
  });

  test("that two tabs could not save are all sent at the next visit, and those of one stay when the other is saved", async () => {
    const box = new Box();
    const [first, second] = [begin(box), begin(box)];
    await settle();
    server.isDown = true;
    void first.sharing.save("looks", { theme: "dark" });
    first.choices.toggleFavourite("room:a");
    void second.sharing.save("looks", { density: "compact" });
    second.choices.toggleFavourite("room:b");
    await settle();
    first.sharing.stop();
    server.isDown = false;
    second.later(10_000);
    second.sharing.readAgain();
    await settle();
    expect(JSON.parse(server.content)).toEqual({ looks: { density: "compact" }, list: { favourites: ["room:b"] } });
    second.sharing.stop();
    begin(box);
    await settle();
    const looks = { density: "compact", theme: "dark" };
    expect(JSON.parse(server.content)).toEqual({ looks, list: { favourites: ["room:b", "room:a"] } });
    expect(box.getItem(`rookery.unsaved/${ME}`)).toBeNull();
  });

  test("that the server refuses for good are not sent again and again", async () => {
    const { sharing } = begin();
    await settle();
    server.refusal = new ApiError(422, { code: "invalid" });
    await sharing.save("looks", { theme: "x".repeat(20_000) });
    server.refusal = null;
    sharing.readAgain();
    await settle();
    expect([server.puts, server.content]).toEqual([1, ""]);
  });

  test("that change often are sent once, with the last state", async () => {
    const { sharing, clock } = begin();
    await settle();
    for (const used of ["a", "b", "c"]) sharing.saveSoon("emoji", { used });
    await clock.pass(10_000);
    expect([server.puts, JSON.parse(server.content)]).toEqual([1, { emoji: { used: "c" } }]);
  });

  test("of a user who left are not saved for the next one", async () => {
    const { app, choices } = begin();
    await settle();
    app.store = new Store(
      () => {},
      () => 0,
    );
    choices.toggleFavourite("room:a");
    await settle();
    expect(server.puts).toBe(0);
  });
});

test("what several devices used lately is kept of each, the later first", async () => {
  const use = (...first: string[]) => ({ used: { first, most: 3 } });
  const [phone, desk] = [device(), device()];
  await Promise.all([phone.load(), desk.load()]);
  await phone.save("emoji", use("a"));
  await desk.save("emoji", use("b", "a"));
  await phone.save("emoji", { tone: 2 });
  await phone.save("emoji", use("c"));
  await desk.save("emoji", use("d"));
  expect(JSON.parse(server.content)).toEqual({ emoji: { used: ["d", "c", "b"], tone: 2 } });
});

test("what was used without a connection is sent together, and what was sent is not sent again", () => {
  const use = (...first: string[]) => ({ used: { first, most: 3 } });
  const box = new Box();
  const [one, other] = [new Unsaved(box, "ann"), new Unsaved(box, "ann")];
  one.add("emoji", use("a"));
  const sent = one.add("emoji", use("b"));
  expect(sent).toEqual(use("b", "a"));
  other.add("emoji", use("c"));
  expect(new Unsaved(box, "ann").list()).toEqual([["emoji", use("c", "b", "a")]]);
  one.drop("emoji", sent);
  expect([one.list(), new Unsaved(box, "ann").list()]).toEqual([[], [["emoji", use("c", "b", "a")]]]);
});
