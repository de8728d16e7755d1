/** The page before one is signed in: log in, make an account, or ask for a new password. */
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useApp } from "../context.ts";
import { ApiError } from "../core/api.ts";
import { Recovery } from "../core/recovery.ts";
import type { Config } from "../core/rest.ts";
import { Form, PasswordField, TextField } from "../forms/Form.tsx";
import { openBlockAppeal } from "../moderation/openers.ts";
import { keptInvite } from "../shell/invite.ts";
import { useTexts } from "../texts.ts";
import { AuthCard } from "./AuthCard.tsx";
import css from "./Auth.module.css";
import { AUTH } from "./texts.ts";
import { useConfig } from "./useConfig.ts";

type Which = "login" | "register";

export function AuthPage({ reason }: { reason: string | undefined }) {
  const t = useTexts(AUTH);
  const [which, setWhich] = useState<Which | "forgot">("login");
  const [typed, setTyped] = useState("");
  const [invite] = useState(keptInvite);
  const config = useConfig();
  useEffect(() => {
    if (config?.name) document.title = config.name;
  }, [config]);
  return (
    <AuthCard config={config}>
      <h1>{config?.name ?? "Rookery"}</h1>
      <p className="auth-tagline">{t(invite ? "invited" : "tagline")}</p>
      {reason && (
        <p className="auth-reason" role="status">
          {reason}
        </p>
      )}
      {which === "forgot" ? (
        <Forgot name={typed} onBack={() => setWhich("login")} />
      ) : (
        <>
          <Tabs which={which} choose={setWhich} />
          <div role="tabpanel" id={`panel-${which}`} aria-labelledby={`tab-${which}`}>
            {which === "login" ? (
              <LogIn onName={setTyped} onForgot={() => setWhich("forgot")} />
            ) : (
              <Register invite={invite} registration={config?.registration ?? "open"} />
            )}
          </div>
        </>
      )}
    </AuthCard>
  );
}

function Tabs({ which, choose }: { which: Which; choose: (which: Which) => void }) {
  const t = useTexts(AUTH);
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = which === "login" ? "register" : "login";
    choose(other);
    list.current?.querySelector<HTMLElement>(`#tab-${other}`)?.focus();
  };
  return (
    <div ref={list} className="tabs" role="tablist" aria-label={t("account")} onKeyDown={onKeyDown}>
      {(["login", "register"] as const).map((each) => (
        <button
          key={each}
          type="button"
          role="tab"
          id={`tab-${each}`}
          className="tab"
          aria-selected={each === which}
          aria-controls={each === which ? `panel-${each}` : undefined}
          tabIndex={each === which ? 0 : -1}
          data-testid={`show-${each}`}
          onClick={() => choose(each)}
        >
          {t(each === "login" ? "logIn" : "create")}
        </button>
      ))}
    </div>
  );
}

function LogIn({ onName, onForgot }: { onName: (name: string) => void; onForgot: () => void }) {
  const app = useApp();
  const t = useTexts(AUTH);
  const [blocked, setBlocked] = useState<{ name: string; password: string } | null>(null);
  async function submit({ name, password }: Record<string, string>) {
    setBlocked(null);
    try {
      await app.logIn(name.trim(), password);
    } catch (error) {
      if (error instanceof ApiError && error.code === "blocked") setBlocked({ name: name.trim(), password });
      throw error;
    }
  }
  return (
    <>
      <Form testid="login-form" verb={t("logIn")} submit={submit}>
        <TextField label={t("name")} name="name" autoComplete="username" plain required onType={onName} />
        <PasswordField label={t("password")} name="password" autoComplete="current-password" required />
      </Form>
      <p className={css.under}>
        {blocked && (
          <button type="button" className="link-button" data-testid="appeal-block" onClick={() => void openBlockAppeal(app, blocked)}>
            {t("appeal")}
          </button>
        )}
        <button type="button" className="link-button" data-testid="forgot" onClick={onForgot}>
          {t("forgot")}
        </button>
      </p>
    </>
  );
}

function Register({ invite, registration }: { invite: string; registration: NonNullable<Config["registration"]> }) {
  const app = useApp();
  const t = useTexts(AUTH);
  const [owner, setOwner] = useState("");
  if (registration === "closed") return <p className={css.note}>{t("closed")}</p>;
  const submit = ({ name, display_name, password, email }: Record<string, string>) =>
    app.register({
      name: name.trim(),
      ...(display_name.trim() && { display_name: display_name.trim() }),
      password,
      ...(email.trim() && { email: email.trim() }),
      ...(invite && { invite }),
    });
  return (
    <>
      {registration === "invitation" && !invite && <p className={css.note}>{t("byInvitation")}</p>}
      <Form testid="register-form" verb={t("create")} submit={submit}>
        <TextField label={t("name")} name="name" hint={t("nameHint")} autoComplete="username" plain required onType={setOwner} />
        <TextField label={t("shown")} name="display_name" hint={t("shownHint")} autoComplete="name" maxLength={64} />
        <PasswordField
          label={t("password")}
          name="password"
          hint={t("passwordHint")}
          autoComplete="new-password"
          required
          meter
          owner={owner}
        />
        <TextField label={t("email")} name="email" hint={t("emailHint")} type="email" autoComplete="email" />
      </Form>
    </>
  );
}

/** The server does not say whether there is such an account, so neither does this. */
function Forgot({ name, onBack }: { name: string; onBack: () => void }) {
  const app = useApp();
  const t = useTexts(AUTH);
  const [asked, setAsked] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.querySelector<HTMLElement>("input, button")?.focus(), [asked]);
  return (
    <div ref={box}>
      <h2>{t("forgot")}</h2>
      {asked ? (
        <p className={css.note} role="status" data-testid="forgot-done">
          {t("sent")}
        </p>
      ) : (
        <>
          <p className={css.note}>{t("forgotText")}</p>
          <Form
            testid="forgot-form"
            verb={t("sendLink")}
            submit={async (values) => {
              await new Recovery(app).forget(values.name.trim());
              setAsked(true);
            }}
          >
            <TextField
              label={t("forgotName")}
              name="name"
              testid="forgot-name"
              autoComplete="username"
              defaultValue={name.trim()}
              plain
              required
            />
          </Form>
        </>
      )}
      <p className={css.under}>
        <button type="button" className="link-button" data-testid="back-to-log-in" onClick={onBack}>
          {t("back")}
        </button>
      </p>
    </div>
  );
}
