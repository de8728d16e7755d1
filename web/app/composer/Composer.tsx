/**
 * Where one writes. Enter sends, Shift+Enter begins a line, Escape cancels, Up edits the last message. With a keyboard on
 * the screen Enter begins a line, and the button sends.
 */
import { useCallback, useEffect, useId, useRef, useState, useSyncExternalStore } from "react";
import type { ClipboardEvent, KeyboardEvent } from "react";
import { Button } from "react-aria-components";
import { useWatch } from "../context.ts";
import { composes, sends } from "../core/keys.ts";
import { useLanguage, useTexts } from "../texts.ts";
import { useRecents } from "../emoji/useRecents.ts";
import { useExcerpt } from "../markdown/Excerpt.tsx";
import { Completions } from "./Completions.tsx";
import { applyEdit } from "./applyEdit.ts";
import { continueLine, dropTypedMark, format, formatOf, insertFence, pasteLink, type Format, type Selected } from "./format.ts";
import { Icon } from "./Icon.tsx";
import { countLeft } from "./limit.ts";
import type { ComposerModel } from "./model.ts";
import { looksLikeCode } from "./paste.ts";
import { COMPOSER } from "./texts.ts";
import { Preview } from "./Preview.tsx";
import { Tools } from "./Tools.tsx";
import { useTypingAnywhere } from "./useTypingAnywhere.ts";
import { useCompletion, type Completed } from "./useCompletion.ts";

import styles from "./Composer.module.css";

/** Characters of the text that is answered. */
const ANSWERED = 80;

/** Whether fingers are the way to point, so that the keyboard is on the screen. */
function byTouch(): boolean {
  return globalThis.matchMedia?.("(hover: none) and (pointer: coarse)").matches ?? false;
}

export function Composer({ model }: { readonly model: ComposerModel }) {
  const { conversation } = model;
  const t = useTexts(COMPOSER);
  useWatch("rooms", `timeline:${conversation.key}`);
  if (!conversation.writable)
    return (
      <div className={styles.area}>
        <p className={styles.readOnly}>
          {t("readOnly")} {t(conversation.defaultRole === "reader" ? "announcements" : "madeReader")}
        </p>
      </div>
    );
  return (
    <div className={styles.area}>
      <Writing model={model} />
    </div>
  );
}

