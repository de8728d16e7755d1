/** A public room that the user is not in: what it is about, who is in it, and the way in. */
import { useEffect, useState } from "react";
import { useApp, useNavigation } from "../context.ts";
import type { RoomDetails } from "../core/rest.ts";
import { Button, IconButton } from "../kit/index.ts";
import styles from "../room/Room.module.css";
import { ROOM } from "../room/texts.ts";
import { formatDate, useTexts } from "../texts.ts";

export function JoinOffer({ room }: { room: { id: string; name: string } }) {
  const t = useTexts(ROOM);
  const app = useApp();
  const navigation = useNavigation();
  const [isBusy, setBusy] = useState(false);
  const about = usePreview(room.id);
  async function join() {
    setBusy(true);
    const joined = await app.attempt(() => app.directory.join(room.id));
    setBusy(false);
    if (joined) navigation.go(location.hash);
  }
  const facts = [
    about?.members === undefined ? "" : t("members", { count: about.members }),
    about?.owner ? t("owner", { name: app.store.authorOf(about.owner) }) : "",
    about?.created ? t("made", { date: formatDate(about.created, { dateStyle: "medium" }) }) : "",
  ].filter(Boolean);
  return (
    <div className={styles.offer}>
      <span className={styles.back}>
        <IconButton icon="back" label={t("back")} onPress={() => navigation.go("#/")} />
      </span>
      <h1 dir="auto">{room.name}</h1>
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
function usePreview(id: string): RoomDetails | null {
  const { api } = useApp();
  const [about, setAbout] = useState<RoomDetails | null>(null);
  useEffect(() => {
    let isCurrent = true;
    api.get<RoomDetails>(`/api/rooms/${id}`).then((room) => isCurrent && setAbout(room), () => {});
    return () => {
      isCurrent = false;
    };
  }, [api, id]);
  return about;
}
