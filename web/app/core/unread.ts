/**
 * The line above the first unread message of the conversation that is open, and the way back to it. Pure.
 *
 * Rule 1: it stands where the reader left off when the conversation was opened, or when something came unseen later.
 * Rule 2: it stays until everything below it was seen and something new comes unseen, or the user marks a message as unread.
 * Rule 3: while it is above what is on the screen, a button leads to it; until the reader has come from it to the end
 *   by scrolling. Whoever jumps to the end has read nothing of what is between, and gets the button.
 * Rule 4: what the user marks as unread while the conversation is open, in any window, stays so until it is entered anew.
 */
import { formatNumber } from "../texts.ts";
import type { Mark } from "./marks.ts";
import type { Timeline } from "./timeline.ts";

/** The server counts no further. */
const COUNTED = 1000;

/** What is read here of a conversation. */
interface Place {
  unread: number;
  unreadAfter: number;
  mark: Mark | null;
}

export class UnreadLine {
  /** The seq behind which it stands; null while there is none. */
  after: number | null = null;
  /** How many messages of others were unread below it, at most. */
  count = 0;
  /** The user has marked what is below it as unread: it stands above an own message, too. */
  isMarked = false;
  /** When the first message below it came, as soon as that is known. */
  #since = "";
  /** Everything was seen at the end since it was set. */
  #ended = false;
  /** The line itself was on the screen, and nobody has jumped since. */
  #met = false;
  #passed = false;
  /** With what the conversation was entered, and what was followed last. */
  #entered: Mark | null = null;
  #followed: Mark | null = null;

  /** The conversation is opened. */
  enter(place: Place) {
    const { mark, unreadAfter } = place;
    this.#entered = this.#followed = mark;
    if (mark && unreadAfter === mark.from - 1) this.#mark(mark);
    this.follow(place);
  }

  /** Set it, if anything is unread and it does not stand already. */
  follow({ unread, unreadAfter, mark }: Place) {
    if (mark && mark !== this.#followed) this.#mark(mark);
    this.#followed = mark;
    if (!unread) return;
    if (this.after === null || this.#ended) {
      // rules 1 and 2
      this.#stand(unreadAfter);
    }
    this.count = Math.max(this.count, unread);
  }

  /** Whether a conversation with this mark stays unread, whatever is seen of it (rule 4). */
  keeps(mark: Mark | null): boolean {
    return mark !== null && mark !== this.#entered;
  }

  #mark({ from }: Mark) {
    this.#stand(from - 1); // rule 2
    this.isMarked = true;
  }

  #stand(after: number) {
    this.after = after;
    this.count = 0;
    this.#since = "";
    this.isMarked = this.#ended = this.#met = this.#passed = false;
  }

  /** The reader sees the line itself. */
  meet() {
    this.#met = true;
  }

  /** The reader sees the newest message. */
  end() {
    this.#ended = true;
    this.#passed ||= this.#met;
  }

  /** The reader jumps over what is unread. */
  skip() {
    if (!this.#passed) this.#met = false;
  }

  /** Whether a button shall lead to it, if it is above the screen. */
  get missed() {
    return this.after !== null && !this.#passed; // rule 3
  }

  /** When the first message below it came, as far as that is known; else empty. */
  since(timeline: Timeline, me: string): string {
    const after = this.after ?? Infinity;
    const { span } = timeline;
    if (span !== null && span.first <= after + 1) {
      const first = timeline.entries.find(({ seq, sender }) => seq !== null && seq > after && (this.isMarked || sender.id !== me));
      this.#since = first?.ts ?? "";
    }
    return this.#since;
  }
}

/** A number of unread messages as the server counts them. */
export function counted(count: number) {
  return count >= COUNTED ? `${formatNumber(COUNTED)}+` : String(count);
}
