/** Of what, how and when the user is notified. Each change is saved at once. */
import { useEffect, useRef, useState } from "react";
import { useApp, useWatch } from "../../context.ts";
import { FOR_EVER, listZones, type DeviceState } from "../../core/notifying.ts";
import type { NotificationSettings } from "../../core/rest.ts";
import { Button, Choice, ErrorState, Field, NativeSelect, Skeleton, Switch } from "../../kit/index.ts";
import { openRoomNotifications } from "../../notifying/open.tsx";
import { LEVELS, levelName, levelOf } from "../../notifying/roomChoice.ts";
import { NOTIFYING } from "../../notifying/texts.ts";
import { turnOn } from "../../notifying/turnOn.ts";
import { formatDate, LANGUAGES, useTexts } from "../../texts.ts";
import { useLoaded } from "../useLoaded.ts";
import css from "./Own.module.css";
import { OWN } from "./texts.ts";

type Change = (change: Partial<NotificationSettings>) => void;
interface PartProps {
  settings: NotificationSettings;
  change: Change;
}
const USUAL_HOURS = { from: "22:00", to: "07:00" };
const CLOCK = /^\d\d:\d\d$/;

export function Notifications() {
  const app = useApp();
  const t = useTexts(OWN);
  const found = useLoaded<NotificationSettings | null>(async () => (await app.notifying?.settings()) ?? null);
  const [pending, setPending] = useState(0);
  const [isTouched, setTouched] = useState(false);
  const latest = useRef<NotificationSettings | null>(null);
  latest.current = found.value;
  const change: Change = (fields) => {
    const before = latest.current;
    if (!before) return;
    found.set({ ...before, ...fields });
    setTouched(true);
    setPending((count) => count + 1);
    void app
      .attempt(() => app.notifying?.change(fields) ?? Promise.resolve())
      .then((isDone) => !isDone && found.reload())
      .finally(() => setPending((count) => count - 1));
  };
  if (found.error) return <ErrorState text={found.error} onRetry={found.reload} />;
  return (
    <div data-testid="notifications-form">
      {isTouched && (
        <p className={css.saving} role="status" data-testid="settings-saving" data-state={pending ? "saving" : "saved"}>
          {t(pending ? "saving" : "saved")}
        </p>
      )}
      <Device />
      {!found.value && <Skeleton lines={6} />}
      {found.value && (
        <>
          <How settings={found.value} change={change} />
          <What settings={found.value} change={change} />
          <Quiet settings={found.value} change={change} />
          <OwnRooms settings={found.value} onSaved={found.set} />
        </>
      )}
    </div>
  );
}

function Device() {
  const app = useApp();
  const t = useTexts(OWN);
  const say = useTexts(NOTIFYING);
  const { notifying } = app;
  const version = useWatch("notifying").version("notifying");
  const [state, setState] = useState<DeviceState>(notifying?.state ?? "unsupported");
  const [hasSound, setSound] = useState(notifying?.sound ?? false);
  const turn = async (on: boolean) => {
    if (on) await turnOn(app);
    else await app.attempt(async () => notifying?.turnOff());
    setState(notifying?.state ?? "unsupported");
  };
  useEffect(() => setState(notifying?.state ?? "unsupported"), [notifying, version]);
  const isUnable = state === "unsupported" || state === "denied";
  return (
    <section className={css.part} aria-labelledby="own-device">
      <h2 id="own-device">{t("thisDevice")}</h2>
      <div className={css.switches}>
        <Switch isOn={state === "on"} isDisabled={isUnable} onChange={(on) => void turn(on)} testid="push-here">
          {t("pushHere")}
        </Switch>
        {isUnable && (
          <p className={css.soft} role="status" data-testid="device-note">
            {say(state === "denied" ? "denied" : "unsupported")}
          </p>
        )}
        <Switch
          isOn={hasSound}
          onChange={(on) => {
            if (notifying) notifying.sound = on;
            setSound(on);
          }}
          testid="sound"
        >
          {t("sound")}
        </Switch>
      </div>
    </section>
  );
}

