/**
 * Calls of REST. Each returns the parsed body, or throws an `ApiError` whose message is for people.
 */
import { blockText } from "./cases.js";
import { SignedOut } from "./session.js";
import { duration } from "./time.js";

const TIMEOUT_MS = 20_000;

/** The error of a problem document (RFC 9457). `status` is 0 if the server was not reached. */
export class ApiError extends Error {
  /** @param {number} status @param {any} problem */
  constructor(status, problem) {
    super(explain(status, problem));
    this.status = status;
    this.code = problem.code ?? "";
    /** The field that is wrong, if one is. @type {string | null} */
    this.field = problem.field ?? null;
  }
}

/** What to tell a person about a problem document. @param {number} status @param {any} problem */
function explain(status, problem) {
  const { code, detail, title, retry_after_ms: wait } = problem;
  if (code === "blocked" && (problem.reason || problem.until)) return blockText(problem);
  const said = sentence(detail || title || `The server answered ${status}.`);
  // The server says "later"; here it is known how much later.
  return code === "rate_limited" && wait ? `${said.split(";")[0]}. Try again in ${duration(wait)}.` : said;
}

/**
 * One request without authentication.
 * @param {typeof fetch} fetch
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @param {Record<string, string>} [headers]
 */
export async function request(fetch, method, path, body, headers = {}) {
  /** @type {RequestInit & {headers: Record<string, string>}} */
  const init = { method, headers: { Accept: "application/json", ...headers }, signal: AbortSignal.timeout(TIMEOUT_MS) };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers["Content-Type"] = "application/json";
  }
  let response;
  let text;
  try {
    response = await fetch(path, init);
    text = await response.text();
  } catch {
    throw new ApiError(0, {
      detail: "The server cannot be reached. Check the connection, and try again.",
      code: "unreachable",
    });
  }
  const answer = readJson(text);
  if (!response.ok) throw new ApiError(response.status, answer ?? {});
  return answer;
}

/** @param {string} text */
function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The message as the page shows it: without the name of the field, beside which it is shown. @param {string} text */
function sentence(text) {
  const bare = text.replace(/^`[^`]+`: /, "").replace(/^`[^`]+` /, "This ");
  return bare.slice(0, 1).toUpperCase() + bare.slice(1);
}

/**
 * A path with its query; parameters that are undefined or null are left out.
 * @param {string} path
 * @param {Record<string, any>} query
 */
export function withQuery(path, query) {
  const kept = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return kept.length ? `${path}?${new URLSearchParams(kept.map(([key, value]) => [key, String(value)]))}` : path;
}

/** The calls that need a session. */
export class Api {
  /**
   * @param {typeof fetch} fetch
   * @param {import("./session.js").Session} session
   */
  constructor(fetch, session) {
    this.fetch = fetch;
    this.session = session;
    /** Called when the session has ended. */
    this.onsignedout = () => {};
  }

  /** @param {string} path @param {Record<string, any>} [query] */
  get(path, query = {}) {
    return this.call("GET", withQuery(path, query));
  }

  /** @param {string} path @param {object} [body] */
  post(path, body = {}) {
    return this.call("POST", path, body);
  }

  /** @param {string} path @param {object} [body] */
  put(path, body = {}) {
    return this.call("PUT", path, body);
  }

  /** @param {string} path @param {object} body */
  patch(path, body) {
    return this.call("PATCH", path, body);
  }

  /** @param {string} path */
  delete(path) {
    return this.call("DELETE", path);
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  async call(method, path, body) {
    try {
      const token = await this.session.token();
      try {
        return await this.#send(method, path, body, token);
      } catch (error) {
        // Not for a wrong password: it would be tried twice.
        if (!(error instanceof ApiError) || error.status !== 401 || error.code === "wrong_login") throw error;
        return await this.#send(method, path, body, await this.session.token(token));
      }
    } catch (error) {
      if (error instanceof SignedOut) this.onsignedout();
      throw error;
    }
  }

  /** @param {string} method @param {string} path @param {object | undefined} body @param {string} token */
  #send(method, path, body, token) {
    return request(this.fetch, method, path, body, { Authorization: `Bearer ${token}` });
  }
}
