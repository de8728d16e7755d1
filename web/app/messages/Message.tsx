/** One message in the list. */
import { memo, useCallback, useContext, useRef, useState, type FocusEvent, type PointerEvent, type ReactNode } from "react";
import { NavigationContext } from "../context.ts";
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Entry } from "../core/timeline.ts";
import { Avatar } from "./Avatar.tsx";
import { Below, DeliveryState, stateOf } from "./Delivery.tsx";
import { Icon } from "./Icon.tsx";
import { MessageText } from "./MessageText.tsx";
import { Quote } from "./Quote.tsx";
import { Reactions } from "./Reactions.tsx";
import { bareTime, clockTime, wholeTime } from "./times.ts";
import { Toolbar } from "./Toolbar.tsx";
import { openPerson, type Who } from "../people/open.tsx";
import { StatusText } from "../people/StatusText.tsx";
import { OTHERS, useFingers } from "./useFingers.ts";
import { MESSAGES } from "./texts.ts";
import { useTexts } from "../texts.ts";
import type { Doer } from "./doer.ts";

export interface MessageProps {
  app: App;
  conversation: Conversation;
  doer: Doer;
  entry: Entry;
  head: boolean;
  /** What a reply points to, as `Timeline.quoted` has it. */
  quoted: Entry | null | undefined;
  /** Of all else that a message shows: names, rights, read marks. */
  version: string;
  flash: boolean;
  /** Whether Tab reaches it. */
  stop: boolean;
  newestOwn: boolean;
  /** Whether the composer holds it. */
  editing: boolean;
}

export const Message = memo(function Message(props: MessageProps) {
  const { app, conversation, doer, entry, head, stop } = props;
  const me = app.store.me?.id ?? "";
  const element = useRef<HTMLDivElement>(null);
  const hover = useHover();
  const fingers = useFingers(element, {
    tap: hover.tap,
    press: () => doer.openSheet(entry),
    swipe: () => doer.run("reply", entry),
  });
  const navigation = useContext(NavigationContext);
  const open = (who: Who, at: Element) => {
    if (navigation) openPerson(navigation, who, at, conversation.kind === "room" ? conversation : null);
  };
  const meet = (at: Element) => open(entry.sender, at);
  const meetMentioned = useCallback(
    (id: string, at: Element) => open({ name: app.store.nameOf(id), ...app.store.people.get(id), id }, at),
    [app, conversation, navigation],
  );
  const classes = [
    "message",
    head && "head",
    entry.sender.id === me && "mine",
    entry.mentions.includes(me) && "mentions-me",
    props.newestOwn && "newest-own",
    props.flash && "flash",
    props.editing && "editing",
  ];
  return (
    <div
      ref={element}
      className={classes.filter(Boolean).join(" ")}
      role="article"
      aria-label={`${app.store.authorOf(entry.sender)}, ${clockTime(entry.ts)}`}
      tabIndex={stop ? 0 : -1}
      data-testid="message"
      data-seq={entry.seq ?? undefined}
      data-client-id={entry.client_id}
      data-state={entry.state}
      data-key={entry.key}
      {...hover.handlers}
      {...fingers}
      onClick={(event) => {
        if (event.altKey && !(event.target as Element).closest(OTHERS)) doer.run("markUnread", entry);
        else fingers.onClick(event);
      }}
    >
      <div className="gutter">
        {head ? (
          <button type="button" className="face" tabIndex={-1} aria-hidden="true" onClick={(event) => meet(event.currentTarget)}>
            <Avatar id={entry.sender.id} name={app.store.authorOf(entry.sender)} />
          </button>
        ) : (
          <Time ts={entry.ts} bare />
        )}
      </div>
      <div className="body">
        <Head app={app} entry={entry} head={head} stop={stop && hover.on} onMeet={meet} />
        <Quote {...props} />
        <MessageText {...props} onMention={meetMentioned} stop={stop && hover.on} />
        <Reactions {...props} />
        <Below app={app} conversation={conversation} entry={entry} />
      </div>
      <DeliveryState state={stateOf(entry, conversation, me)} />
      {hover.on && <Toolbar {...props} onLeave={() => element.current?.focus()} onKeep={hover.keep} />}
    </div>
  );
});

function Time({ ts, bare = false }: { ts: string; bare?: boolean }) {
  return (
    <time dateTime={ts} title={wholeTime(ts)}>
      {bare ? bareTime(ts) : clockTime(ts)}
    </time>
  );
}

interface HeadProps {
  app: App;
  entry: Entry;
  head: boolean;
  /** Whether Tab reaches the author: only from the message, so that Shift+Tab from below stops at the message itself. */
  stop: boolean;
  /** Open the card of the author, at what was pressed. */
  onMeet: (at: Element) => void;
}

function Head({ app, entry, head, stop, onMeet }: HeadProps): ReactNode {
  const say = useTexts(MESSAGES);
  const bare = !head && !entry.edited && !entry.pinned;
  return (
    <div className={bare ? "meta bare" : "meta"}>
      {head ? (
        <button
          type="button"
          className="sender"
          dir="auto"
          tabIndex={stop ? 0 : -1}
          data-testid="open-author"
          onClick={(event) => onMeet(event.currentTarget)}
        >
          {app.store.authorOf(entry.sender)}
        </button>
      ) : (
        <span className="visually-hidden" dir="auto">
          {app.store.authorOf(entry.sender)}
        </span>
      )}
      {head && <StatusText id={entry.sender.id} short />}
      {head && <Time ts={entry.ts} />}
      {entry.edited && <span className="edited">{say("edited")}</span>}
      {entry.pinned && (
        <span className="edited" data-testid="pinned">
          <Icon name="pin" />
          {say("pinned")}
        </span>
      )}
    </div>
  );
}

/** Whether the bar shows: under the mouse, or where the keyboard is. While something of it is open, it stays. */
function useHover() {
  const [on, set] = useState(false);
  const kept = useRef(false);
  const touched = useRef(false);
  const leave = (element: Element) => {
    if (!kept.current && !element.contains(document.activeElement)) set(false);
  };
  return {
    on,
    /** A tap shows the bar; another one hides it, if a tap has shown it. */
    tap: () => {
      touched.current = !(touched.current && on);
      set(touched.current);
    },
    keep: (keeps: boolean) => {
      kept.current = keeps;
    },
    handlers: {
      // Where the bar was under the mouse when it went, React tells no enter: the next move over the message does.
      onPointerEnter: (event: PointerEvent) => event.pointerType === "mouse" && set(true),
      onPointerOver: (event: PointerEvent) => event.pointerType === "mouse" && set(true),
      onPointerLeave: (event: PointerEvent) => event.pointerType === "mouse" && leave(event.currentTarget),
      onFocus: (event: FocusEvent) => (event.target as Element).matches(":focus-visible") && set(true),
      onBlur: ({ currentTarget, relatedTarget }: FocusEvent) => {
        if (currentTarget.contains(relatedTarget) || kept.current) return;
        if (!currentTarget.matches(":hover") || relatedTarget) set(false);
      },
    },
  };
}
