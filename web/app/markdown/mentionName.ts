/** Keeps the underscores at the beginning of a name: those of `@_ada_` are the name's, and no emphasis. */
import type { Effects, Extension, State, Tokenizer } from "micromark-util-types";

declare module "micromark-util-types" {
  interface TokenTypeMap {
    mentionName: "mentionName";
  }
}

const AT = 64;
const UNDERSCORE = 95;

const tokenize: Tokenizer = (effects: Effects, ok: State): State => {
  const within: State = (code) => {
    if (code === UNDERSCORE) {
      effects.consume(code);
      return within;
    }
    effects.exit("mentionName");
    return ok(code);
  };
  return (code) => {
    effects.enter("mentionName");
    effects.consume(code);
    return within;
  };
};

export const mentionName: Extension = { text: { [AT]: { name: "mentionName", tokenize } } };
