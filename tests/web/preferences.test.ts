/** What the devices of a user share: sections of one document, and the choices of the list among them. */
import { beforeEach, describe, expect, test } from "vitest";
import { type Api, ApiError } from "../../web/app/core/api.ts";
import type { App } from "../../web/app/core/app.ts";
import { Choices } from "../../web/app/core/choices.ts";
import { Preferences } from "../../web/app/core/preferences.ts";
import { Sharing } from "../../web/app/core/sharing.ts";
import { Store } from "../../web/app/core/store.ts";
import { ME, settle } from "./support.mjs";

/** A server with the document, as far as `Preferences` uses its `Api`. */
class Server {
  revision = 0;
  content = "";
  puts = 0;
  isDown = false;

  get = async () => {
    if (this.isDown) throw new ApiError(0, {});
    return { revision: this.revision, content: this.content };
  };
  put = async (_path: string, body: { revision: number; content: string }) => {
    this.puts += 1;
    if (this.isDown) throw new ApiError(0, {});
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
  const begin = () => {
    const choices = new Choices(null);
    choices.open(ME);
    const touched: string[] = [];
    const store = new Store(queueMicrotask, () => 0);
    store.watch("choices", () => touched.push("choices"));
    let now = 0;
    const told: unknown[] = [];
    const timers = { now: () => now };
    const emit = (_name: string, detail: unknown) => told.push(detail);
    const app = { api: server, store, choices, notifying: null, timers, emit } as unknown as App;
    const sharing = new Sharing(app);
    return { app, choices, touched, sharing, told, later: (ms: number) => void (now += ms) };
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
    expect([...choices.favourites]).toEqual(["room:a"]);
    expect(JSON.parse(server.content).list.favourites).toEqual(["room:a"]);
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
