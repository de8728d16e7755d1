/** Lists that moderators read: blocks that hold, and what was done. */
import { useRef } from "react";
import { useApp, useWatch } from "../context.ts";
import type { AuditEntry, Block } from "../core/rest.ts";
import { ago, fullTime, shortTime } from "../core/time.ts";
import { Avatar, Button } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import css from "./Moderation.module.css";
import { type ListProps, RecordList } from "./RecordList.tsx";
import { MODERATION } from "./texts.ts";
import { useLivePages, usePages } from "./usePages.ts";
import { useReturnedFocus } from "./useReturnedFocus.ts";
import { deedOf, reasonOf } from "./words.ts";

export function Blocks({ refresh, onNoLine }: ListProps) {
  const app = useApp();
  const t = useTexts(MODERATION);
  useWatch("people");
  const list = useRef<HTMLUListElement>(null);
  const pages = usePages<Block>((last, limit) => app.moderation.blocks(last, limit), (block) => block.user.id);
  useLivePages(pages);
  const keepFocus = useReturnedFocus(list, pages.items, onNoLine);
  const unblock = (block: Block) =>
    app.attempt(async () => {
      await app.moderation.unblock(block.user.id);
      app.notice(t("unblocked", { name: block.user.name ? app.store.authorOf(block.user) : t("theAccount") }));
      keepFocus(pages.items.indexOf(block));
      await pages.remove(block.user.id);
    });
  return (
    <RecordList pages={pages} label="blocks" empty="blocksEmpty" refresh={refresh} listRef={list}>
      {pages.items.map((block) => (
        <BlockLine key={block.user.id} block={block} onUnblock={() => void unblock(block)} />
      ))}
    </RecordList>
  );
}

function BlockLine({ block, onUnblock }: { block: Block; onUnblock: () => void }) {
  const app = useApp();
  const t = useTexts(MODERATION);
  const name = block.user.name ? app.store.authorOf(block.user) : t("deletedAccount");
  return (
    <li className={css.record} tabIndex={-1} data-testid="block" data-id={block.user.id}>
      <Avatar id={block.user.id} name={name} />
      <div className={css.recordText}>
        <p>
          <strong dir="auto">{name}</strong>{" "}
          {block.until === null ? t("blockedForever") : t("blockedUntil", { date: shortTime(block.until) })}
        </p>
        {block.reason && <p dir="auto">{block.reason}</p>}
        <p className={css.soft}>
          {t("by", { name: app.moderation.nameOf(block.by ?? "") })}, <When ts={block.since} />
        </p>
      </div>
      <Button onPress={onUnblock} aria-label={t("unblockOf", { name })} data-testid="unblock">
        {t("unblock")}
      </Button>
    </li>
  );
}

export function AuditLog({ refresh }: ListProps) {
  const app = useApp();
  useWatch("people");
  const list = useRef<HTMLUListElement>(null);
  const pages = usePages<AuditEntry>((last, limit) => app.moderation.audit(last, limit), ({ id }) => id);
  useLivePages(pages);
  return (
    <RecordList pages={pages} label="audit" empty="auditEmpty" refresh={refresh} listRef={list}>
      {pages.items.map((entry) => (
        <AuditLine key={entry.id} entry={entry} />
      ))}
    </RecordList>
  );
}

function AuditLine({ entry }: { entry: AuditEntry }) {
  const { moderation } = useApp();
  const t = useTexts(MODERATION);
  const reason = reasonOf(entry, moderation, t);
  return (
    <li className={css.record} data-testid="audit-entry" data-id={entry.id}>
      <div className={css.recordText}>
        <p>
          <strong dir="auto">{moderation.nameOf(entry.by ?? "")}</strong>{" "}
          {deedOf(entry, moderation, t, entry.until ? shortTime(entry.until) : "")}
        </p>
        {reason && <p dir="auto">{reason}</p>}
      </div>
      {entry.at && (
        <time className={css.soft} dateTime={entry.at} title={fullTime(entry.at)}>
          {shortTime(entry.at)}
        </time>
      )}
    </li>
  );
}

export function When({ ts }: { ts: string }) {
  return (
    <time dateTime={ts} title={fullTime(ts)}>
      {ago(ts)}
    </time>
  );
}
