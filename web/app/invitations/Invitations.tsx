/** The invitations to a room, in its panel: a new one with its limits, and those that are open. */
import { type FormEvent, useMemo, useState } from "react";
import { useApp } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { type Invitation, Invitations as Calls, linkTo } from "../core/invitations.ts";
import { shownName } from "../core/people.ts";
import type { Role } from "../../types/wire.d.ts";
import { Button, EmptyState, ErrorState, Select, Skeleton } from "../kit/index.ts";
import { CopyField } from "../room/CopyField.tsx";
import panel from "../room/Panel.module.css";
import { MEMBERS } from "../members/texts.ts";
import { useLoaded } from "../settings/useLoaded.ts";
import { formatDate, useTexts } from "../texts.ts";
import styles from "./Invitations.module.css";
import { invitedAs, TIMES, USES } from "./limits.ts";
import { INVITATIONS } from "./texts.ts";

export function Invitations({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const t = useTexts(INVITATIONS);
  const calls = useMemo(() => new Calls(app, conversation), [app, conversation]);
  const found = useLoaded(() => calls.list(), [calls]);
  async function end(id: string) {
    await app.attempt(() => calls.end(id));
    found.reload(); // it may have been used up meanwhile
  }
  return (
    <>
      <NewInvitation conversation={conversation} calls={calls} onMade={found.reload} />
      <section className={panel.part}>
        <h3>{t("open")}</h3>
        {found.error && <ErrorState text={found.error} onRetry={found.reload} />}
        {!found.value && !found.error && <Skeleton />}
        {found.value?.length === 0 && <EmptyState icon="link" title={t("none")} />}
        <ul className={styles.list} data-testid="invitations-list">
          {found.value?.map((one) => (
            <Line key={one.id} one={one} onEnd={() => void end(one.id)} />
          ))}
        </ul>
      </section>
    </>
  );
}

function Line({ one, onEnd }: { one: Invitation; onEnd: () => void }) {
  const t = useTexts(INVITATIONS);
  const roles = useTexts(MEMBERS);
  const name = shownName(one.creator);
  const used =
    one.uses === null ? t("used", { count: one.used }) : t("usedOf", { count: one.used, uses: one.uses });
  return (
    <li className={styles.line} data-testid="invitation">
      <div className={styles.text}>
        <span dir="auto">{t("by", { role: roles(one.role as Role), name })}</span>
        <span className={panel.soft}>
          {used} ·{" "}
          <time dateTime={one.expires}>
            {t("until", { date: formatDate(one.expires, { dateStyle: "medium", timeStyle: "short" }) })}
          </time>
        </span>
      </div>
      <Button aria-label={t("endOf", { name })} onPress={onEnd} data-testid="end-invitation">
        {t("end")}
      </Button>
    </li>
  );
}

function NewInvitation(props: { conversation: Conversation; calls: Calls; onMade: () => void }) {
  const { conversation, calls, onMade } = props;
  const app = useApp();
  const t = useTexts(INVITATIONS);
  const roles = useTexts(MEMBERS);
  const [role, setRole] = useState<Role>("member");
  const [time, setTime] = useState(TIMES[2].value);
  const [uses, setUses] = useState("0");
  const [token, setToken] = useState("");
  const [isBusy, setBusy] = useState(false);
  async function make(event: FormEvent) {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    const run = async () => setToken(await calls.make(role, Number(time), Number(uses)));
    if (await app.attempt(run)) onMade();
    setBusy(false);
  }
  return (
    <form className={panel.part} onSubmit={(event) => void make(event)} data-testid="invitation-form">
      <h3>{t("create")}</h3>
      <Select
        label={t("role")}
        options={invitedAs(conversation.role).map((value) => ({ value, text: roles(value) }))}
        value={role}
        onChange={setRole}
        testid="role"
      />
      <Select
        label={t("time")}
        options={TIMES.map(({ value, text }) => ({ value, text: t(text) }))}
        value={time}
        onChange={setTime}
        testid="expires_in"
      />
      <Select
        label={t("uses")}
        options={USES.map((count) => ({ value: String(count), text: count ? t("people", { count }) : t("anyone") }))}
        value={uses}
        onChange={setUses}
        testid="uses"
      />
      <span className={panel.start}>
        <Button type="submit" look="primary" icon="link" isDisabled={isBusy} data-testid="submit">
          {t("make")}
        </Button>
      </span>
      {token && <CopyField label={t("link")} value={linkTo(token, location)} testid="new-invitation-link" />}
    </form>
  );
}
