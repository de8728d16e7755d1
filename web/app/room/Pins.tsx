/** The pinned messages of a room, in its panel. */
import { useEffect, useState } from "react";
import { useApp, useWatch } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import type { HistoryMessage, Person } from "../../types/wire.d.ts";
import { HitCard } from "../hits/HitCard.tsx";
import pages from "../hits/Page.module.css";
import { troubleOf } from "../hits/place.ts";
import { HITS } from "../hits/texts.ts";
import { EmptyState, ErrorState, Skeleton } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import { ROOM } from "./texts.ts";

interface Pinned {
  message: HistoryMessage;
  by: Person;
  at: string;
}

export function Pins({ conversation }: { conversation: Conversation }) {
  const t = useTexts(ROOM);
  const say = useTexts(HITS);
  const { pins, trouble, load } = usePins(conversation);
  if (trouble) return <ErrorState text={say(trouble)} onRetry={load} />;
  if (!pins) return <Skeleton lines={4} />;
  return (
    <>
      {!pins.length && <EmptyState icon="pin" title={t("noPins")} text={t(conversation.keeper ? "howToPin" : "whoPins")} />}
      <ul className={pages.list} data-testid="pin-list">
        {pins.map((pin) => (
          <li key={pin.message.seq}>
            <HitCard item={pin.message} head={<PinnedBy by={pin.by} />} testid="pin" />
          </li>
        ))}
      </ul>
    </>
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
