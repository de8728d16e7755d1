/** The page of public rooms: found by words of their names, looked at before joining, and joined. */
import { useEffect, useMemo, useReducer, useState } from "react";
import { useApp, useNavigation, useWatch } from "../context.ts";
import { Pages } from "../core/pages.ts";
import { routeTo } from "../core/route.ts";
import type { ListedRoom } from "../core/rest.ts";
import pages from "../hits/Page.module.css";
import { PageTitle } from "../hits/PageTitle.tsx";
import { Button, EmptyState, ErrorState, Field, Icon, Skeleton } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import { aboutRoom } from "./about.ts";
import { newRoom } from "./open.tsx";
import styles from "./Rooms.module.css";
import { ROOMS } from "./texts.ts";

const WAIT_MS = 200;

export default function RoomsPage() {
  const app = useApp();
  const navigation = useNavigation();
  const t = useTexts(ROOMS);
  const [name, setName] = useState("");
  const wanted = name.trim();
  const found = useRooms(wanted);
  const make = () => newRoom(app, navigation);
  const { mayMakeRooms } = useWatch("instance");
  const isEmpty = !found.items.length && !found.loading && !found.error;
  return (
    <div className={pages.page}>
      <div className={pages.inner}>
        <div className={pages.top}>
          <PageTitle text={t("browse")} />
          {mayMakeRooms && (
            <Button icon="plus" onPress={make}>
              {t("newTitle")}
            </Button>
          )}
        </div>
        <Field
          label={t("find")}
          isBare
          type="search"
          autoComplete="off"
          placeholder={t("start")}
          value={name}
          onChange={setName}
          testid="room-search"
        />
        {found.error && <ErrorState text={found.error} onRetry={() => void found.start()} />}
        {found.loading && !found.items.length && <Skeleton lines={6} />}
        {isEmpty && wanted && <EmptyState icon="search" title={t("none")} />}
        {isEmpty && !wanted && (
          <EmptyState
            icon="hash"
            title={t("empty")}
            text={mayMakeRooms ? t("emptyText") : undefined}
            action={
              mayMakeRooms && (
                <Button look="primary" onPress={make}>
                  {t("newTitle")}
                </Button>
              )
            }
          />
        )}
        <ul className={pages.list} data-testid="public-rooms" aria-busy={found.loading}>
          {found.items.map((room) => (
            <Line key={room.id} room={room} />
          ))}
        </ul>
        {found.more && !found.loading && (
          <Button onPress={() => void found.next()} data-testid="more-rooms">
            {t("more")}
          </Button>
        )}
      </div>
    </div>
  );
}

function Line({ room }: { room: ListedRoom }) {
  const app = useApp();
  const navigation = useNavigation();
  const t = useTexts(ROOMS);
  const store = useWatch("rooms");
  const [isBusy, setBusy] = useState(false);
  const { id, name, topic } = room;
  const isMine = store.get(`room:${id}`) !== null;
  async function open() {
    setBusy(true);
    if (isMine || (await app.attempt(() => app.directory.join(id)))) navigation.openConversation("room", id);
    setBusy(false);
  }
  return (
    <li className={styles.line}>
      <span className={styles.mark}>
        <Icon name="hash" />
      </span>
      <div className={styles.text}>
        <a className={styles.name} href={routeTo("room", id)} dir="auto" title={t("preview", { name })}>
          {name}
        </a>
        {topic && (
          <span className={styles.topic} dir="auto">
            {topic}
          </span>
        )}
        <span className={styles.about} dir="auto" data-testid="room-about">
          {aboutRoom(room, t)}
        </span>
        {room.alike && (
          <span className={styles.alike}>
            <Icon name="alert" size={14} /> {t("alike")}
          </span>
        )}
      </div>
      <Button
        look={isMine ? "normal" : "primary"}
        isDisabled={isBusy}
        aria-label={t(isMine ? "openRoom" : "joinRoom", { name })}
        onPress={() => void open()}
      >
        {t(isMine ? "open" : "join")}
      </Button>
    </li>
  );
}

/** Public rooms with these words in their names, page by page. */
function useRooms(wanted: string): Pages<ListedRoom> {
  const { directory } = useApp();
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const name = useMemo(() => ({ wanted }), []);
  const found = useMemo(
    () => new Pages<ListedRoom>((last) => directory.publicRooms(name.wanted, last), (room) => room.id, draw),
    [directory, name],
  );
  useEffect(() => {
    name.wanted = wanted;
    const timer = setTimeout(() => void found.start(), wanted ? WAIT_MS : 0);
    return () => clearTimeout(timer);
  }, [found, name, wanted]);
  return found;
}
