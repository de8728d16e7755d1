/** The side panel of a room that lists its pinned messages. */
import { useEffect, useState } from "react";
import { useApp, useNavigation, useWatch } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import type { HistoryMessage, Person } from "../../types/wire.d.ts";
import { HitCard } from "../hits/HitCard.tsx";
import pages from "../hits/Page.module.css";
import { troubleOf } from "../hits/place.ts";
import { HITS } from "../hits/texts.ts";
import { ErrorState, IconButton, Skeleton } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import { ROOM } from "./texts.ts";

interface Pinned {
  message: HistoryMessage;
  by: Person;
  at: string;
}

export function PinsPanel({ conversation }: { conversation: Conversation }) {
  const t = useTexts(ROOM);
  const say = useTexts(HITS);
  const navigation = useNavigation();
  const { pins, trouble, load } = usePins(conversation);
  return (
    <aside className="panel" aria-label={t("pins")}>
      <header className="panel-head">
        <h2>{t("pins")}</h2>
        <IconButton icon="close" label={t("close")} autoFocus onPress={() => navigation.closePanel()} />
      </header>
      <div className="panel-scroll">
        {trouble && <ErrorState text={say(trouble)} onRetry={load} />}
        {!trouble && !pins && <Skeleton lines={4} />}
        {pins?.length === 0 && (
          <p className="panel-note" role="status">
            {t("noPins")}
          </p>
        )}
        <ul className={pages.list} data-testid="pin-list">
          {pins?.map((pin) => (
            <li key={pin.message.seq}>
              <HitCard item={pin.message} head={<PinnedBy by={pin.by} />} testid="pin" />
            </li>
          ))}
        </ul>
      </div>
    </aside>
  );
}

function PinnedBy({ by }: { by: Person }) {
  const t = useTexts(ROOM);
  const { store } = useApp();
  return (
    <span className={pages.kind} dir="auto">
      {by.name ? t("pinnedBy", { name: store.authorOf(by) }) : t("pinned")}
    </span>
  );
}

/** The pins of a room, read anew when one comes or goes. */
function usePins(conversation: Conversation) {
  const { api } = useApp();
  const topic = `pins:${conversation.key}`;
  const version = useWatch(topic).version(topic);
  const [again, setAgain] = useState(0);
  const [pins, setPins] = useState<Pinned[] | null>(null);
  const [trouble, setTrouble] = useState<ReturnType<typeof troubleOf> | null>(null);
  useEffect(() => {
    let isCurrent = true;
    api.get<{ pins: Pinned[] }>(`/api/rooms/${conversation.id}/pins`).then(
      (answer) => {
        if (!isCurrent) return;
        setPins(answer.pins);
        setTrouble(null);
      },
      (error: unknown) => isCurrent && setTrouble(troubleOf(error)),
    );
    return () => {
      isCurrent = false;
    };
  }, [api, conversation.id, version, again]);
  return { pins, trouble, load: () => setAgain(again + 1) };
}
