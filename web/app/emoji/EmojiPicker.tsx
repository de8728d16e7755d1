/**
 * Chooses an emoji: by group, by a search in both languages, and among those used lately.
 *
 * The focus stays in the search field, after the combobox pattern: the arrow keys move over the emoji, Enter takes one.
 */
import { memo, useDeferredValue, useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { Button, Radio, RadioGroup } from "react-aria-components";
import { composes } from "../core/keys.ts";
import { useLanguage, useTexts, type Language } from "../texts.ts";
import { TONES, withTone, type Emoji, type EmojiSet, type GroupKey, type Tone } from "./emoji.ts";
import { loadEmoji } from "./load.ts";
import { moveInGroups } from "./moves.ts";
import type { Recents } from "./recents.ts";
import { searchEmoji } from "./search.ts";
import { EMOJI } from "./texts.ts";
import styles from "./EmojiPicker.module.css";

interface Props {
  readonly recents: Recents;
  readonly onPick: (text: string) => void;
  /** Given on phones: the keyboard on the screen would hide the emoji. */
  readonly withoutFocus?: boolean;
}

/** A part of the picker under a heading of its own. */
interface Part {
  readonly key: GroupKey | "recent" | "found";
  readonly emoji: readonly Emoji[];
}

const SIGNS: Record<Part["key"], string> = {
  recent: "🕘",
  found: "",
  "smileys-emotion": "🙂",
  "people-body": "👋",
  "animals-nature": "🐻",
  "food-drink": "🍎",
  "travel-places": "✈️",
  activities: "⚽",
  objects: "💡",
  symbols: "❤️",
  flags: "🏁",
};

export function EmojiPicker(props: Props) {
  const t = useTexts(EMOJI);
  const [set, setSet] = useState<EmojiSet | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (failed) return;
    let here = true;
    loadEmoji().then(
      (loaded) => here && setSet(loaded),
      () => here && setFailed(true),
    );
    return () => {
      here = false;
    };
  }, [failed]);
  if (set) return <Loaded {...props} set={set} />;
  if (!failed) return <div className={styles.waiting} role="status" aria-label={t("loading")} />;
  return (
    <div className={styles.waiting} role="alert">
      <p>{t("failed")}</p>
      <Button className={styles.retry} onPress={() => setFailed(false)}>
        {t("retry")}
      </Button>
    </div>
  );
}

