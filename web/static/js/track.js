/**
 * The seqs of a conversation that were received.
 *
 * `seq` is the last one up to which nothing is missing: the `since` of a resume. Seqs after a hole
 * wait in `ahead` until the hole is filled.
 */
export class Track {
  /** @param {number | null} seq null: not known yet; the first seq that is seen sets it */
  constructor(seq = null) {
    this.seq = seq;
    /** @type {Set<number>} */
    this.ahead = new Set();
  }

  /** Whether something before a seen seq is missing. */
  get holed() {
    return this.ahead.size > 0;
  }

  /** @param {number} seq */
  has(seq) {
    return (this.seq !== null && seq <= this.seq) || this.ahead.has(seq);
  }

  /**
   * Note a seq.
   * @param {number} seq
   * @returns {boolean} whether it is new; a second time it is false
   */
  see(seq) {
    if (this.has(seq)) return false;
    if (this.seq === null) this.seq = seq;
    else this.ahead.add(seq);
    this.#advance();
    return true;
  }

  /**
   * What is up to `seq` will be read from history, and counts as seen from here.
   * @param {number} seq the newest; below the present one when the server lost or restored its history
   */
  reset(seq) {
    this.seq = null;
    this.reach(seq);
  }

  /**
   * Nothing up to `seq` is missing any more.
   * @param {number} seq
   */
  reach(seq) {
    if (this.seq === null || seq > this.seq) this.seq = seq;
    for (const one of this.ahead) if (one <= this.seq) this.ahead.delete(one);
    this.#advance();
  }

  #advance() {
    while (this.ahead.delete(/** @type {number} */ (this.seq) + 1)) this.seq = /** @type {number} */ (this.seq) + 1;
  }
}
