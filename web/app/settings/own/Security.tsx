/** How the user logs in, where they are logged in, and the end of the account. */
import { useState } from "react";
import { useApp } from "../../context.ts";
import { Account, type LogIn } from "../../core/account.ts";
import { Form, PasswordField, TextField } from "../../forms/Form.tsx";
import { Button, ErrorState, Skeleton } from "../../kit/index.ts";
import { timeAgo } from "../../people/when.ts";
import { formatDate, useLanguage, useTexts } from "../../texts.ts";
import { type Addresses, describeEmail } from "../email.ts";
import { programOf } from "../programs.ts";
import { useLoaded } from "../useLoaded.ts";
import css from "./Own.module.css";
import { OWN } from "./texts.ts";
import { useReturn } from "./useReturn.ts";

export function Security() {
  const app = useApp();
  const [account] = useState(() => new Account(app));
  // A new password ends the other log-ins.
  const [round, setRound] = useState(0);
  return (
    <>
      <LogIns account={account} key={round} />
      <Password account={account} onChanged={() => setRound((last) => last + 1)} />
      <Email account={account} />
      <Deletion account={account} />
    </>
  );
}

function LogIns({ account }: { account: Account }) {
  const app = useApp();
  const t = useTexts(OWN);
  const found = useLoaded(() => account.logIns());
  // No event tells that another device logged in or out.
  useReturn(found.reload);
  const end = (run: () => Promise<unknown>) => void app.attempt(run).then(found.reload);
  return (
    <section className={css.part} aria-labelledby="own-log-ins">
      <h2 id="own-log-ins">{t("logIns")}</h2>
      {found.error && <ErrorState text={found.error} onRetry={found.reload} />}
      {!found.value && !found.error && <Skeleton />}
      <ul className={css.list} data-testid="log-ins">
        {found.value?.map((one) => (
          <LogInLine key={one.id} one={one} onEnd={() => end(() => account.endLogIn(one))} />
        ))}
      </ul>
      {found.value?.length === 1 && <p className={css.soft}>{t("nowhereElse")}</p>}
      {found.value && found.value.length > 2 && (
        <Button data-testid="end-others" onPress={() => end(() => account.endOthers())}>
          {t("logOutOthers")}
        </Button>
      )}
    </section>
  );
}

function LogInLine({ one, onEnd }: { one: LogIn; onEnd: () => void }) {
  const t = useTexts(OWN);
  const language = useLanguage();
  const found = programOf(one.agent);
  const program = found ? t("program", found) : one.agent || t("unknownProgram");
  const since = one.begun && t("begun", { date: formatDate(one.begun, { dateStyle: "medium" }) });
  const used = one.current ? t("thisOne") : one.used && t("used", { time: timeAgo(one.used, Date.now(), language) });
  return (
    <li className={css.line} data-testid="log-in">
      <span className={css.who}>
        <span title={one.agent}>{program}</span>
        <span className={css.soft}>{[used, since].filter(Boolean).join(" · ")}</span>
      </span>
      {!one.current && (
        <Button aria-label={t("logOutOf", { program })} data-testid="end-log-in" onPress={onEnd}>
          {t("logOut")}
        </Button>
      )}
    </li>
  );
}

function Password({ account, onChanged }: { account: Account; onChanged: () => void }) {
  const app = useApp();
  const t = useTexts(OWN);
  const [done, setDone] = useState(0);
  return (
    <section className={css.part} aria-labelledby="own-password">
      <h2 id="own-password">{t("password")}</h2>
      <Form
        key={done}
        testid="password-form"
        verb={t("changePassword")}
        submit={async ({ password, new_password }) => {
          await account.changePassword(password, new_password);
          app.notice(t("passwordChanged"));
          setDone(done + 1);
          onChanged();
        }}
      >
        <PasswordField label={t("presentPassword")} name="password" autoComplete="current-password" required />
        <PasswordField
          label={t("newPassword")}
          name="new_password"
          hint={t("newPasswordHint")}
          autoComplete="new-password"
          required
          meter
          owner={app.store.me?.name}
        />
      </Form>
    </section>
  );
}

function Email({ account }: { account: Account }) {
  const app = useApp();
  const t = useTexts(OWN);
  const own = useLoaded<Addresses>(() => account.me());
  const [isOpen, setOpen] = useState(false);
  const [isSent, setSent] = useState(false);
  const about = own.value && describeEmail(own.value);
  const resend = () => void app.attempt(() => account.resendMail()).then((isDone) => isDone && setSent(true));
  return (
    <section className={css.part} aria-labelledby="own-email">
      <h2 id="own-email">{t("email")}</h2>
      {own.error && <ErrorState text={own.error} onRetry={own.reload} />}
      {about && (
        <p className={css.soft} role="status" data-testid="email-state">
          {isSent ? t("resent") : t(about.text, { email: own.value?.email ?? "", pending: own.value?.pending_email ?? "" })}
        </p>
      )}
      {about?.waits && !isSent && (
        <Button look="quiet" data-testid="resend" onPress={resend}>
          {t("resend")}
        </Button>
      )}
      {isOpen ? (
        <Form
          testid="email-form"
          verb={t("changeEmailVerb")}
          submit={async ({ email, password }) => {
            await account.changeEmail(email.trim() || null, password);
            setOpen(false);
            setSent(false);
            own.reload();
          }}
        >
          <TextField label={t("newEmail")} name="email" type="email" autoComplete="email" hint={t("newEmailHint")} />
          <PasswordField label={t("password")} name="password" autoComplete="current-password" required />
        </Form>
      ) : (
        <Button data-testid="change-email" onPress={() => setOpen(true)}>
          {t("changeEmail")}
        </Button>
      )}
    </section>
  );
}

/** It asks for the password, so that nobody deletes it at a window that was left open. */
function Deletion({ account }: { account: Account }) {
  const t = useTexts(OWN);
  const [isOpen, setOpen] = useState(false);
  return (
    <section className={css.part} aria-labelledby="own-deletion">
      <h2 id="own-deletion" className={css.danger}>
        {t("deletion")}
      </h2>
      <p className={css.soft}>{t("deletionText")}</p>
      {isOpen ? (
        <Form danger testid="deletion-form" verb={t("deletionVerb")} submit={({ password }) => account.delete(password)}>
          <PasswordField label={t("password")} name="password" autoComplete="current-password" required />
        </Form>
      ) : (
        <Button data-testid="delete-account" onPress={() => setOpen(true)}>
          {t("deletionOpen")}
        </Button>
      )}
    </section>
  );
}
