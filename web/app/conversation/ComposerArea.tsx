/** The field in which one writes. */
import { type Ref, useImperativeHandle, useLayoutEffect, useRef, useState } from "react";
import { Composer } from "../composer/Composer.tsx";
import { ComposerModel } from "../composer/model.ts";
import { useApp } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Entry } from "../core/timeline.ts";

export interface ComposerHandle {
  reply(entry: Entry): void;
  edit(entry: Entry): void;
  focus(): void;
  /** Write the mention of a user at the end of what is typed. */
  mention(name: string): void;
  /** What is typed and not sent. */
  readonly text: string;
}

interface Props {
  readonly ref: Ref<ComposerHandle>;
  readonly conversation: Conversation;
  readonly onSent: () => void;
  readonly lastOwn: () => Entry | null;
}

export function ComposerArea({ ref, conversation, onSent, lastOwn }: Props) {
  const app = useApp();
  const latest = useRef({ onSent, lastOwn });
  useLayoutEffect(() => {
    latest.current = { onSent, lastOwn };
  });
  const [model] = useState(
    () =>
      new ComposerModel(app, conversation, {
        sent: () => latest.current.onSent(),
        lastOwn: () => latest.current.lastOwn(),
      }),
  );
  useImperativeHandle(
    ref,
    () => ({
      reply: (entry) => model.reply(entry),
      edit: (entry) => model.edit(entry),
      focus: () => model.focus(),
      mention: (name) => model.mention(name),
      get text() {
        return model.state.text;
      },
    }),
    [model],
  );
  useLayoutEffect(() => () => model.end(), [model]);
  return <Composer model={model} />;
}
