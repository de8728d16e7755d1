/** A link that brings others here, and into a room of one's own. */
import { useEffect, useRef, useState } from "react";
import { useApp, useWatch } from "../context.ts";
import { linkTo } from "../core/invitations.ts";
import { Button, Dialog, EmptyState, Field, Select, Skeleton } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import { WELCOME } from "./texts.ts";
import css from "./Welcome.module.css";

export function InviteTeam({ onClose }: { onClose: () => void }) {
  const t = useTexts(WELCOME);
  const rooms = useWatch("rooms").list("room").filter((room) => room.keeper);
  const [chosen, setChosen] = useState("");
  const room = rooms.find(({ id }) => id === chosen) ?? rooms[0];
  return (
    <Dialog title={t("inviteTitle")} onClose={onClose} testid="invite-team">
      {room ? (
        <div className={css.invite}>
          {rooms.length > 1 && (
            <Select
              label={t("inviteWhere")}
              options={rooms.map(({ id, name }) => ({ value: id, text: name }))}
              value={room.id}
              onChange={setChosen}
            />
          )}
          <p>{t("inviteHow", { room: room.name })}</p>
          <TeamLink key={room.id} roomKey={room.key} />
        </div>
      ) : (
        <EmptyState icon="hash" title={t("inviteNoRoom")} />
      )}
    </Dialog>
  );
}

function TeamLink({ roomKey }: { roomKey: string }) {
  const app = useApp();
  const t = useTexts(WELCOME);
  const [link, setLink] = useState("");
  const [isCopied, setCopied] = useState(false);
  const asked = useRef(false);
  useEffect(() => {
    const room = app.store.get(roomKey);
    if (!room || asked.current) return;
    asked.current = true; // each call makes another invitation
    void app.attempt(async () => setLink(linkTo(await app.directory.invite(room), location)));
  }, [app, roomKey]);
  if (!link) return <Skeleton lines={1} />;
  const copy = async () => {
    await navigator.clipboard?.writeText(link).then(() => setCopied(true), () => {});
  };
  return (
    <div className={css.link}>
      <Field label={t("link")} value={link} isReadOnly testid="team-link" onFocus={(event) => (event.target as HTMLInputElement).select()} />
      <Button look="primary" icon="link" onPress={() => void copy()}>
        {t(isCopied ? "copied" : "copy")}
      </Button>
    </div>
  );
}
