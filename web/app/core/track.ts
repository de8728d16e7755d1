/**
 * The seqs of a conversation that were received.
 *
 * `seq` is the last one up to which nothing is missing: the `since` of a resume. Seqs after a hole
 * wait in `ahead` until the hole is filled.
 */
export class Track {
  seq: number | null;
  ahead: Set<number>;

  /** @param seq null: not known yet; the first seq that is seen sets it */
  constructor(seq: number | null = null) {
    this.seq = seq;
    this.ahead = new Set<number>();
  }

  /** Whether something before a seen seq is missing. */
  get holed() {
    return this.ahead.size > 0;
  }

  has(seq: number) {
    return (this.seq !== null && seq <= this.seq) || this.ahead.has(seq);
  }

  /** Note a seq. @returns whether it is new; a second time it is false */
  see(seq: number): boolean {
    if (this.has(seq)) return false;
    if (this.seq === null) this.seq = seq;
    else this.ahead.add(seq);
    this.#advance();
    return true;
  }

  /**
   * What is up to `seq` will be read from history, and counts as seen from here.
   * @param seq the newest; below the present one when the server lost or restored its history
   */
  reset(seq: number) {
    this.seq = null;
    this.reach(seq);
  }

  /** Nothing up to `seq` is missing any more. */
  reach(seq: number) {
    if (this.seq === null || seq > this.seq) this.seq = seq;
    for (const one of this.ahead) if (one <= this.seq) this.ahead.delete(one);
    this.#advance();
  }

  #advance() {
    while (this.ahead.delete((this.seq as number) + 1)) this.seq = (this.seq as number) + 1;
  }
}
