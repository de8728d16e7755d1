/** Dialogs by which anyone reaches the moderators of the instance: a report, and appeals. */
import type { ReactNode } from "react";
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Entry } from "../core/timeline.ts";
import { Form, WordsField } from "../forms/Form.tsx";
import { Dialog, showOverlay } from "../kit/index.ts";
import { Excerpt } from "../markdown/Excerpt.tsx";
import { say, useTexts } from "../texts.ts";
import css from "./Moderation.module.css";
import { REPORT } from "./texts.ts";

type Key = keyof (typeof REPORT)["texts"];

/** What differs between them. `send` may throw what the form then shows. */
interface Words {
  testid: string;
  title: Key;
  text: Key;
  label: Key;
  field: "reason" | "text";
  verb: Key;
  done: Key;
  values?: Record<string, string>;
  cited?: ReactNode;
  send: (words: string) => Promise<unknown>;
}

export function showReport(app: App, conversation: Conversation, entry: Entry): void {
  const name = app.store.authorOf(entry.sender);
  show(app, {
    testid: "report",
    title: "reportTitle",
    text: "reportText",
    label: "reportWhy",
    field: "reason",
    verb: "reportVerb",
    done: "reportDone",
    values: { name },
    cited: (
      <blockquote className={css.cited}>
        <strong dir="auto">{name}</strong>
        <span dir="auto">
          <Excerpt text={entry.text ?? ""} length={200} />
        </span>
      </blockquote>
    ),
    send: (reason) => app.moderation.report(conversation, entry.seq ?? 0, reason),
  });
}

export function showAppeal(app: App, conversation: Conversation, entry: Entry): void {
  show(app, {
    testid: "appeal",
    title: "appealTitle",
    text: "appealText",
    label: "appealWhy",
    field: "text",
    verb: "send",
    done: "appealDone",
    send: (text) => app.moderation.appeal(conversation, entry.seq ?? 0, text),
  });
}

export function showBlockAppeal(app: App, account: { name: string; password: string }): void {
  show(app, {
    testid: "block-appeal",
    title: "blockTitle",
    text: "blockText",
    label: "blockWhy",
    field: "text",
    verb: "send",
    done: "blockDone",
    send: (text) => app.moderation.appealBlock({ ...account, text }),
  });
}

function show(app: App, words: Words): void {
  showOverlay((close) => <ReachDialog app={app} words={words} onClose={close} />);
}

function ReachDialog({ app, words, onClose }: { app: App; words: Words; onClose: () => void }) {
  const t = useTexts(REPORT);
  const { testid, field } = words;
  return (
    <Dialog title={t(words.title)} onClose={onClose} testid={`${testid}-dialog`}>
      <div className={css.dialog}>
        {words.cited}
        <p>{t(words.text, words.values)}</p>
        <Form
          testid={`${testid}-form`}
          verb={t(words.verb)}
          submit={async (values) => {
            await words.send(values[field].trim());
            onClose();
            app.notice(say(REPORT, words.done));
          }}
        >
          <WordsField label={t(words.label)} name={field} required autoFocus />
        </Form>
      </div>
    </Dialog>
  );
}
