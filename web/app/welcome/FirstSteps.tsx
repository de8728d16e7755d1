/** What the owner of a new instance does first: a list that checks itself off. */
import { useApp, useNavigation, useWatch } from "../context.ts";
import { Button, Icon, showOverlay, Skeleton } from "../kit/index.ts";
import { newRoom } from "../rooms/open.tsx";
import type { InstanceChoices, Listed, ListedUser } from "../settings/rest.ts";
import { useLoaded } from "../settings/useLoaded.ts";
import { useTexts } from "../texts.ts";
import { hideSteps } from "./hidden.ts";
import { InviteTeam } from "./InviteTeam.tsx";
import { doneSteps, nextStep, type Step, STEPS } from "./steps.ts";
import { WELCOME } from "./texts.ts";
import css from "./Welcome.module.css";

type UserPage = Listed & { users: ListedUser[] };

export function FirstSteps() {
  const app = useApp();
  const t = useTexts(WELCOME);
  const store = useWatch("rooms", "instance");
  const rooms = store.list("room").length;
  const found = useLoaded(async () => {
    const [choices, { users }] = await Promise.all([
      app.api.get<InstanceChoices>("/api/instance"),
      app.api.get<UserPage>("/api/instance/users", { limit: 2 }),
    ]);
    return { choices, people: users.length };
  }, [rooms]);
  // Without an answer the page is what it is for everybody.
  if (found.error) return null;
  if (!found.value) return <Skeleton lines={4} />;
  const done = doneSteps({ ...found.value, rooms });
  const next = nextStep(done);
  return (
    <section className={css.steps} aria-label={t("steps")} data-testid="first-steps">
      <h2>{t("yours", { instance: store.instance || "Rookery" })}</h2>
      <p className={css.soft}>{t(next ? "yoursText" : "allDone")}</p>
      <progress className={css.progress} max={STEPS.length} value={done.size} aria-label={t("progress", { done: done.size, all: STEPS.length })} />
      <ol className={css.list}>
        {STEPS.map((step) => (
          <StepLine key={step} step={step} isDone={done.has(step)} isNext={step === next} />
        ))}
      </ol>
      <Button
        look="quiet"
        data-testid="hide-steps"
        onPress={() => {
          hideSteps(store.me?.id ?? "");
          store.touch("instance");
        }}
      >
        {t("hide")}
      </Button>
    </section>
  );
}

function StepLine({ step, isDone, isNext }: { step: Step; isDone: boolean; isNext: boolean }) {
  const app = useApp();
  const navigation = useNavigation();
  const t = useTexts(WELCOME);
  const run: Record<Step, () => void> = {
    name: () => navigation.go("#/settings/instance"),
    room: () => newRoom(app, navigation),
    defaults: () => navigation.go("#/settings/instance"),
    invite: () => showOverlay((close) => <InviteTeam onClose={close} />),
  };
  return (
    <li className={css.step} data-done={isDone || undefined} data-testid={`step-${step}`}>
      <span className={css.tick} aria-hidden="true">
        {isDone && <Icon name="check" size={14} />}
      </span>
      <span className={css.stepText}>
        <strong>
          {t(step)}
          {isDone && <span className="visually-hidden"> ({t("done")})</span>}
        </strong>
        {!isDone && <span className={css.soft}>{t(`${step}Text`)}</span>}
      </span>
      {(!isDone || step === "invite") && (
        <Button look={isNext ? "primary" : "normal"} onPress={run[step]}>
          {t(`${step}Do`)}
        </Button>
      )}
    </li>
  );
}
