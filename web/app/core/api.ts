/** Calls of REST. Each returns the parsed body, or throws an `ApiError` whose message is for people. */
import { explainProblem } from "./problems.ts";
import { SignedOut } from "./session.ts";
import type { Session } from "./session.ts";
import type { Problem } from "./rest.ts";

export type Fetch = typeof globalThis.fetch;
/** What may stand in the query of a path; what is undefined, null or empty is left out. */
export type Query = Record<string, string | number | boolean | null | undefined>;

const TIMEOUT_MS = 20_000;

/** The error of a problem document (RFC 9457), with a sentence for people. `status` is 0 if the server was not reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** The field that is wrong, if one is. */
  readonly field: string | null;
  /** All that the server said. */
  readonly problem: Problem;

  constructor(status: number, problem: Problem, path = "") {
    super(explainProblem(problem, path));
    this.status = status;
    this.code = problem.code ?? "";
    /** The field that is wrong, if one is. */
    this.field = problem.field ?? null;
    this.problem = problem;
  }
}

/** One request without authentication. A body that is a file goes as it is, another one as JSON. */
export async function request<T = unknown>(
  fetch: Fetch,
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<T> {
  const init: RequestInit & { headers: Record<string, string> } = {
    method,
    headers: { Accept: "application/json", ...headers },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  };
  if (body !== undefined) {
    const isFile = body instanceof Blob;
    init.body = isFile ? body : JSON.stringify(body);
    init.headers["Content-Type"] = isFile ? body.type : "application/json";
  }
  let response;
  let text;
  try {
    response = await fetch(path, init);
    text = await response.text();
  } catch {
    throw new ApiError(0, { code: "unreachable" });
  }
  const answer = readJson(text);
  if (!response.ok) throw new ApiError(response.status, (answer ?? {}) as Problem, path);
  return answer as T;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A path with its query; parameters that are undefined or null are left out. */
export function withQuery(path: string, query: Query) {
  const kept = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return kept.length ? `${path}?${new URLSearchParams(kept.map(([key, value]) => [key, String(value)]))}` : path;
}

/** The calls that need a session. */
export class Api {
  readonly fetch: Fetch;
  readonly session: Session;
  /** Called when the session has ended. */
  onsignedout: () => void = () => {};

  constructor(fetch: Fetch, session: Session) {
    this.fetch = fetch;
    this.session = session;
  }

  get<T = unknown>(path: string, query: Query = {}) {
    return this.call<T>("GET", withQuery(path, query));
  }

  post<T = unknown>(path: string, body: object = {}) {
    return this.call<T>("POST", path, body);
  }

  put<T = unknown>(path: string, body: object = {}) {
    return this.call<T>("PUT", path, body);
  }

  patch<T = unknown>(path: string, body: object) {
    return this.call<T>("PATCH", path, body);
  }

  delete<T = unknown>(path: string) {
    return this.call<T>("DELETE", path);
  }

  /** @returns the body of the answer, of which the caller knows the shape by the contract */
  async call<T = unknown>(method: string, path: string, body?: object): Promise<T> {
    try {
      const token = await this.session.token();
      try {
        return await this.#send<T>(method, path, body, token);
      } catch (error) {
        // Not for a wrong password: it would be tried twice.
        if (!(error instanceof ApiError) || error.status !== 401 || error.code === "wrong_login") throw error;
        return await this.#send<T>(method, path, body, await this.session.token(token));
      }
    } catch (error) {
      if (error instanceof SignedOut) this.onsignedout();
      throw error;
    }
  }

  #send<T>(method: string, path: string, body: object | undefined, token: string) {
    return request<T>(this.fetch, method, path, body, { Authorization: `Bearer ${token}` });
  }
}
