/** Asks for what a decision needs: a reason, and for how long somebody is blocked. */
import { useState } from "react";
import type { Case, Verdict } from "../core/rest.ts";
import { Form, WordsField } from "../forms/Form.tsx";
import { Dialog, Select } from "../kit/index.ts";
import { useTexts } from "../texts.ts";
import css from "./Moderation.module.css";
import { MODERATION } from "./texts.ts";
import { type Length, LENGTHS } from "./words.ts";

export interface Decision {
  verdict: Verdict;
  reason?: string;
  seconds?: number | null;
}

/** @param decide may throw what the form then shows; about one case or several */
export function DecisionDialog(props: {
  cases: readonly Case[];
  verdict: "remove" | "block";
  nameOf: (one: Case) => string;
  decide: (decision: Decision) => Promise<void>;
  onClose: () => void;
}) {
  const { cases, verdict, nameOf, decide, onClose } = props;
  const t = useTexts(MODERATION);
  const [length, setLength] = useState<Length>("day");
  const [one] = cases;
  const isOne = cases.length === 1;
  const name = one.user.name ? nameOf(one) : t("theSender");
  const about = one.kind === "blocked";
  const block = verdict === "block";
  const count = block ? new Set(cases.map(({ user }) => user.id)).size : cases.length;
  const title = isOne ? t(block ? "blockTitle" : "removeTitle", { name }) : t(block ? "blockSome" : "removeSome", { count });
  const effect = !block ? "removeText" : !isOne ? "blockTextSome" : about ? "blockText" : "blockTextToo";
  const readers = !block || !isOne ? "readBySeers" : about ? "readByName" : "readByBoth";
  return (
    <Dialog title={title} onClose={onClose} testid="decision-dialog">
      <div className={css.dialog}>
        <p>{t(effect, { name })}</p>
        <Form
          testid="decision-form"
          verb={t(block ? "blockVerb" : "removeVerb")}
          danger={block}
          submit={async ({ reason }) => {
            await decide({ verdict, reason: reason.trim(), seconds: block ? LENGTHS[length] : null });
            onClose();
          }}
        >
          {block && (
            <Select
              label={t("howLong")}
              options={(Object.keys(LENGTHS) as Length[]).map((value) => ({ value, text: t(value) }))}
              value={length}
              onChange={setLength}
              testid="block-length"
            />
          )}
          <WordsField
            label={t("reason")}
            name="reason"
            hint={t(readers, { name })}
            defaultValue={isOne ? (about ? one.reason : (one.rule && one.reason) || "") : ""}
            autoFocus
          />
        </Form>
      </div>
    </Dialog>
  );
}
