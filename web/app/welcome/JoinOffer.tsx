/** A public room that the user is not in: what it is about, who is in it, and the way in. */
import { useEffect, useState } from "react";
import { useApp, useNavigation } from "../context.ts";
import type { PublicRoom, RoomSummary } from "../core/rest.ts";
import { Button, IconButton } from "../kit/index.ts";
import { pickRoom } from "../room/facts.ts";
import styles from "../room/Room.module.css";
import { ROOM } from "../room/texts.ts";
import { formatDate, useTexts } from "../texts.ts";

export function JoinOffer({ room }: { room: { id: string; name: string } }) {
  const t = useTexts(ROOM);
  const app = useApp();
  const navigation = useNavigation();
  const [isBusy, setBusy] = useState(false);
  const { about, listed } = usePreview(room);
  async function join() {
    setBusy(true);
    const joined = await app.attempt(() => app.directory.join(room.id));
    setBusy(false);
    if (joined) navigation.go(location.hash);
  }
  const facts = [
    listed?.members === undefined ? "" : t("members", { count: listed.members }),
    listed?.owner ? t("owner", { name: app.store.authorOf(listed.owner) }) : "",
    listed?.created ? t("made", { date: formatDate(listed.created, { dateStyle: "medium" }) }) : "",
  ].filter(Boolean);
  return (
    <div className={styles.offer}>
      <span className={styles.back}>
        <IconButton icon="back" label={t("back")} onPress={() => navigation.go("#/")} />
      </span>
      <h2 dir="auto">{room.name}</h2>
      {about?.topic && (
        <p className={styles.topic} dir="auto">
          {about.topic}
        </p>
      )}
      {about?.description && (
        <p className={styles.description} dir="auto">
          {about.description}
        </p>
      )}
      {facts.length > 0 && <p className={styles.facts}>{facts.join(" · ")}</p>}
      <p>{t("offer")}</p>
      <Button look="primary" isDisabled={isBusy} onPress={() => void join()} data-testid="join-offer">
        {t("join")}
      </Button>
    </div>
  );
}

/** What strangers may know of a public room. Without an answer the offer stands by itself. */
function usePreview({ id, name }: { id: string; name: string }) {
  const { api } = useApp();
  const [about, setAbout] = useState<RoomSummary | null>(null);
  const [listed, setListed] = useState<PublicRoom | null>(null);
  useEffect(() => {
    let isCurrent = true;
    api.get<RoomSummary>(`/api/rooms/${id}`).then((room) => isCurrent && setAbout(room), () => {});
    api
      .get<{ rooms: PublicRoom[] }>("/api/rooms", { public: 1, name })
      .then(({ rooms }) => isCurrent && setListed(pickRoom(rooms, id)), () => {});
    return () => {
      isCurrent = false;
    };
  }, [api, id, name]);
  return { about, listed };
}
