/** The logo of the instance: how it looks, another one, and none. */
import { useId, useState } from "react";
import { type DropItem, DropZone, FileTrigger, Text } from "react-aria-components";
import { useApp, useWatch } from "../context.ts";
import { ApiError } from "../core/api.ts";
import { explainError } from "../forms/errors.ts";
import { FORMS } from "../forms/texts.ts";
import { Button, confirmed } from "../kit/index.ts";
import { Logo } from "../kit/Logo.tsx";
import { Rook } from "../kit/Rook.tsx";
import { useTexts } from "../texts.ts";
import { LOGO_TYPES, refuseFile, tellRefusal } from "./logo.ts";
import css from "./Logo.module.css";
import settings from "./Settings.module.css";
import { SETTINGS } from "./texts.ts";

/** @param address where it is, null without one */
export function LogoSetting(props: { address: string | null; isOwner: boolean; changed: (address: string | null) => void }) {
  const { address, isOwner, changed } = props;
  const app = useApp();
  const t = useTexts(SETTINGS);
  const forms = useTexts(FORMS);
  const { instance } = useWatch("instance");
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const id = useId();
  const name = instance || "Rookery";

  async function change(run: () => Promise<string | null>, done: "logoSet" | "logoGone") {
    if (isBusy) return;
    setError("");
    setBusy(true);
    try {
      const now = await run();
      app.store.logo = now;
      app.store.touch("instance");
      changed(now);
      app.notice(t(done));
    } catch (failure) {
      const refusal = failure instanceof ApiError && tellRefusal(failure);
      setError(refusal ? t(refusal) : explainError(failure, forms).text);
    } finally {
      setBusy(false);
    }
  }

  function send(file: File | undefined) {
    if (!file) return;
    const refusal = refuseFile(file);
    if (refusal) return setError(t(refusal));
    void change(async () => (await app.api.put<{ logo: string }>("/api/instance/logo", file)).logo, "logoSet");
  }

  async function remove() {
    const title = t("logoRemoveTitle");
    if (!(await confirmed({ title, text: t("logoRemoveText"), verb: t("logoRemove") }))) return;
    await change(async () => {
      await app.api.delete("/api/instance/logo");
      return null;
    }, "logoGone");
  }

  const preview = (
    <span className={css.preview} data-testid="logo-preview">
      <Logo address={address} name={name} large>
        <Rook />
      </Logo>
    </span>
  );
  return (
    <section className={settings.part} aria-labelledby={id} data-testid="logo-setting">
      <div className={settings.group}>
        <h2 id={id} className={settings.label}>
          {t("logo")}
        </h2>
        {isOwner ? (
          <DropZone
            className={css.zone}
            isDisabled={isBusy}
            getDropOperation={(types) => (LOGO_TYPES.some((type) => types.has(type)) ? "copy" : "cancel")}
            onDrop={({ items }) => void droppedFile(items).then(send)}
          >
            {preview}
            <div className={css.words}>
              <Text slot="label" className={`${settings.soft} ${css.drop}`}>
                {t(address ? "logoDropOther" : "logoDrop")}
              </Text>
              <div className={css.buttons}>
                <FileTrigger acceptedFileTypes={LOGO_TYPES} onSelect={(files) => send(files?.[0])}>
                  <Button isPending={isBusy} data-testid="choose-logo">
                    {t(address ? "logoOtherFile" : "logoFile")}
                  </Button>
                </FileTrigger>
                {address && (
                  <Button isDisabled={isBusy} onPress={() => void remove()} data-testid="remove-logo">
                    {t("logoRemove")}
                  </Button>
                )}
              </div>
            </div>
          </DropZone>
        ) : (
          <div className={css.zone}>
            {preview}
            {!address && <p className={settings.soft}>{t("logoNone")}</p>}
          </div>
        )}
        {isOwner && <p className={settings.soft}>{t("logoHint")}</p>}
        <p className={css.busy} role="status">
          {isBusy && t("logoSending")}
        </p>
        <p className="form-error" role="alert" data-testid="logo-error">
          {error}
        </p>
      </div>
    </section>
  );
}

async function droppedFile(items: DropItem[]): Promise<File | undefined> {
  for (const item of items) if (item.kind === "file") return item.getFile();
  return undefined;
}
