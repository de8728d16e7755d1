/** Asks in the card before something is done about a person. */
import { useState } from "react";
import { useApp } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { Button, Field, Select } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import { type CardAction, type Length, LENGTHS } from "./card.ts";
import type { Who } from "./open.tsx";
import css from "./PersonCard.module.css";
import { PEOPLE } from "./texts.ts";
import type { FoundPerson } from "./usePerson.ts";

export type Asked = Exclude<CardAction, "mention">;

const WORDS = {
  block: ["blockTitle", "blockText", "block"],
  kick: ["kickTitle", "kickText", "kickVerb"],
  ban: ["banTitle", "banText", "banVerb"],
  instanceBlock: ["instanceTitle", "instanceText", "block"],
} as const;

export function Ask(props: {
  asked: Asked;
  user: Who;
  name: string;
  room: Conversation | null;
  person: FoundPerson;
  /** `isOver`: what the card was opened for is done. */
  onAnswer: (isOver: boolean) => void;
}) {
  const { asked, user, name, room, person, onAnswer } = props;
  const app = useApp();
  const t = useTexts(PEOPLE);
  const [reason, setReason] = useState("");
  const [length, setLength] = useState<Length>("week");
  const [isBusy, setBusy] = useState(false);
  const [title, text, verb] = WORDS[asked];

  const run = async () => {
    switch (asked) {
      case "block":
        return person.block();
      case "instanceBlock":
        await app.moderation.block(user.id, reason.trim(), LENGTHS[length] || null);
        return app.notice(t("instanceDone", { name }));
      default:
        if (!room) return;
        await app.directory[asked](room, user.id);
        app.notice(t("removed", { name, room: room.name }));
    }
  };
  const carryOut = async () => {
    setBusy(true);
    const isDone = await app.attempt(run);
    setBusy(false);
    onAnswer(isDone && asked !== "block");
  };
  return (
    <div className={css.card}>
      <h2 className={css.name}>{t(title, { name })}</h2>
      <p className={css.text}>{t(text)}</p>
      {asked === "instanceBlock" && (
        <>
          <Field label={t("reason")} value={reason} onChange={setReason} maxLength={500} testid="block-reason" />
          <Select
            label={t("how")}
            options={(Object.keys(LENGTHS) as Length[]).map((value) => ({ value, text: t(value) }))}
            value={length}
            onChange={setLength}
          />
        </>
      )}
      <div className={css.answers}>
        <Button onPress={() => onAnswer(false)}>{t("cancel")}</Button>
        <Button look="danger" autoFocus isPending={isBusy} data-testid="confirm" onPress={() => void carryOut()}>
          {t(verb)}
        </Button>
      </div>
    </div>
  );
}
