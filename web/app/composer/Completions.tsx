/** What completes an `@name`, a `#room` or an `:emoji`, after the combobox pattern: the focus stays in the field. */
import { useEffect, useRef } from "react";
import { shownName } from "../core/people.ts";
import { useTexts } from "../texts.ts";
import { COMPOSER } from "./texts.ts";
import type { Option } from "./useCompletion.ts";
import styles from "./Completions.module.css";

interface Props {
  readonly id: string;
  readonly options: readonly Option[];
  readonly chosen: number;
  readonly kind: "mention" | "room" | "emoji";
  readonly onTake: (option: Option) => void;
}

const NAMES = { mention: "mentions", room: "rooms", emoji: "emojis" } as const;

export function Completions({ id, options, chosen, kind, onTake }: Props) {
  const t = useTexts(COMPOSER);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView?.({ block: "nearest" });
  }, [chosen]);
  if (!options.length) return null;
  return (
    <ul ref={list} id={id} role="listbox" aria-label={t(NAMES[kind])} className={styles.list}>
      {options.map((option, index) => (
        <li
          key={option.key}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === chosen}
          className={styles.option}
          // The press must not take the focus from the field.
          onPointerDown={(event) => {
            event.preventDefault();
            onTake(option);
          }}
        >
          <OptionText option={option} outside={t("notInRoom")} />
        </li>
      ))}
    </ul>
  );
}

function OptionText({ option, outside }: { readonly option: Option; readonly outside: string }) {
  if (option.kind === "room") return <span dir="auto" className={styles.name}>{`#${option.room.name}`}</span>;
  if (option.kind === "emoji")
    return (
      <>
        <span className={styles.sign}>{option.text}</span>
        <span className={styles.name}>{`:${option.code}:`}</span>
        <span className={styles.more}>{option.name}</span>
      </>
    );
  const { person, inRoom } = option;
  const shown = shownName(person);
  return (
    <>
      <span dir="auto" className={styles.name}>
        {shown}
      </span>
      {shown !== person.name && <span className={styles.more}>{`@${person.name}`}</span>}
      {!inRoom && <span className={styles.outside}>{outside}</span>}
    </>
  );
}
