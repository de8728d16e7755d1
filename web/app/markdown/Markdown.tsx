/** A message's Markdown on the screen. Elements are made by React alone: no text is ever parsed as HTML. */
import { Fragment, memo, useMemo, type KeyboardEvent, type ReactNode } from "react";
import { routeTo } from "../core/route.ts";
import { CodeBlock } from "./CodeBlock.tsx";
import { divide, type Names, type Part } from "./divide.ts";
import styles from "./markdown.module.css";
import { parseMarkdown, type Align, type Block, type Inline } from "./tree.ts";

interface Props {
  text: string;
  names: Names;
  /** The reader: mentions of this user stand out. */
  me: string;
  /** Opens the card of a user who is mentioned; without it, mentions are plain. `at` is what was pressed. */
  onMeet?: (user: string, at: Element) => void;
  /** Whether Tab reaches the mentions. */
  stop?: boolean;
}

export const Markdown = memo(function Markdown({ text, names, me, onMeet, stop = false }: Props) {
  const blocks = useMemo(() => parseMarkdown(text), [text]);
  return <>{drawBlocks(blocks, { names, me, onMeet, stop, inLink: false })}</>;
});

interface Around extends Omit<Props, "text"> {
  inLink: boolean;
}

function drawBlocks(blocks: Block[], around: Around): ReactNode {
  return blocks.map((block, index) => <Fragment key={index}>{drawBlock(block, around)}</Fragment>);
}

function drawBlock(block: Block, around: Around): ReactNode {
  switch (block.kind) {
    case "paragraph":
      return <p className={styles.paragraph}>{drawInlines(block.children, around)}</p>;
    case "heading":
      return (
        <p className={block.level < 3 ? styles.heading : styles.subheading} role="heading" aria-level={block.level + 1}>
          {drawInlines(block.children, around)}
        </p>
      );
    case "quote":
      return <blockquote className={styles.quotation}>{drawBlocks(block.children, around)}</blockquote>;
    case "list":
      return drawList(block, around);
    case "code":
      return <CodeBlock text={block.text} language={block.language} />;
    case "table":
      return drawTable(block, around);
    case "rule":
      return <hr className={styles.rule} />;
  }
}

function drawList({ start, items }: Extract<Block, { kind: "list" }>, around: Around): ReactNode {
  const children = items.map((blocks, index) => <li key={index}>{drawBlocks(blocks, around)}</li>);
  if (start === null) return <ul className={styles.list}>{children}</ul>;
  return (
    <ol className={styles.list} start={start}>
      {children}
    </ol>
  );
}

const ALIGNS: Record<Align, string | undefined> = {
  none: undefined,
  left: undefined,
  center: styles.center,
  right: styles.right,
};

function drawTable({ align, head, rows }: Extract<Block, { kind: "table" }>, around: Around): ReactNode {
  const of = (index: number) => ALIGNS[align[index] ?? "none"];
  return (
    <div className={styles.tableBox} tabIndex={0} role="group">
      <table className={styles.table}>
        <thead>
          <tr>
            {head.map((cell, index) => (
              <th key={index} className={of(index)} scope="col">
                {drawInlines(cell, around)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, index) => (
                <td key={index} className={of(index)}>
                  {drawInlines(cell, around)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function drawInlines(inlines: Inline[], around: Around): ReactNode {
  return inlines.map((inline, index) => <Fragment key={index}>{drawInline(inline, around)}</Fragment>);
}

function drawInline(inline: Inline, around: Around): ReactNode {
  switch (inline.kind) {
    case "text":
      return divide(inline.text, around.names).map((part, index) => (
        <Fragment key={index}>{drawPart(part, around)}</Fragment>
      ));
    case "code":
      return <code>{inline.text}</code>;
    case "strong":
      return <strong>{drawInlines(inline.children, around)}</strong>;
    case "emphasis":
      return <em>{drawInlines(inline.children, around)}</em>;
    case "strike":
      return <s>{drawInlines(inline.children, around)}</s>;
    case "link":
      if (around.inLink) return drawInlines(inline.children, around);
      return <Out href={inline.href}>{drawInlines(inline.children, { ...around, inLink: true })}</Out>;
  }
}

/** A link that leads out of the page. Its address shows, as its text may say anything. */
function Out({ href, children }: { href: string; children: ReactNode }) {
  return (
    <a href={href} title={href} rel="noopener noreferrer nofollow" target="_blank">
      {children}
    </a>
  );
}

/** A press on it opens the person's card. No `button`: its text is chosen and copied with the text around it, and breaks as that does. */
function Mention({ part, around }: { part: Extract<Part, { kind: "mention" }>; around: Around }) {
  const { me, onMeet, stop, inLink } = around;
  const className = part.user === me ? "mention me" : "mention";
  if (inLink || !onMeet || !part.user) return <span className={className}>{part.text}</span>;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault(); // a space scrolls
    onMeet(part.user, event.currentTarget);
  };
  return (
    <span
      className={className}
      role="button"
      aria-haspopup="dialog"
      tabIndex={stop ? 0 : -1}
      onClick={(event) => onMeet(part.user, event.currentTarget)}
      onKeyDown={onKeyDown}
    >
      {part.text}
    </span>
  );
}

function drawPart(part: Part, around: Around): ReactNode {
  const { inLink } = around;
  switch (part.kind) {
    case "text":
      return part.text;
    case "code":
      return <code>{part.text}</code>;
    case "link":
      return inLink ? part.text : <Out href={part.href}>{part.text}</Out>;
    case "mention":
      return <Mention part={part} around={around} />;
    case "room":
      return inLink ? part.text : <a href={routeTo("room", part.room)}>{part.text}</a>;
  }
}
