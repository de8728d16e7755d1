/** What the owners of the instance decide for everybody. */
import { useState } from "react";
import { useApp, useWatch } from "../context.ts";
import { Form, TextField } from "../forms/Form.tsx";
import { Choice, ErrorState, Skeleton, Switch } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import { LogoSetting } from "./LogoSetting.tsx";
import type { InstanceChoices } from "./rest.ts";
import css from "./Settings.module.css";
import { SETTINGS } from "./texts.ts";
import { useLoaded } from "./useLoaded.ts";

const REGISTRATIONS = ["operator", "open", "invitation", "closed"] as const;
const MAKERS = ["everyone", "moderators"] as const;

export function Instance({ isOwner }: { isOwner: boolean }) {
  const app = useApp();
  const found = useLoaded(() => app.api.get<InstanceChoices>("/api/instance"));
  if (found.error) return <ErrorState text={found.error} onRetry={found.reload} />;
  if (!found.value) return <Skeleton />;
  const { value, set } = found;
  return (
    <>
      <LogoSetting address={value.logo ?? null} isOwner={isOwner} changed={(logo) => set({ ...value, logo })} />
      <Choices key={value.revision} known={value} isOwner={isOwner} changed={set} />
    </>
  );
}

function Choices(props: { known: InstanceChoices; isOwner: boolean; changed: (now: InstanceChoices) => void }) {
  const { known, isOwner, changed } = props;
  const app = useApp();
  const t = useTexts(SETTINGS);
  const [registration, setRegistration] = useState<(typeof REGISTRATIONS)[number]>(known.registration ?? "operator");
  const [makers, setMakers] = useState(known.room_makers);
  const [rooms, setRooms] = useState(known.default_rooms);
  const store = useWatch("rooms");
  const open = [...store.conversations.values()].filter((one) => one.kind === "room" && one.visibility === "public");
  const operator = known.operator_registration && t(known.operator_registration);
  const parts = (
    <>
      <Choice
        label={t("registration")}
        options={REGISTRATIONS.map((value) => ({ value, text: t(value), hint: value === "operator" ? operator : undefined }))}
        value={registration}
        onChange={setRegistration}
        isDisabled={!isOwner}
      />
      <Choice
        label={t("makers")}
        options={MAKERS.map((value) => ({ value, text: t(value) }))}
        value={makers}
        onChange={setMakers}
        isDisabled={!isOwner}
      />
      <div role="group" aria-label={t("defaultRooms")} className={css.group}>
        <p className={css.label}>{t("defaultRooms")}</p>
        {open.length === 0 && <p className={css.soft}>{t("defaultRoomsNone")}</p>}
        {open.map((room) => (
          <Switch
            key={room.id}
            isOn={rooms.includes(room.id)}
            isDisabled={!isOwner}
            onChange={(on) => setRooms(on ? [...rooms, room.id] : rooms.filter((id) => id !== room.id))}
          >
            {room.name}
          </Switch>
        ))}
      </div>
    </>
  );
  if (!isOwner)
    return (
      <section className={css.part}>
        <p className={css.soft}>{t("readOnly")}</p>
        {parts}
      </section>
    );
  return (
    <section className={css.part}>
      <Form
        testid="instance-form"
        verb={t("save")}
        submit={async ({ name }) => {
          const body: InstanceChoices = {
            revision: known.revision,
            name: name.trim() || null,
            registration: registration === "operator" ? null : registration,
            default_rooms: rooms,
            room_makers: makers,
          };
          const now = await app.api.put<InstanceChoices>("/api/instance", body);
          app.store.instance = now.name ?? "";
          app.store.touch("instance");
          changed(now);
          app.notice(t("saved"));
        }}
      >
        <TextField
          label={t("instanceName")}
          name="name"
          testid="instance-name"
          hint={t("instanceNameHint")}
          defaultValue={known.name ?? ""}
          maxLength={64}
        />
        {parts}
      </Form>
    </section>
  );
}