function How({ settings, change }: PartProps) {
  const t = useTexts(OWN);
  const languages = [
    { value: "", text: t("serverLanguage") },
    ...Object.entries(LANGUAGES).map(([value, text]) => ({ value, text })),
  ];
  return (
    <section className={css.part} aria-labelledby="own-how">
      <h2 id="own-how">{t("how")}</h2>
      <div className={css.switches}>
        <Switch isOn={settings.push} onChange={(push) => change({ push })} testid="push">
          {t("push")}
        </Switch>
        <Switch isOn={settings.email} onChange={(email) => change({ email })} testid="email">
          {t("byMail")}
        </Switch>
        <Switch isOn={settings.hide_texts} onChange={(hide_texts) => change({ hide_texts })} testid="hide_texts">
          {t("hideTexts")}
        </Switch>
      </div>
      <NativeSelect
        label={t("language")}
        options={languages}
        value={settings.language ?? ""}
        onChange={(language) => change({ language: (language || null) as NotificationSettings["language"] })}
        testid="language"
      />
    </section>
  );
}

function What({ settings, change }: PartProps) {
  const t = useTexts(OWN);
  const say = useTexts(NOTIFYING);
  return (
    <section className={css.part} data-testid="default_level" data-value={levelName(settings.default_level)}>
      <Choice
        label={t("what")}
        options={LEVELS.map((value) => ({ value, text: say(value) }))}
        value={levelName(settings.default_level)}
        onChange={(name) => change({ default_level: levelOf(name) })}
      />
      <p className={css.soft}>{t("whatHint")}</p>
    </section>
  );
}

function Quiet({ settings, change }: PartProps) {
  const t = useTexts(OWN);
  const { quiet_hours: hours } = settings;
  const zone = settings.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const [zones] = useState(() => listZones(zone).map((value) => ({ value, text: value.replaceAll("_", " ") })));
  // The zone that is shown is the one in which they are meant.
  const set = (quiet_hours: NotificationSettings["quiet_hours"]) => change({ quiet_hours, time_zone: zone });
  return (
    <section className={css.part} aria-labelledby="own-quiet">
      <h2 id="own-quiet">{t("quiet")}</h2>
      <Switch isOn={hours !== null} onChange={(on) => set(on ? USUAL_HOURS : null)} hint={t("quietHint")} testid="quiet">
        {t("quiet")}
      </Switch>
      {hours && (
        <div className={css.hours}>
          <Clock label={t("from")} value={hours.from} onChange={(from) => set({ ...hours, from })} testid="quiet_begin" />
          <Clock label={t("to")} value={hours.to} onChange={(to) => set({ ...hours, to })} testid="quiet_end" />
        </div>
      )}
      <NativeSelect
        label={t("zone")}
        hint={t("zoneHint")}
        options={zones}
        value={zone}
        onChange={(time_zone) => change({ time_zone })}
        testid="time_zone"
      />
    </section>
  );
}

/** A time that is only half typed is not one yet. */
function Clock(props: { label: string; value: string; onChange: (value: string) => void; testid: string }) {
  const { label, value, onChange, testid } = props;
  const [typed, setTyped] = useState(value);
  const type = (text: string) => {
    setTyped(text);
    if (CLOCK.test(text)) onChange(text);
  };
  return <Field label={label} type="time" value={typed} onChange={type} testid={testid} />;
}

function OwnRooms({ settings, onSaved }: { settings: NotificationSettings; onSaved: (now: NotificationSettings) => void }) {
  const app = useApp();
  const t = useTexts(OWN);
  const say = useTexts(NOTIFYING);
  const store = useWatch("rooms");
  const now = Date.now();
  const rooms = Object.entries(settings.rooms).flatMap(([id, one]) => {
    const name = store.get(`room:${id}`)?.name;
    const isMuted = one.muted_until !== null && one.muted_until > now;
    return name && (one.level || isMuted) ? [{ id, name, ...one, isMuted }] : [];
  });
  const describe = ({ level, isMuted, muted_until }: (typeof rooms)[number]) => {
    const until = muted_until ?? 0;
    const date = () => formatDate(until, { dateStyle: "medium", timeStyle: "short" });
    const mute = isMuted && (until >= FOR_EVER ? t("mutedEver") : t("muted", { date: date() }));
    return [level && say(level), mute].filter(Boolean).join(" · ");
  };
  return (
    <section className={css.part} aria-labelledby="own-rooms">
      <h2 id="own-rooms">{t("rooms")}</h2>
      {rooms.length === 0 && <p className={css.soft}>{t("noRooms")}</p>}
      <ul className={css.list}>
        {rooms.map((room) => (
          <li key={room.id} className={css.line} data-testid="own-room">
            <span className={css.who}>
              <span dir="auto">{room.name}</span>
              <span className={css.soft}>{describe(room)}</span>
            </span>
            <Button
              aria-label={t("changeRoom", { room: room.name })}
              onPress={() => void openRoomNotifications(app, room, onSaved)}
            >
              {t("change")}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
