/** The text of a message, or what stands in its place. A long one folds. */
import { useEffect, useMemo, useRef } from "react";
import type { App } from "../core/app.ts";
import { foldName } from "../core/people.ts";
import type { Entry } from "../core/timeline.ts";
import { NOBODY, type Names } from "../markdown/divide.ts";
import { drawShortcodes } from "../emoji/shortcodes.ts";
import { useShortcodes } from "../emoji/useEmoji.ts";
import { Markdown } from "../markdown/Markdown.tsx";
import { isLoneEmoji, shorten } from "../markdown/shorten.ts";
import { withdrawal } from "./Delivery.tsx";
import type { Doer } from "./doer.ts";
import { MESSAGES } from "./texts.ts";
import { useTexts } from "../texts.ts";

interface Props {
  app: App;
  doer: Doer;
  entry: Entry;
  version: string;
  /** Opens the card of a user who is mentioned. */
  onMention: (user: string, at: Element) => void;
  /** Whether Tab reaches the mentions. */
  stop: boolean;
}

export function MessageText({ app, doer, entry, version, onMention, stop }: Props) {
  const say = useTexts(MESSAGES);
  const text = useRef<HTMLDivElement>(null);
  const names = useNames(app, entry, version);
  const folded = useMemo(() => (entry.text === null ? null : shorten(entry.text)), [entry.text]);
  if (entry.text === null)
    return (
      <div className="text withdrawn" dir="auto">
        {withdrawal(entry, say)}
      </div>
    );
  const whole = doer.unfolded.has(entry.key);
  const toggle = () => {
    doer.unfold(entry.key, !whole);
    if (whole) text.current?.closest(".message")?.scrollIntoView({ block: "nearest" });
  };
  return (
    <>
      <div ref={text} className={isLoneEmoji(drawShortcodes(entry.text, names.emoji)) ? "text jumbo" : "text"} dir="auto">
        <Markdown text={folded && !whole ? folded.shown : entry.text} names={names} me={app.store.me?.id ?? ""} onMeet={onMention} stop={stop} />
      </div>
      {folded && (
        <div className="fold">
          <button type="button" className="link-button" aria-expanded={whole} data-testid="unfold" onClick={toggle}>
            {whole
              ? say("foldAgain")
              : folded.lines > 1
                ? say("unfoldLines", { lines: folded.lines, shown: folded.lines.toLocaleString() })
                : say("unfold")}
          </button>
        </div>
      )}
    </>
  );
}

/** Whom the names in the text mean: those whom the server says that the message mentions, and rooms that one is in. */
function useNames(app: App, entry: Entry, version: string): Names {
  const { mentions } = entry;
  const emoji = useShortcodes(entry.text);
  useEffect(() => {
    if (mentions.length) app.directory.wantNames(mentions);
  }, [app, mentions]);
  return useMemo(() => {
    if (!mentions.length && !entry.text?.includes("#")) return { ...NOBODY, emoji };
    const people = mentions.map((id) => ({ id, ...app.store.people.get(id) }));
    const byName = new Map(people.map(({ id, name }) => [name?.toLowerCase() ?? "", id]));
    const byShown = new Map(people.map(({ id, display_name }) => [foldName(display_name ?? ""), id]));
    const rooms = new Map(app.store.list("room").map(({ id, name }) => [foldName(name), id]));
    return {
      emoji,
      mention: (name) => byName.get(name),
      shown: (name) => byShown.get(name),
      room: (name) => rooms.get(name),
    };
    // `version` stands for what the store knows of people and rooms.
  }, [app, mentions, entry.text, version, emoji]);
}
