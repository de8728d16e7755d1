/** What is shown while no conversation is open: for who owns a new instance, the first steps; for all, ways to begin. */
import { useApp, useNavigation, useWatch } from "../context.ts";
import { shownName } from "../core/people.ts";
import { Icon, IconButton } from "../kit/index.ts";
import { Logo } from "../kit/Logo.tsx";
import { browseRooms, newRoom } from "../rooms/open.tsx";
import { findPerson } from "../people/open.tsx";
import { useTexts } from "../texts.ts";
import { FirstSteps } from "./FirstSteps.tsx";
import { areStepsHidden } from "./hidden.ts";
import { WELCOME } from "./texts.ts";
import css from "./Welcome.module.css";

export default function Welcome() {
  const app = useApp();
  const navigation = useNavigation();
  const t = useTexts(WELCOME);
  const store = useWatch("me", "rooms", "dms", "instance");
  const { me } = store;
  const isNew = !store.conversations.size;
  const hasSteps = store.isOwner && !areStepsHidden(me?.id ?? "");
  return (
    <div className={css.page}>
      <span className={css.back}>
        <IconButton icon="back" label={t("back")} onPress={() => navigation.go("#/")} />
      </span>
      <div className={css.inner}>
        <Logo address={store.logo} name={store.instance || "Rookery"} large>
          <img src="icons/rook.svg" alt="" width={64} height={64} />
        </Logo>
        <h1 dir="auto">{t("hello", { name: me ? shownName(me) : "" })}</h1>
        <p className={css.soft}>{t(isNew ? "begin" : "pick")}</p>
        {hasSteps && <FirstSteps />}
        <div className={css.choices}>
          <Choice icon="compass" name="browse" run={() => browseRooms(app, navigation)} />
          {store.mayMakeRooms && <Choice icon="plus" name="newRoom" run={() => newRoom(app, navigation)} />}
          <Choice icon="chat" name="newMessage" run={() => findPerson(app, navigation)} />
        </div>
      </div>
    </div>
  );
}

function Choice({ icon, name, run }: { icon: string; name: "browse" | "newRoom" | "newMessage"; run: () => void }) {
  const t = useTexts(WELCOME);
  return (
    <button type="button" className={css.choice} onClick={run}>
      <Icon name={icon} size={24} />
      <span>
        <strong>{t(name)}</strong>
        <span className={css.soft}>{t(`${name}Text`)}</span>
      </span>
    </button>
  );
}
