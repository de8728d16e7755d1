/** What the user decides about others: who may add them to rooms, and whom they block. */
import { useState } from "react";
import { useApp } from "../../context.ts";
import { handleOf, shownName } from "../../core/people.ts";
import { type AddedBy, Privacy as PrivacyCalls } from "../../core/privacy.ts";
import { Avatar, Button, Choice, ErrorState, Skeleton } from "../../kit/index.ts";
import { useTexts } from "../../texts.ts";
import { useLoaded } from "../useLoaded.ts";
import css from "./Own.module.css";
import { OWN } from "./texts.ts";

const CHOICES = ["everyone", "shared", "nobody"] as const satisfies readonly AddedBy[];

export function Privacy() {
  const app = useApp();
  const [calls] = useState(() => new PrivacyCalls(app));
  return (
    <>
      <AddedByChoice calls={calls} />
      <Blocked calls={calls} />
    </>
  );
}

function AddedByChoice({ calls }: { calls: PrivacyCalls }) {
  const app = useApp();
  const t = useTexts(OWN);
  const found = useLoaded(() => calls.addedBy());
  const known = found.value;
  const choose = async (added_by: AddedBy) => {
    if (!known) return;
    found.set({ added_by, decided: true });
    if (await app.attempt(() => calls.setAddedBy(added_by))) app.notice(t("saved"));
    else found.set(known);
  };
  return (
    <section className={css.part} data-testid="added-by" data-value={known?.added_by}>
      {found.error && <ErrorState text={found.error} onRetry={found.reload} />}
      {!known && !found.error && <Skeleton />}
      {known && (
        <Choice
          label={t("addedBy")}
          options={CHOICES.map((value) => ({ value, text: t(value) }))}
          value={known.added_by}
          onChange={(value) => void choose(value)}
        />
      )}
      {known && !known.decided && <p className={css.soft}>{t("undecided")}</p>}
    </section>
  );
}

function Blocked({ calls }: { calls: PrivacyCalls }) {
  const app = useApp();
  const t = useTexts(OWN);
  const found = useLoaded(() => calls.blocked());
  return (
    <section className={css.part} aria-labelledby="own-blocked">
      <h2 id="own-blocked">{t("blocked")}</h2>
      <p className={css.soft}>{t("blockedText")}</p>
      {found.error && <ErrorState text={found.error} onRetry={found.reload} />}
      {!found.value && !found.error && <Skeleton lines={2} />}
      {found.value?.length === 0 && <p>{t("blockNobody")}</p>}
      <ul className={css.list} data-testid="blocked-users">
        {found.value?.map((user) => (
          <li key={user.id} className={css.line} data-testid="blocked-user">
            <Avatar id={user.id} name={shownName(user)} />
            <span className={css.who}>
              <span dir="auto">{shownName(user)}</span>
              <span className={css.soft}>{handleOf(user)}</span>
            </span>
            <Button
              aria-label={t("unblockName", { name: shownName(user) })}
              data-testid="unblock"
              onPress={() => void app.attempt(() => calls.unblock(user.id)).then(found.reload)}
            >
              {t("unblock")}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