function Writing({ model }: { readonly model: ComposerModel }) {
  const { app, conversation } = model;
  const t = useTexts(COMPOSER);
  const language = useLanguage();
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const { text, mode, focus } = useSyncExternalStore(
    useCallback((run) => model.watch(run), [model]),
    () => model.state,
  );
  const recents = useRecents(app);
  const completion = useCompletion(app, conversation, recents, language);
  const [preview, setPreview] = useState(false);
  /** Where code stands that was pasted just now. */
  const [pasted, setPasted] = useState<{ from: number; code: string } | null>(null);
  /** Where the text of a line begins that goes on with a list or a quotation. */
  const continued = useRef<number | null>(null);
  const left = countLeft(text);
  const { found } = completion;
  useTypingAnywhere(field);

  useEffect(() => {
    if (!focus) return;
    const { current } = field;
    current?.focus();
    current?.setSelectionRange(current.value.length, current.value.length);
  }, [focus]);

  /** Change the text as if it were typed, so that the browser's own undo takes it back. */
  const change = (next: Selected) => {
    if (field.current) applyEdit(field.current, next, (value) => model.type(value));
  };
  const replace = ({ text: next, caret }: Completed) => change({ text: next, start: caret, end: caret });
  const selected = (): Selected => {
    const { value = text, selectionStart = 0, selectionEnd = 0 } = field.current ?? {};
    return { text: value, start: selectionStart, end: selectionEnd };
  };
  const apply = (kind: Format) => change(format(selected(), kind));
  const insert = (put: string) => {
    const { text: before, start, end } = selected();
    const caret = start + put.length;
    change({ text: before.slice(0, start) + put + before.slice(end), start: caret, end: caret });
  };
  const submit = () => {
    if (!model.submit()) return;
    completion.close();
    setPreview(false);
    setPasted(null);
    continued.current = null;
  };

  const onChange = (value: string, caret: number, isComposed: boolean) => {
    model.type(value);
    setPasted(null);
    const at = continued.current;
    const single = at === null || isComposed ? null : dropTypedMark({ text: value, start: caret, end: caret }, at);
    if (single) return change(single);
    void completion.look(value, caret, replace);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (composes(event.nativeEvent)) return;
    if (event.ctrlKey || event.metaKey) {
      const kind = event.altKey ? null : formatOf(event);
      if (kind) {
        event.preventDefault();
        apply(kind);
        return;
      }
    }
    if (keyOfList(event) || keyOfMode(event)) event.preventDefault();
    else if (sends(event.nativeEvent, byTouch())) {
      event.preventDefault();
      submit();
    } else if (event.key === "Enter") {
      const next = continueLine(selected());
      if (!next) return;
      event.preventDefault();
      change(next);
      continued.current = next.start;
    }
  };
  /** Keys of the list of completions, while it is there. */
  const keyOfList = (event: KeyboardEvent): boolean => {
    if (!found) return false;
    if (event.key === "ArrowDown") return completion.move(1);
    if (event.key === "ArrowUp") return completion.move(-1);
    if (event.key === "Escape") {
      completion.close();
      return true;
    }
    if ((event.key !== "Enter" && event.key !== "Tab") || event.shiftKey || found.chosen < 0) return false;
    const { text: now, start } = selected();
    const completed = completion.take(now, start);
    if (completed) replace(completed);
    return completed !== null;
  };
  const keyOfMode = (event: KeyboardEvent): boolean => {
    if (event.key === "Escape" && preview) setPreview(false);
    else if (event.key === "Escape" && mode.kind !== "new") model.cancel();
    else return event.key === "ArrowUp" && !text && mode.kind === "new" && model.editLast();
    return true;
  };
  const onPaste = (event: ClipboardEvent) => {
    const code = event.clipboardData.getData("text/plain").replaceAll("\r\n", "\n");
    const before = selected();
    const link = pasteLink(before, code);
    if (link) {
      event.preventDefault();
      change(link);
    } else if (looksLikeCode(code)) {
      // The browser pastes as ever; the offer stands until the text is changed again.
      const from = before.start;
      setTimeout(() => field.current?.value.startsWith(code, from) && setPasted({ from, code }));
    }
  };
  const fence = () => {
    if (!pasted) return;
    const end = pasted.from + pasted.code.length;
    change(insertFence({ text, start: pasted.from, end }, pasted.code));
    setPasted(null);
  };

  const placeholder = t("message", { name: conversation.name });
  return (
    <form
      className={styles.composer}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className={styles.box}>
        {found && found.begun.kind !== "shortcode" && (
          <Completions
            id={`${id}-list`}
            kind={found.begun.kind}
            options={found.options}
            chosen={found.chosen}
            onTake={(option) => {
              const { text: now, start } = selected();
              const completed = completion.take(now, start, option);
              if (completed) replace(completed);
            }}
          />
        )}
        <Context model={model} />
        {pasted && (
          <div className={styles.offer} role="status">
            <span>{t("codeOffer")}</span>
            <Button className={styles.offerButton} onPress={fence} data-testid="make-code">
              {t("makeCode")}
            </Button>
          </div>
        )}
        {preview && (
          <div className={styles.preview} role="region" aria-label={t("preview")} data-testid="preview">
            <Preview app={app} conversation={conversation} text={text} />
          </div>
        )}
        <div className={styles.grow} data-text={text} hidden={preview}>
          <textarea
            ref={field}
            className={styles.input}
            rows={1}
            dir="auto"
            value={text}
            enterKeyHint={byTouch() ? "enter" : "send"}
            placeholder={placeholder}
            aria-label={placeholder}
            aria-autocomplete="list"
            aria-haspopup="listbox"
            aria-controls={`${id}-list`}
            aria-activedescendant={found && found.chosen >= 0 ? `${id}-list-${found.chosen}` : undefined}
            aria-describedby={left === null ? undefined : `${id}-left`}
            data-testid="composer"
            onChange={({ target, nativeEvent }) => {
              onChange(target.value, target.selectionStart, nativeEvent instanceof InputEvent && nativeEvent.isComposing);
            }}
            onKeyDown={onKeyDown}
            onPaste={onPaste}
            onBlur={completion.close}
          />
        </div>
        <div className={styles.line}>
          <Tools onFormat={apply} onEmoji={insert} recents={recents} preview={preview} onPreview={setPreview} canPreview={Boolean(text.trim())} />
          {left !== null && (
            <span id={`${id}-left`} className={left < 0 ? styles.over : styles.left} role={left < 0 ? "alert" : undefined} data-testid="left">
              {left < 0 ? t("tooLong", { count: -left }) : t("left", { count: left })}
            </span>
          )}
          <button type="submit" className={text.trim() ? styles.ready : styles.send} aria-label={t("send")} title={t("send")} data-testid="send">
            <Icon name="send" />
          </button>
        </div>
      </div>
    </form>
  );
}

/** What is answered or edited, above the field. */
function Context({ model }: { readonly model: ComposerModel }) {
  const t = useTexts(COMPOSER);
  const { mode } = model.state;
  const quoted = mode.kind === "new" ? null : (model.quoted() ?? mode.entry);
  const words = useExcerpt(quoted?.text ?? null, ANSWERED);
  if (!quoted) return null;
  const what = quoted.text === null ? t("withdrawn") : words;
  return (
    <div className={styles.context} data-testid="context">
      <span className={`context-text ${styles.contextText}`} dir="auto">
        {mode.kind === "edit" ? t("editing") : t("reply", { name: model.app.store.authorOf(quoted.sender), text: what })}
      </span>
      <Button className={styles.cancel} aria-label={t("cancel")} onPress={() => model.cancel()}>
        <Icon name="close" />
      </Button>
    </div>
  );
}