function Loaded({ set, recents, onPick, withoutFocus = false }: Props & { readonly set: EmojiSet }) {
  const t = useTexts(EMOJI);
  const language = useLanguage();
  const id = useId();
  const [query, setQuery] = useState("");
  const [tone, setTone] = useState<Tone>(recents.tone);
  const [active, setActive] = useState<number | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const asked = useDeferredValue(query);
  // Those used lately stay in their places while the picker is open.
  const recent = useMemo(() => recents.list(), [recents]);
  const parts = useMemo(() => partsOf(set, asked, recent), [set, asked, recent]);
  const flat = useMemo(() => parts.flatMap((part) => part.emoji.map((emoji) => shownForm(emoji, part.key, tone, recent, set))), [parts, tone, recent, set]);
  const searching = parts[0]?.key === "found";
  const chosen = active ?? (searching && flat.length ? 0 : null);

  const pick = (index: number) => {
    const text = flat[index];
    if (!text) return;
    recents.use(text);
    onPick(text);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (composes(event.nativeEvent)) return;
    if (event.key === "Enter") {
      event.preventDefault();
      if (chosen !== null) pick(chosen);
      return;
    }
    // Before the first arrow down, these keys are those of the text.
    if (active === null && event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const next = moveInGroups(parts.map((part) => part.emoji.length), chosen, event.key);
    if (next === null) return;
    event.preventDefault();
    setActive(next);
    document.getElementById(`${id}-${next}`)?.scrollIntoView?.({ block: "nearest" });
  };
  const shown = chosen === null ? undefined : set.byText.get(flat[chosen] ?? "");

  let offset = 0;
  return (
    <div className={styles.picker} data-testid="emoji-picker">
      <div className={styles.top}>
        <input
          className={styles.search}
          type="search"
          role="combobox"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={chosen === null ? undefined : `${id}-${chosen}`}
          aria-label={t("search")}
          placeholder={t("search")}
          autoFocus={!withoutFocus}
          autoComplete="off"
          spellCheck={false}
          value={query}
          data-testid="emoji-search"
          onChange={(event) => {
            setQuery(event.target.value);
            setActive(null);
            list.current?.scrollTo?.(0, 0);
          }}
          onKeyDown={onKeyDown}
        />
        <Tones
          tone={tone}
          onChoose={(next) => {
            recents.chooseTone(next);
            setTone(next);
          }}
        />
      </div>
      {!searching && <Groups parts={parts} id={id} />}
      <div
        ref={list}
        id={`${id}-list`}
        className={styles.list}
        role="listbox"
        tabIndex={-1}
        aria-label={t("emoji")}
        onPointerDown={(event) => event.pointerType === "mouse" && event.preventDefault()}
        onClick={(event) => {
          const index = indexOf(event.target);
          if (index !== null) pick(index);
        }}
        onPointerOver={(event) => event.pointerType === "mouse" && setActive((before) => indexOf(event.target) ?? before)}
      >
        {parts.map((part) => {
          const first = offset;
          offset += part.emoji.length;
          const inside = chosen !== null && chosen >= first && chosen < offset;
          return (
            <Section
              key={part.key}
              part={part}
              language={language}
              forms={flat.slice(first, offset).join(" ")}
              first={first}
              id={id}
              chosen={inside ? chosen : null}
            />
          );
        })}
        {!flat.length && <p className={styles.none}>{t("none")}</p>}
      </div>
      <p className={styles.about} aria-hidden="true">
        {shown && chosen !== null ? `${flat[chosen]}  ${shown.name[language]}  :${shown.shortcodes[0]}:` : "\u00a0"}
      </p>
      <p className={styles.hidden} role="status">
        {asked.trim() ? t("count", { count: flat.length }) : ""}
      </p>
    </div>
  );
}

/** Of those used lately, the form that was used stands there; all others have the colour that is chosen. */
function shownForm(emoji: Emoji, key: Part["key"], tone: Tone, recent: readonly string[], set: EmojiSet): string {
  const used = key === "recent" && recent.find((text) => set.byText.get(text) === emoji);
  return used || withTone(emoji, tone);
}

function partsOf(set: EmojiSet, query: string, recent: readonly string[]): Part[] {
  if (query.trim()) return [{ key: "found", emoji: searchEmoji(set, query, recent) }];
  const used = [...new Set(recent.flatMap((text) => set.byText.get(text) ?? []))];
  return [{ key: "recent", emoji: used }, ...set.groups];
}

function indexOf(target: EventTarget): number | null {
  const option = target instanceof Element ? target.closest<HTMLElement>("[data-index]") : null;
  return option ? Number(option.dataset.index) : null;
}

interface SectionProps {
  readonly part: Part;
  readonly language: Language;
  /** What its emoji look like, with a blank between each: a text, so that a section that stays the same is not drawn again. */
  readonly forms: string;
  readonly first: number;
  readonly id: string;
  readonly chosen: number | null;
}

const Section = memo(function Section({ part, language, forms, first, id, chosen }: SectionProps) {
  const t = useTexts(EMOJI);
  const each = forms.split(" ");
  return (
    <div role="group" aria-label={t(part.key)} className={styles.section} id={`${id}-${part.key}`}>
      <div className={styles.heading} aria-hidden="true">
        {t(part.key)}
      </div>
      <div className={styles.cells} role="presentation">
        {part.emoji.map((emoji, at) => (
          <span
            key={emoji.text}
            id={`${id}-${first + at}`}
            role="option"
            aria-selected={first + at === chosen}
            aria-label={emoji.name[language]}
            className={styles.cell}
            data-index={first + at}
            data-testid={`emoji-${each[at]}`}
          >
            {each[at]}
          </span>
        ))}
      </div>
    </div>
  );
});

function Groups({ parts, id }: { readonly parts: readonly Part[]; readonly id: string }) {
  const t = useTexts(EMOJI);
  return (
    <div className={styles.groups} role="toolbar" aria-label={t("categories")}>
      {parts.map(({ key }) => (
        <Button
          key={key}
          className={styles.group}
          aria-label={t(key)}
          onPress={() => document.getElementById(`${id}-${key}`)?.scrollIntoView?.({ block: "start" })}
        >
          {SIGNS[key]}
        </Button>
      ))}
    </div>
  );
}

interface TonesProps {
  readonly tone: Tone;
  readonly onChoose: (tone: Tone) => void;
}

const HANDS = ["✋", "✋🏻", "✋🏼", "✋🏽", "✋🏾", "✋🏿"];

function Tones({ tone, onChoose }: TonesProps) {
  const t = useTexts(EMOJI);
  const [open, setOpen] = useState(false);
  if (!open)
    return (
      <Button className={styles.tone} aria-label={t("tone")} onPress={() => setOpen(true)} data-testid="emoji-tone">
        {HANDS[tone]}
      </Button>
    );
  return (
    <RadioGroup
      className={styles.tones}
      aria-label={t("tone")}
      orientation="horizontal"
      value={String(tone)}
      onChange={(value) => {
        onChoose(TONES[Number(value)] ?? 0);
        setOpen(false);
      }}
    >
      {TONES.map((each) => (
        <Radio key={each} value={String(each)} className={styles.tone} aria-label={t(`tone${each}`)} autoFocus={each === tone}>
          {HANDS[each]}
        </Radio>
      ))}
    </RadioGroup>
  );
}
