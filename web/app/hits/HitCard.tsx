/** A message in a list beside its conversation: who, where, when, and its text; it leads to its place. */
import type { ReactNode } from "react";
import { useApp, useWatch } from "../context.ts";
import type { Hit } from "../core/hits.ts";
import { Excerpt } from "../markdown/Excerpt.tsx";
import { formatDate, useTexts } from "../texts.ts";
import styles from "./HitCard.module.css";
import { addressOf, around, keyOf, senderOf } from "./place.ts";
import { HITS } from "./texts.ts";

/** @param words those that are marked; `known` the messages of which those around this one are shown */
export function HitCard(props: { item: Hit; words?: string; known?: readonly Hit[]; head?: ReactNode; testid?: string }) {
  const { item, words = "", known = [], head, testid } = props;
  const store = useWatch("people", "rooms");
  const me = store.me?.id ?? "";
  const { before, after } = around(item, known, me);
  return (
    <a className={styles.card} href={addressOf(item, me)} data-testid={testid}>
      {head}
      <span className={styles.head}>
        <strong dir="auto">{store.authorOf(senderOf(item))}</strong>
        <span dir="auto">{usePlaceName(item)}</span>
        <time dateTime={item.ts}>{formatDate(item.ts, { dateStyle: "medium", timeStyle: "short" })}</time>
      </span>
      {before && <Neighbour item={before} />}
      <Text item={item} words={words} />
      {after && <Neighbour item={after} />}
    </a>
  );
}

function Text({ item, words }: { item: Hit; words: string }) {
  const t = useTexts(HITS);
  if (item.text === null) return <span className={styles.gone}>{t("gone")}</span>;
  return (
    <span className={styles.text} dir="auto">
      <Excerpt text={item.text} length={300} words={words} />
    </span>
  );
}

function Neighbour({ item }: { item: Hit }) {
  const { store } = useApp();
  if (item.text === null) return null;
  return (
    <span className={styles.near} dir="auto">
      <b>{store.authorOf(senderOf(item))}</b> <Excerpt text={item.text} length={140} />
    </span>
  );
}

function usePlaceName(item: Hit): string {
  const t = useTexts(HITS);
  const { store, directory } = useApp();
  const me = store.me?.id ?? "";
  const { kind, id } = keyOf(item, me);
  if (kind === "room") return `# ${store.get(`room:${id}`)?.name ?? t("room")}`;
  if (senderOf(item).id === id) return t("direct");
  directory.wantNames([id]);
  return t("to", { name: store.nameOf(id) });
}
