/**
 * Who is in a room, in its panel: searched by the start of a name, read page by page.
 *
 * Rule 1: a long list draws only what is near the screen, and reads its next page near its end.
 * Rule 2: what is not read yet is searched by the server.
 */
import { useEffect, useRef } from "react";
import { Virtualizer } from "virtua";
import { useWatch } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { ordered } from "../core/members.ts";
import { Button, EmptyState, ErrorState, Field, showOverlay, Skeleton } from "../kit/index.ts";
import { addPeople } from "../people/open.tsx";
import { useStill } from "../presses.ts";
import { MEMBERS } from "./texts.ts";
import { useTexts } from "../texts.ts";
import { Banned } from "./Banned.tsx";
import { InviteDialog } from "../invitations/InviteDialog.tsx";
import { MemberRow } from "./MemberRow.tsx";
import styles from "./Members.module.css";
import { useMembers } from "./useMembers.ts";

/** Of more members, only those near the screen are drawn. */
const DRAWN_WHOLE = 80;
const ROW_PX = 48;
const NEAR_PX = 600;

export function MembersTab({ conversation }: { conversation: Conversation }) {
  const t = useTexts(MEMBERS);
  useWatch("presence", "people", "rooms");
  const { members, trouble, wanted, setWanted, hasMore, isLoading, more, reload } = useMembers(conversation);
  const list = useRef<HTMLDivElement>(null);
  const shown = useStill(list, ordered(members ?? []));
  const { memberCount } = conversation;
  const onScroll = () => {
    const box = list.current;
    if (box && hasMore && !isLoading && box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX) more(); // rule 1
  };
  useEffect(onScroll, [shown.length]);
  const rows = shown.map((member) => <MemberRow key={member.id} conversation={conversation} member={member} />);
  return (
    <div className={styles.tab}>
      {conversation.keeper && <Tools conversation={conversation} />}
      <Field
        label={t("search")}
        isBare
        type="search"
        placeholder={t("placeholder")}
        value={wanted}
        onChange={setWanted}
        testid="member-search"
      />
      <div className={styles.about}>
        <p className={styles.count} role="status">
          {!wanted && memberCount !== null && t("count", { count: memberCount })}
        </p>
        {conversation.keeper && (
          <Button
            look="quiet"
            onPress={() => showOverlay((close) => <Banned conversation={conversation} onClose={close} />)}
            data-testid="banned"
          >
            {t("banned")}
          </Button>
        )}
      </div>
      {trouble && <ErrorState text={trouble} onRetry={reload} />}
      {!members && !trouble && <Skeleton lines={6} />}
      {members && !shown.length && <EmptyState icon="users" title={t("none")} />}
      <div ref={list} className={styles.scroll} onScroll={onScroll}>
        <div role="list" className="virtual" data-testid="member-list">
          {rows.length > DRAWN_WHOLE ? (
            <Virtualizer scrollRef={list} itemSize={ROW_PX}>
              {rows}
            </Virtualizer>
          ) : (
            rows
          )}
        </div>
        {hasMore && (
          <Button wide isDisabled={isLoading} onPress={more} data-testid="more-members">
            {t("more")}
          </Button>
        )}
      </div>
    </div>
  );
}

function Tools({ conversation }: { conversation: Conversation }) {
  const t = useTexts(MEMBERS);
  return (
    <div className={styles.tools}>
      <Button icon="user-plus" look="primary" onPress={() => addPeople(conversation)} data-testid="add-people">
        {t("add")}
      </Button>
      <Button
        icon="link"
        onPress={() => showOverlay((close) => <InviteDialog conversation={conversation} onClose={close} />)}
        data-testid="invite"
      >
        {t("invite")}
      </Button>
    </div>
  );
}
