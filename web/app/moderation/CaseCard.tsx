/** One case of the review queue: what was said, where, why it is here, and what may be done. */
import { useState } from "react";
import { useApp } from "../context.ts";
import type { Case, Verdict } from "../core/rest.ts";
import { routeTo } from "../core/route.ts";
import { Avatar, Button } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import { CaseContext } from "./CaseContext.tsx";
import css from "./Moderation.module.css";
import { When } from "./Records.tsx";
import { MODERATION } from "./texts.ts";
import { choicesFor, kindOf, outcomeOf, whereOf, whysOf, withoutText } from "./words.ts";

/** `onSelect` is there where several can be decided at once. */
export function CaseCard(props: {
  one: Case;
  isSelected: boolean;
  onSelect?: (on: boolean) => void;
  onDecide: (verdict: Verdict) => void;
}) {
  const { one, isSelected, onSelect, onDecide } = props;
  const { moderation, store } = useApp();
  const t = useTexts(MODERATION);
  const name = one.user.name ? store.authorOf(one.user) : t("deletedAccount");
  const kind = kindOf(one, t);
  const about = `${kind}: ${name}`;
  const outcome = outcomeOf(one, moderation, t);
  return (
    <li className={css.case} tabIndex={-1} data-testid="case" data-id={one.id} data-selected={isSelected || undefined}>
      <header className={css.caseHead}>
        {onSelect && (
          <label className={css.check}>
            <input
              type="checkbox"
              checked={isSelected}
              aria-label={t("select", { about })}
              data-testid="select-case"
              onChange={(event) => onSelect(event.currentTarget.checked)}
            />
          </label>
        )}
        <Avatar id={one.user.id} name={name} size="small" />
        <strong dir="auto">{name}</strong>
        <span className={css.soft} dir="auto">
          {whereOf(one, moderation, t)}
        </span>
        <span className={css.tag}>{kind}</span>
        <span className={css.soft}>
          <When ts={one.opened} />
        </span>
      </header>
      {one.text === null ? (
        <p className={css.gone}>{withoutText(one, t)}</p>
      ) : (
        <blockquote className={css.text} dir="auto" data-testid="case-text">
          {one.text}
        </blockquote>
      )}
      <Place one={one} />
      <ul className={css.whys}>
        {whysOf(one, moderation, t).map(([what, said], index) => (
          <li key={index}>
            <strong>{said ? `${what}: ` : what}</strong>
            <span dir="auto">{said}</span>
          </li>
        ))}
      </ul>
      {outcome && (
        <p data-testid="outcome">
          <strong>{outcome}</strong>
          {one.decided && (
            <>
              {" · "}
              <When ts={one.decided} />
            </>
          )}
        </p>
      )}
      <div className={css.actions} role="group" aria-label={t("decideAbout", { about })}>
        {choicesFor(one).map(({ verdict, key }) => (
          <Button
            key={verdict}
            look={verdict === "block" ? "danger" : "normal"}
            onPress={() => onDecide(verdict)}
            data-testid={`decide-${verdict}`}
          >
            {t(key)}
          </Button>
        ))}
      </div>
    </li>
  );
}

/** What stands around the message, and the way there for who is in its conversation. */
function Place({ one }: { one: Case }) {
  const { store } = useApp();
  const t = useTexts(MODERATION);
  const [isOpen, setOpen] = useState(false);
  if (!one.seq || !one.room) return null;
  const mine = store.get(`room:${one.room}`);
  return (
    <>
      <div className={css.place}>
        <Button look="quiet" aria-expanded={isOpen} onPress={() => setOpen(!isOpen)} data-testid="case-context">
          {t(isOpen ? "contextHide" : "context")}
        </Button>
        {mine && <a href={routeTo("room", one.room, one.seq)}>{t("goThere")}</a>}
      </div>
      {isOpen && <CaseContext one={one} />}
    </>
  );
}
