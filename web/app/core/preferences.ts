/**
 * What the devices of a user share: one small document of JSON on the server, in sections that each belong to one part of
 * the page.
 *
 * Rule 1: who saves a section keeps the others, and the fields of it that were not decided: also those of a newer
 *   version of the page.
 * Rule 2: when another device was faster, the document is read again and the change is put over it: each field, and of a
 *   list each item, for itself; of what was used lately, the later before the earlier.
 */
import { type Api, ApiError } from "./api.ts";
import { applyChange, isFields } from "./unsaved.ts";

interface Kept {
  revision: number;
  content: string;
}

const PATH = "/api/preferences";
/** Two devices that save all the time are not a user. */
const TRIES = 3;

export class Preferences {
  readonly #api: Api;
  #revision = 0;
  #sections: Record<string, unknown> = {};
  /** One save after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(api: Api) {
    this.#api = api;
  }

  /**
   * Read it; what is saved meanwhile waits.
   * @param revision nothing is read when it is known already
   * @returns whether it was read
   */
  load(revision = Infinity): Promise<boolean> {
    const read = this.#last.then(() => this.#revision < revision && this.#read().then(() => true));
    this.#last = read.catch(() => {});
    return read;
  }

  async #read(): Promise<void> {
    const { revision, content } = await this.#api.get<Kept>(PATH);
    this.#revision = revision;
    this.#sections = readSections(content);
  }

  /** The names of those that were saved. */
  get sections(): string[] {
    return Object.keys(this.#sections);
  }

  /** A section as it was read or saved last; undefined if nobody has saved it. */
  get(section: string): unknown {
    return this.#sections[section];
  }

  /** Throws the `ApiError` of the last try. */
  save(section: string, value: unknown): Promise<void> {
    const saved = this.#last.then(() => this.#put(section, value));
    this.#last = saved.catch(() => {});
    return saved;
  }

  async #put(section: string, value: unknown): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const sections = { ...this.#sections, [section]: applyChange(this.#sections[section], value) }; // rule 1
      try {
        const body: Kept = { revision: this.#revision, content: JSON.stringify(sections) };
        this.#revision = (await this.#api.put<{ revision: number }>(PATH, body)).revision;
        this.#sections = sections;
        return;
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "conflict" || tries === TRIES) throw error;
        await this.#read(); // rule 2
      }
    }
  }
}

function readSections(content: string): Record<string, unknown> {
  try {
    const read: unknown = JSON.parse(content);
    return isFields(read) ? { ...read } : {};
  } catch {
    return {};
  }
}
