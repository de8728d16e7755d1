/** What the owners of a room decide: its name, who may join and write, how it is moderated, and its end. */
import { type FormEvent, useState } from "react";
import { useApp, useWatch } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { Button, Choice, confirmed, ErrorState, Field, Skeleton, Switch } from "../kit/index.ts";
import type { RoomModeration } from "../core/moderation.ts";
import type { Strictness } from "../core/rest.ts";
import type { Role, Visibility } from "../../types/wire.d.ts";
import { useLoaded } from "../settings/useLoaded.ts";
import { useTexts } from "../texts.ts";
import { defaultRoles, visibilities } from "./choices.ts";
import { changed } from "./draft.ts";
import { NAME } from "./facts.ts";
import styles from "./Panel.module.css";
import { PANEL } from "../panels/texts.ts";

const STRICTNESS: readonly Strictness[] = ["relaxed", "normal", "strict"];

export function SettingsTab({ conversation }: { conversation: Conversation }) {
  const isOwner = conversation.role === "owner";
  return (
    <>
      {isOwner && <General conversation={conversation} />}
      <Moderation conversation={conversation} />
      {isOwner && <Deletion conversation={conversation} />}
    </>
  );
}

/** What others change meanwhile shows, but where one has typed something else. */
function General({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const t = useTexts(PANEL);
  useWatch("rooms");
  const { name, visibility, defaultRole: default_role } = conversation;
  const now: { name: string; visibility: Visibility; default_role: Role } = { name, visibility, default_role };
  const [draft, setDraft] = useState<Partial<typeof now>>({});
  const [isBusy, setBusy] = useState(false);
  const value = { ...now, ...draft };
  const change = changed(now, { ...draft, ...(draft.name === undefined ? {} : { name: draft.name.trim() }) });
  async function save(event: FormEvent) {
    event.preventDefault();
    if (!change || isBusy) return;
    setBusy(true);
    const done = await app.attempt(() => app.directory.changeRoom(conversation, change));
    setBusy(false);
    if (!done) return;
    setDraft({});
    app.notice(t("saved"));
  }
  return (
    <form className={styles.part} onSubmit={(event) => void save(event)} data-testid="room-settings-form">
      <h3>{t("general")}</h3>
      <Field
        label={t("name")}
        hint={t("nameHint")}
        maxLength={NAME}
        value={value.name}
        onChange={(typed) => setDraft({ ...draft, name: typed })}
        testid="rename-room"
      />
      <Choice
        label={t("visibility")}
        options={visibilities(t)}
        value={value.visibility}
        onChange={(chosen) => setDraft({ ...draft, visibility: chosen })}
        testid="room-visibility"
      />
      <div>
        <Choice
          label={t("joins")}
          options={defaultRoles(t)}
          value={value.default_role}
          onChange={(chosen) => setDraft({ ...draft, default_role: chosen })}
          testid="default-role"
        />
        <p className={styles.soft}>{t("joinsHint")}</p>
      </div>
      <span className={styles.start}>
        <Button type="submit" look="primary" isDisabled={!change || !value.name.trim() || isBusy} data-testid="submit">
          {t("save")}
        </Button>
      </span>
    </form>
  );
}

function Moderation({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const t = useTexts(PANEL);
  const found = useLoaded(() => app.moderation.settings(conversation), [conversation.id]);
  const [draft, setDraft] = useState<Partial<RoomModeration>>({});
  if (found.error) return <ErrorState text={found.error} onRetry={found.reload} />;
  if (!found.value) return <Skeleton lines={4} />;
  const value = { ...found.value, ...draft };
  async function save(event: FormEvent) {
    event.preventDefault();
    if (!(await app.attempt(() => app.moderation.setSettings(conversation, value)))) return;
    found.set(value);
    setDraft({});
    app.notice(t("moderationSaved", { name: conversation.name }));
  }
  return (
    <form className={styles.part} onSubmit={(event) => void save(event)} data-testid="strictness-form">
      <h3>{t("moderation")}</h3>
      <Choice
        label={t("strictness")}
        options={STRICTNESS.map((one) => ({ value: one, text: t(one), hint: t(`${one}Hint`) }))}
        value={value.strictness}
        onChange={(strictness) => setDraft({ ...draft, strictness })}
        testid="strictness"
      />
      <Switch isOn={value.held} onChange={(held) => setDraft({ ...draft, held })} hint={t("heldHint")} testid="held">
        {t("held")}
      </Switch>
      <span className={styles.start}>
        <Button type="submit" look="primary" isDisabled={!changed(found.value, draft)} data-testid="submit">
          {t("save")}
        </Button>
      </span>
    </form>
  );
}

function Deletion({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const t = useTexts(PANEL);
  async function remove() {
    const { name } = conversation;
    if (await confirmed({ title: t("deleteTitle", { name }), text: t("deleteText"), verb: t("delete") }))
      await app.attempt(() => app.directory.deleteRoom(conversation));
  }
  return (
    <section className={styles.part}>
      <h3>{t("danger")}</h3>
      <p className={styles.soft}>{t("deleteText")}</p>
      <span className={styles.start}>
        <Button look="danger" icon="trash" onPress={() => void remove()} data-testid="delete-room">
          {t("delete")}
        </Button>
      </span>
    </section>
  );
}
