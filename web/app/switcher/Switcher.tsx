/**
 * The field of Ctrl+K: rooms, people, messages and commands.
 *
 * Rule 1: Enter takes the best place or command, also if that is found after the line of the search was drawn. Who chose
 *   a line by the arrows keeps it.
 * Rule 2: Enter that is pressed before anything is found waits for the answer, for a moment.
 */
import { type KeyboardEvent, type ReactNode, type SyntheticEvent, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import {
  Autocomplete,
  Dialog,
  Header,
  Input,
  Menu,
  MenuItem,
  MenuSection,
  Modal,
  ModalOverlay,
  SearchField,
} from "react-aria-components";
import { useApp, useNavigation, useWatch } from "../context.ts";
import { shownName } from "../core/people.ts";
import type { HistoryItem } from "../core/rest.ts";
import { shortTime } from "../core/time.ts";
import { routeTo } from "../core/route.ts";
import { hueOf, initialOf } from "../kit/people.ts";
import { useEnter } from "../kit/useEnter.ts";
import { Icon } from "../kit/Icon.tsx";
import { Excerpt, useExcerpt } from "../markdown/Excerpt.tsx";
import { openPerson } from "../people/open.tsx";
import { useCloseByBack } from "../shell/back.ts";
import { PHONE, useMedia } from "../sidebar/useMedia.ts";
import { useTexts } from "../texts.ts";
import { ALL_COMMANDS } from "./commands.ts";
import { type Entry, type Found, findCommands, findPlaces, personOf, readQuery } from "./entries.ts";
import { highlighted } from "./match.ts";
import css from "./Switcher.module.css";
import { COMMANDS, SWITCHER } from "./texts.ts";
import { useFound } from "./useFound.ts";

const PLACES = 12;
const FOUND_COMMANDS = 5;
const EXCERPT = 90;

export default function Switcher({ onClose }: { onClose: () => void }) {
  const t = useTexts(SWITCHER);
  const c = useTexts(COMMANDS);
  const app = useApp();
  const navigation = useNavigation();
  useCloseByBack(onClose);
  const [typed, setTyped] = useState("");
  const asked = useDeferredValue(typed);
  const { places, commands, hits, isBusy } = useEntries(asked, (id) => c(id));
  const { wanted, query } = readQuery(typed);
  const rows = [...places, ...commands];
  const best = rows[0]?.entry.key ?? (wanted === "all" && query ? SEARCH : null);
  const isAnswered = asked === typed && (rows.length > 0 || !isBusy);
  const inside = useRef<HTMLDivElement>(null);
  const hasMoved = useRef(false);
  useEffect(() => {
    if (best !== null && typed && !hasMoved.current) chooseFirst(inside.current);
  }, [best]);

  const act = (key: string) => {
    onClose();
    if (key === SEARCH) return searchFor(query);
    const hit = hits.find((one) => keyOfHit(one) === key);
    if (hit) return navigation.go(routeOfHit(hit, app.store.me?.id ?? ""));
    const entry = [...places, ...commands].find((one) => one.entry.key === key)?.entry;
    if (!entry) return;
    if (entry.kind === "command") ALL_COMMANDS.find(({ id }) => id === entry.id)?.run(app, navigation);
    else navigation.go(routeOf(entry));
  };
  /** The card of the person of an entry, in place of the conversation; of another entry, that of the first person. */
  const about = (key: string | undefined) => {
    const chosen = places.filter(({ entry }) => entry.key === key);
    const person = [...chosen, ...places].map(({ entry }) => personOf(entry)).find((one) => one !== null);
    if (!person) return;
    onClose();
    openPerson(navigation, { ...person, ...app.store.people.get(person.id) });
  };
  const searchFor = (text: string) => {
    navigation.go(`#/search/${encodeURIComponent(text)}`);
  };
  const enter = useEnter(typed, isAnswered, () => void (best !== null && act(best)));
  const onType = (text: string) => {
    hasMoved.current = false;
    setTyped(text);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (MOVING.has(event.key) && event.nativeEvent !== choosing) hasMoved.current = true;
    const isEnter = event.key === "Enter" && !event.nativeEvent.isComposing && isField(event.target);
    const isAbout = isEnter && event.altKey;
    if (event.key !== "Escape" && !isAbout && (!isEnter || hasMoved.current)) return;
    event.stopPropagation();
    event.preventDefault();
    // The field would only empty itself at the first Escape.
    if (event.key === "Escape") return onClose();
    if (!isAbout) return enter();
    // The focus stays in the field, which names the entry that is chosen.
    const chosen = document.activeElement?.getAttribute("aria-activedescendant");
    about(document.getElementById(chosen ?? "")?.dataset.key);
  };
  const isPhone = useMedia(PHONE);
  const hasPerson = !isPhone && places.some(({ entry }) => personOf(entry));
  return (
    <ModalOverlay isOpen isDismissable className={css.veil} onOpenChange={(open) => !open && onClose()}>
      <Modal className={css.box}>
        <Dialog className={css.dialog} aria-label={t("title")} data-testid="switcher">
          <div className={css.inside} ref={inside} onKeyDownCapture={onKeyDown}>
            <Autocomplete inputValue={typed} onInputChange={onType}>
              <SearchField className={css.field} aria-label={t("title")} autoFocus>
                <Icon name="search" />
                <Input className={css.input} placeholder={t("placeholder")} data-testid="switcher-input" dir="auto" />
                <button type="button" className={`icon-button ${css.close}`} aria-label={t("close")} onClick={onClose}>
                  <Icon name="close" />
                </button>
              </SearchField>
              <Menu className={css.results} aria-label={t("results")} onAction={(key) => act(String(key))}>
                {places.length > 0 && <Section name={t(typed ? "places" : "recent")} found={places} onAbout={about} />}
                {commands.length > 0 && <Section name={t("commands")} found={commands} />}
                {wanted === "all" && query !== "" && (
                  <MenuSection className={css.section}>
                    <Header className={css.head}>{t("messages")}</Header>
                    {hits.map((hit) => (
                      <HitRow key={keyOfHit(hit)} hit={hit} query={asked} />
                    ))}
                    <Item id={SEARCH} icon="search" text={t("searchAll", { query })} />
                  </MenuSection>
                )}
              </Menu>
            </Autocomplete>
            <p className={css.note} role="status">
              {isBusy ? t("finding") : rows.length || hits.length ? t(hasPerson ? "hintPerson" : "hint") : t("nothing")}
            </p>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

const SEARCH = "search";
/** Keys that choose another line. */
const MOVING = new Set(["ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]);

const isField = (target: EventTarget) => target instanceof HTMLInputElement;

/** The key by which the first line is chosen, while that is on the way. */
let choosing: Event | null = null;

/** Rule 1. A list leaves chosen what was. */
function chooseFirst(inside: HTMLElement | null) {
  choosing = new KeyboardEvent("keydown", { key: "Home", bubbles: true, cancelable: true });
  inside?.querySelector("input")?.dispatchEvent(choosing);
  choosing = null;
}

function useEntries(typed: string, nameOf: (id: keyof typeof COMMANDS.texts) => string) {
  const app = useApp();
  const store = useWatch("rooms", "dms", "people");
  const remote = useFound(typed);
  const offered = ALL_COMMANDS.filter(({ isOffered }) => isOffered?.(app) ?? true);
  const listed = offered.map(({ id, icon }) => ({ id, icon, name: nameOf(id) }));
  const version = [store.version("rooms"), store.version("dms"), store.version("people")].join();
  const places = useMemo(() => {
    const { me, conversations, people } = store;
    const { rooms } = remote;
    const sources = {
      me: me?.id ?? "",
      openKey: app.openKey,
      conversations: conversations.values(),
      people,
      rooms,
      commands: [],
    };
    return findPlaces(typed, sources, PLACES);
  }, [typed, version, remote, store, app]);
  return {
    places,
    commands: findCommands(typed, { commands: listed }, FOUND_COMMANDS),
    hits: remote.messages,
    isBusy: remote.isBusy,
  };
}

type OnAbout = (key: string) => void;

function Section({ name, found, onAbout }: { name: string; found: Found[]; onAbout?: OnAbout }) {
  return (
    <MenuSection className={css.section}>
      <Header className={css.head}>{name}</Header>
      {found.map((one) => (
        <EntryRow key={one.entry.key} {...one} onAbout={onAbout} />
      ))}
    </MenuSection>
  );
}

function EntryRow({ entry, text, spans, onAbout }: Found & { onAbout?: OnAbout }) {
  const t = useTexts(SWITCHER);
  const isName = text === entry.name;
  const face = personOf(entry) !== null;
  const note = noteOf(entry);
  return (
    <MenuItem id={entry.key} className={css.item} textValue={entry.name} data-testid="switcher-item">
      {face ? <Disc id={entry.id} name={entry.name} /> : <Icon name={iconOf(entry)} />}
      <span className={css.name} dir="auto">
        {isName ? <Marked text={text} spans={spans} /> : entry.name}
      </span>
      {!isName && (
        <span className={css.handle}>
          @<Marked text={text} spans={spans} />
        </span>
      )}
      {note && <span className={css.about}>{note}</span>}
      {face && onAbout && <AboutButton name={entry.name} onPress={() => onAbout(entry.key)} />}
    </MenuItem>
  );

  function noteOf(one: Entry) {
    if (one.kind === "join") return t("join");
    if (one.kind === "conversation" && one.unread) return t("unread", { count: one.unread });
    return one.kind === "person" && isName ? one.handle : "";
  }
}

/** Within a line of the menu, which would take every press for its own. The keyboard has Alt+Enter. */
function AboutButton({ name, onPress }: { name: string; onPress: () => void }) {
  const t = useTexts(SWITCHER);
  const keep = (event: SyntheticEvent) => event.stopPropagation();
  return (
    <button
      type="button"
      className={css.card}
      tabIndex={-1}
      aria-label={t("person", { name })}
      title={t("person", { name })}
      data-testid="switcher-person"
      onPointerDown={keep}
      onPointerUp={keep}
      onMouseDown={(event) => {
        keep(event);
        event.preventDefault(); // the focus stays in the field
      }}
      onMouseUp={keep}
      onTouchStart={keep}
      onTouchEnd={keep}
      onClick={(event) => {
        keep(event);
        onPress();
      }}
    >
      <Icon name="account" />
    </button>
  );
}

function HitRow({ hit, query }: { hit: HistoryItem; query: string }) {
  const t = useTexts(SWITCHER);
  const { store } = useApp();
  const { author, place } = placeOfHit(hit, store.me?.id ?? "", store);
  const text = hit.text ?? "";
  return (
    <MenuItem id={keyOfHit(hit)} className={css.item} textValue={useExcerpt(text, EXCERPT, query)} data-testid="switcher-hit">
      <Icon name="chat" />
      <span className={css.hit}>
        <span className={css.name} dir="auto">
          <Excerpt text={text} length={EXCERPT} words={query} />
        </span>
        <span className={css.about}>
          {t("in", { author, place })} · {shortTime(hit.ts)}
        </span>
      </span>
    </MenuItem>
  );
}

function Item({ id, icon, text }: { id: string; icon: string; text: string }) {
  return (
    <MenuItem id={id} className={css.item} textValue={text} data-testid={`switcher-${id}`}>
      <Icon name={icon} />
      <span className={css.name}>{text}</span>
    </MenuItem>
  );
}

function Disc({ id, name }: { id: string; name: string }) {
  return (
    <span className={`${css.disc} hue-${hueOf(id)}`} aria-hidden="true">
      {initialOf(name)}
    </span>
  );
}

function Marked({ text, spans }: Pick<Found, "text" | "spans">): ReactNode {
  return highlighted(text, spans).map((part, index) => (part.hit ? <mark key={index}>{part.text}</mark> : part.text));
}

function iconOf(entry: Entry) {
  if (entry.kind === "command") return entry.icon;
  return entry.kind === "conversation" && entry.isPrivate ? "lock" : "hash";
}

function routeOf(entry: Exclude<Entry, { kind: "command" }>) {
  if (entry.kind === "conversation") return routeTo(entry.type, entry.id);
  return routeTo(entry.kind === "join" ? "room" : "dm", entry.id);
}

function keyOfHit(hit: HistoryItem) {
  return `hit:${"room" in hit ? hit.room : `${hit.from.id}/${hit.to}`}:${hit.seq}`;
}

function routeOfHit(hit: HistoryItem, me: string) {
  if ("room" in hit) return routeTo("room", hit.room, hit.seq);
  return routeTo("dm", hit.from.id === me ? hit.to : hit.from.id, hit.seq);
}

function placeOfHit(hit: HistoryItem, me: string, store: ReturnType<typeof useWatch>) {
  if ("room" in hit) return { author: shownName(hit.sender), place: store.get(`room:${hit.room}`)?.name ?? "" };
  return { author: shownName(hit.from), place: store.nameOf(hit.from.id === me ? hit.to : hit.from.id) };
}
