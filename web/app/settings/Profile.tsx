/** How others see the user: the display name and the status. */
import { useState } from "react";
import { useApp } from "../context.ts";
import { Account } from "../core/account.ts";
import { Form, TextField } from "../forms/Form.tsx";
import { Avatar, Button, ErrorState, Select, Skeleton } from "../kit/index.ts";
import { formatDate, useTexts } from "../texts.ts";
import { type End, ENDS, endOf } from "./ends.ts";
import type { OwnProfile } from "./rest.ts";
import css from "./Settings.module.css";
import { StatusEmoji } from "./StatusEmoji.tsx";
import { SETTINGS } from "./texts.ts";
import { useLoaded } from "./useLoaded.ts";

export function Profile() {
  const app = useApp();
  const own = useLoaded(() => app.api.get<OwnProfile>("/api/auth/me"));
  if (own.error) return <ErrorState text={own.error} onRetry={own.reload} />;
  if (!own.value) return <Skeleton />;
  return (
    <>
      <ShownName own={own.value} changed={own.set} />
      <Status own={own.value} changed={own.set} />
    </>
  );
}

interface PartProps {
  own: OwnProfile;
  changed: (own: OwnProfile) => void;
}

/** The disc with the letter is that of the name as it is typed. */
function ShownName({ own, changed }: PartProps) {
  const app = useApp();
  const t = useTexts(SETTINGS);
  const { id, name, display_name } = own;
  const [typed, setTyped] = useState(display_name ?? "");
  const shown = typed.trim() || name;
  return (
    <section className={css.part}>
      <div className={css.face} data-testid="profile-face">
        <Avatar id={id} name={shown} size="large" />
        <span className={css.who}>
          <strong dir="auto">{shown}</strong>
          <span className={css.soft} dir="ltr">
            @{name}
          </span>
        </span>
      </div>
      <Form
        testid="profile-form"
        verb={t("save")}
        submit={async (values) => {
          const chosen = values.display_name.trim();
          await new Account(app).changeDisplayName(chosen);
          changed({ ...own, display_name: chosen || null });
          app.notice(t("saved"));
        }}
      >
        <TextField
          label={t("shownName")}
          name="display_name"
          hint={t("shownNameHint", { name })}
          defaultValue={display_name ?? ""}
          maxLength={64}
          onType={setTyped}
        />
      </Form>
    </section>
  );
}

function Status({ own, changed }: PartProps) {
  const app = useApp();
  const t = useTexts(SETTINGS);
  const [end, setEnd] = useState<End>("never");
  const { status } = own;
  const path = "/api/auth/me/status";
  return (
    <section className={css.part} aria-label={t("status")} key={JSON.stringify(status)}>
      <h2>{t("status")}</h2>
      {status && (
        <p className={css.now} data-testid="status-now">
          {status.emoji} <span dir="auto">{status.text}</span>{" "}
          {status.until && t("ends", { date: formatDate(status.until, { dateStyle: "medium", timeStyle: "short" }) })}
        </p>
      )}
      <Form
        testid="status-form"
        verb={t("setStatus")}
        submit={async ({ emoji, text }) => {
          const until = endOf(end, new Date());
          changed(await app.api.put<OwnProfile>(path, { emoji: emoji.trim(), text, ...(until && { until }) }));
          app.notice(t("saved"));
        }}
      >
        <StatusEmoji name="emoji" initial={status?.emoji ?? ""} />
        <TextField label={t("statusText")} name="text" hint={t("statusHint")} defaultValue={status?.text} maxLength={100} />
        <Select
          label={t("statusEnd")}
          options={ENDS.map((value) => ({ value, text: t(value) }))}
          value={end}
          onChange={setEnd}
          testid="status-end"
        />
      </Form>
      {status && (
        <Button
          look="quiet"
          data-testid="clear-status"
          onPress={() => void app.attempt(async () => changed(await app.api.delete<OwnProfile>(path)))}
        >
          {t("clearStatus")}
        </Button>
      )}
    </section>
  );
}
