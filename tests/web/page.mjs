/** The page without a screen: an `App` on a fake server, clock and socket. */
import { Api } from "../../web/app/core/api.ts";
import { App } from "../../web/app/core/app.ts";
import { Drafts } from "../../web/app/core/drafts.ts";
import { Keeping } from "../../web/app/core/keeping.ts";
import { LastSeen } from "../../web/app/core/lastSeen.ts";
import { Leases } from "../../web/app/core/leases.ts";
import { Session } from "../../web/app/core/session.ts";
import { Link } from "../../web/app/core/socket.ts";
import { PageShelf } from "../../web/app/core/shelf.ts";
import { PageVault } from "../../web/app/core/vault.ts";
import { Box, Clock, FakeSocket, ME, ROOM, YOU, item, settle } from "./support.mjs";

const GRANT = { access_token: "access", refresh_token: "refresh", expires_in: 900 };
const PEOPLE = { [ME]: "ann", [YOU]: "bob" };

/** The REST of a server with one room and one conversation. */
class Rest {
  calls = [];
  down = false;
  /** The problem that every call answers, when the account is blocked. */
  blocked = null;
  rooms = [{ id: ROOM, name: "general", visibility: "public", role: "member", seq: 3, unread: 1, read: 2 }];
  dms = [{ with: { id: YOU, name: "bob" }, seq: 2, unread: 0, read: 2 }];
  history = [item(3), item(2), item(1)];

  fetch = async (path, { method, body }) => {
    this.calls.push(`${method} ${path}`);
    if (this.down) throw new TypeError("down");
    if (this.blocked) {
      const { status, ...problem } = this.blocked;
      return { ok: false, status, text: async () => JSON.stringify(problem) };
    }
    const answer = this.answer(method, path.split("?")[0], body instanceof Blob ? body : body && JSON.parse(body));
    const status = answer === undefined ? 404 : 200;
    return {
      ok: status === 200,
      status,
      text: async () => JSON.stringify(answer ?? { detail: "nothing here", code: "not_found" }),
    };
  };

  answer(method, path, body) {
    if (path === "/api/config") return { ws_url: "ws://edge/ws" };
    if (path === "/api/auth/me") return { id: ME, name: "ann", email: null };
    if (path.startsWith("/api/auth/")) return GRANT;
    if (path === "/api/rooms" && method === "POST") return { id: YOU, role: "owner", seq: 0, unread: 0, ...body };
    if (path === "/api/rooms") return { rooms: this.rooms };
    if (path === "/api/dms") return { conversations: this.dms };
    if (path.endsWith("/messages")) return { messages: this.history, more: false };
    if (path.endsWith("/members"))
      return {
        members: [
          { id: ME, name: "ann", role: "member" },
          { id: YOU, name: "bob", role: "owner" },
        ],
        more: false,
      };
    if (path.startsWith("/api/users/")) return { id: path.slice(11), name: PEOPLE[path.slice(11)] ?? "cleo" };
    return ["/join", "/leave"].some((end) => path.endsWith(end)) ? {} : undefined;
  }

  count(call) {
    return this.calls.filter((one) => one.startsWith(call)).length;
  }
}

export class TestPage {
  clock = new Clock();
  rest = new Rest();
  vault = new PageVault();
  storage = new Box();
  sockets = [];
  /** What the app said, by signal. */
  said = { session: [], link: [], notice: [], arrived: [], gone: [] };

  /**
   * @param shelf what the browser keeps; tabs of one browser share it
   * @param tabs the tabs of the browser; without them there is no other
   * @param schedule when views are drawn anew after a change; never, unless given
   * @param isKept whether the shelf keeps what was seen, for a page that opens without a connection
   */
  constructor(
    shelf = new PageShelf(),
    tabs = { id: "a tab", ended: () => new Promise(() => {}) },
    schedule = (/** @type {() => void} */ _run) => {},
    isKept = false,
  ) {
    this.shelf = shelf;
    const post = async (path, body) => {
      const answer = await this.rest.fetch(path, { method: "POST", body: JSON.stringify(body) });
      const said = JSON.parse(await answer.text());
      if (!answer.ok) throw Object.assign(new Error(said.detail), { status: answer.status });
      return said;
    };
    const session = new Session({ vault: this.vault, locks: new Leases(this.vault, this.clock), post, now: this.clock.now });
    const open = (url) => this.sockets[this.sockets.push(new FakeSocket(url)) - 1];
    this.app = new App({
      session,
      api: new Api(this.rest.fetch, session),
      publicPost: post,
      schedule,
      timers: this.clock,
      storage: this.storage,
      drafts: new Drafts(shelf),
      keeping: new Keeping(shelf, tabs),
      lastSeen: isKept ? new LastSeen(shelf, this.clock) : null,
      makeLink: (parts) => new Link({ ...parts, open, timers: this.clock, random: () => 0.5 }),
    });
    for (const name of Object.keys(this.said)) this.app.on(name, (detail) => this.said[name].push(detail));
  }

  /** The newest socket. */
  get socket() {
    return this.sockets.at(-1);
  }

  get room() {
    return this.app.store.get(`room:${ROOM}`);
  }

  /** Let the newest socket open and authenticate. */
  async accept() {
    await settle();
    this.socket.accept();
    const [{ id }] = this.socket.of("auth");
    this.socket.say({ type: "ok", id, user: { id: ME, name: "ann" }, session: "s", heartbeat_s: 25 });
  }

  /** The same, and answer its subscriptions: nothing was missed. */
  async connect() {
    await this.accept();
    for (const { id, room, since } of this.socket.of("subscribe")) {
      this.socket.say({ type: "ok", id, room, seq: since, recovered: true, messages: [] });
    }
    await settle();
  }

  async signedIn() {
    await this.app.logIn("ann", "password");
    await this.connect();
  }

  /** Lose the connection, and let time pass until there is another socket. */
  async lose() {
    const before = this.sockets.length;
    this.socket.end(1006);
    while (this.sockets.length === before) await this.clock.pass(50);
  }
}
