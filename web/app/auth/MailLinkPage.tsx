/** What the link of a mail brings: an address is confirmed, or a new password chosen. */
import { useEffect, useRef, useState } from "react";
import { useApp } from "../context.ts";
import { Recovery } from "../core/recovery.ts";
import { explainError } from "../forms/errors.ts";
import { Form, PasswordField } from "../forms/Form.tsx";
import { FORMS } from "../forms/texts.ts";
import type { MailLink } from "../shell/stage.ts";
import { useTexts } from "../texts.ts";
import { AuthCard } from "./AuthCard.tsx";
import { AUTH } from "./texts.ts";
import { useConfig } from "./useConfig.ts";

interface LinkProps {
  token: string;
  onDone: (reason?: string) => Promise<void>;
}

export function MailLinkPage({ link, onDone }: { link: MailLink; onDone: LinkProps["onDone"] }) {
  const config = useConfig();
  const Page = link.kind === "reset" ? Reset : Verify;
  return (
    <AuthCard config={config} testid={`${link.kind}-page`}>
      <Page token={link.token} onDone={onDone} />
    </AuthCard>
  );
}

function Reset({ token, onDone }: LinkProps) {
  const app = useApp();
  const t = useTexts(AUTH);
  return (
    <>
      <h1>{t("resetTitle")}</h1>
      <p className="auth-tagline">{t("resetText")}</p>
      <Form
        testid="reset-form"
        verb={t("reset")}
        submit={async ({ new_password }) => {
          await new Recovery(app).reset(token, new_password);
          await onDone(t("resetDone"));
        }}
      >
        <PasswordField
          label={t("newPassword")}
          name="new_password"
          hint={t("passwordHint")}
          autoComplete="new-password"
          required
          meter
        />
      </Form>
      <Leave text={t("notNow")} onDone={onDone} />
    </>
  );
}

/** The user presses a button: programs that scan mails open links. */
function Verify({ token, onDone }: LinkProps) {
  const app = useApp();
  const t = useTexts(AUTH);
  const errors = useTexts(FORMS);
  const [email, setEmail] = useState("");
  const [told, setTold] = useState("");
  const [busy, setBusy] = useState(false);
  async function verify() {
    setBusy(true);
    try {
      setEmail(await new Recovery(app).verify(token));
    } catch (error) {
      setTold(explainError(error, errors).text);
    } finally {
      setBusy(false);
    }
  }
  return (
    <>
      <h1>{t("verifyTitle")}</h1>
      <p className="auth-tagline" role="status">
        {email ? t("verified", { email }) : told || t("verifyText")}
      </p>
      {!email && (
        <button type="button" className="button primary wide" disabled={busy} data-testid="verify" onClick={() => void verify()}>
          {t("verify")}
        </button>
      )}
      <Leave text={t(email ? "goOn" : "notNow")} focus={Boolean(email)} onDone={onDone} />
    </>
  );
}

function Leave({ text, focus = false, onDone }: { text: string; focus?: boolean; onDone: LinkProps["onDone"] }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (focus) button.current?.focus();
  }, [focus]);
  return (
    <button ref={button} type="button" className="link-button centred" data-testid="leave" onClick={() => void onDone()}>
      {text}
    </button>
  );
}
