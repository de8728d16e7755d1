/**
 * A message's Markdown as a tree of plain objects. Nothing here makes HTML, and nothing in a text can become HTML.
 *
 * Rule 1: the grammar is CommonMark with tables and strikethrough, without what surprises in a chat: raw HTML, images,
 *   definitions of links, indented code, underlined headings, character references, backslashes that break lines.
 * Rule 2: code is what the server reads as code (`findCode`), since code mentions nobody: a span stays on one line, a
 *   fence that is never closed is text, and so is whatever else CommonMark alone calls code.
 * Rule 3: a link leads to http, https or mailto; any other one stays the text that was written.
 * Rule 4: the time is bounded. A text with very much markup, or longer than any message, is shown as it was written.
 */
import { parse, postprocess, preprocess } from "micromark";
import { gfmAutolinkLiteral } from "micromark-extension-gfm-autolink-literal";
import { gfmStrikethrough } from "micromark-extension-gfm-strikethrough";
import { gfmTable } from "micromark-extension-gfm-table";
import type { Event, Extension, Token } from "micromark-util-types";
import { findCode, type Code } from "../core/code.ts";
import { isHeavy } from "./heavy.ts";
import { mentionName } from "./mentionName.ts";
import { safeHref } from "./safeHref.ts";

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "strong" | "emphasis" | "strike"; children: Inline[] }
  | { kind: "link"; href: string; children: Inline[] };
export type Align = "left" | "right" | "center" | "none";
export type Block =
  | { kind: "paragraph"; children: Inline[] }
  | { kind: "heading"; level: number; children: Inline[] }
  | { kind: "quote"; children: Block[] }
  | { kind: "list"; start: number | null; items: Block[][] }
  | { kind: "code"; text: string; language: string }
  | { kind: "table"; align: Align[]; head: Inline[][]; rows: Inline[][][] }
  | { kind: "rule" };

const DEEPEST = 12;
const MOST_LINKS = 100;

const WITHOUT: Extension = {
  disable: {
    null: [
      "htmlFlow",
      "htmlText",
      "labelStartImage",
      "definition",
      "codeIndented",
      "setextUnderline",
      "characterReference",
      "hardBreakEscape",
    ],
  },
}; // rule 1

const EXTENSIONS = [WITHOUT, gfmStrikethrough({ singleTilde: false }), gfmTable(), gfmAutolinkLiteral(), mentionName];

/** The blocks of a text. */
export function parseMarkdown(text: string): Block[] {
  if (isHeavy(text)) return plain(text); // rule 4
  const chunks = preprocess()(text, undefined, true);
  const events = postprocess(parse({ extensions: EXTENSIONS }).document().write(chunks));
  return new TreeBuilder(findCode(text)).build(events);
}

function plain(text: string): Block[] {
  return text.trim() ? [{ kind: "paragraph", children: [{ kind: "text", text }] }] : [];
}

/** Where what comes next belongs: among blocks, or within a line. */
type Place = { blocks: Block[] } | { inlines: Inline[] };

class TreeBuilder {
  readonly #root: Block[] = [];
  #places: Place[] = [{ blocks: this.#root }];
  #links = 0;
  #code: { text: string; language: string; fences: number; opening: string; source: string } | null = null;
  /** The text of a code span, while one is read. */
  #span: { text: string } | null = null;
  /** Where a link goes, while one is read. */
  #destinations: string[] = [];
  /** While the inside of a token is read that says nothing by itself. */
  #silent = 0;

  readonly #codes: readonly Code[];

  /** @param codes all code of the text, as the server reads it */
  constructor(codes: readonly Code[]) {
    this.#codes = codes;
  }

  build(events: Event[]): Block[] {
    for (const [step, token, context] of events) {
      const source = () => context.sliceSerialize(token);
      if (step === "enter") this.#enter(token, source);
      else this.#exit(token, source);
    }
    return this.#root;
  }

  #enter(token: Token, source: () => string): void {
    switch (token.type) {
      case "paragraph":
        return this.#open((children) => ({ kind: "paragraph", children }));
      case "atxHeading":
        return this.#open((children) => ({ kind: "heading", level: 1, children }));
      case "blockQuote":
        return this.#openBlocks((children) => ({ kind: "quote", children }));
      case "listOrdered":
      case "listUnordered":
        return this.#openList(token.type === "listOrdered");
      case "listItemPrefix":
        return this.#openItem();
      case "codeFenced":
        this.#code = { text: "", language: "", fences: 0, opening: "", source: source() };
        return;
      case "table":
        return this.#openTable(token);
      case "tableRow":
        return this.#openRow();
      case "tableHeader":
      case "tableData":
        return this.#openCell();
      case "tableDelimiterRow":
      case "resource":
        this.#silent += 1;
        return;
      case "strong":
        return this.#openInline((children) => ({ kind: "strong", children }));
      case "emphasis":
        return this.#openInline((children) => ({ kind: "emphasis", children }));
      case "strikethrough":
        return this.#openInline((children) => ({ kind: "strike", children }));
      case "link":
        this.#destinations.push("");
        return this.#openInline((children) => ({ kind: "link", href: "", children }));
      case "codeText":
        this.#span = { text: "" };
        return;
      case "autolink":
        return this.#autolink(source());
    }
  }

  #exit(token: Token, source: () => string): void {
    switch (token.type) {
      case "paragraph":
      case "atxHeading":
      case "blockQuote":
      case "tableHeader":
      case "tableData":
      case "strong":
      case "emphasis":
      case "strikethrough":
        this.#places.pop();
        return;
      case "listOrdered":
      case "listUnordered":
        this.#places.pop();
        this.#lists.pop();
        return;
      case "listItemValue":
        return this.#number(Number(source()));
      case "atxHeadingSequence":
        return this.#level(source().length);
      case "thematicBreak":
        this.#add({ kind: "rule" });
        return;
      case "codeFencedFenceInfo":
        if (this.#code) this.#code.language = source();
        return;
      case "codeFencedFence":
        if (this.#code && ++this.#code.fences === 1) this.#code.opening = source();
        return;
      case "codeFlowValue":
        if (this.#code) this.#code.text += source();
        return;
      case "codeFenced":
        return this.#closeCode(token);
      case "tableDelimiterRow":
      case "resource":
        this.#silent -= 1;
        return;
      case "resourceDestinationString":
        this.#destinations[this.#destinations.length - 1] = unescape(source());
        return;
      case "link":
        return this.#closeLink(source());
      case "codeTextData":
        if (this.#span) this.#span.text += source();
        return;
      case "codeText":
        return this.#closeSpan(token, source());
      case "lineEnding":
        return this.#newLine();
      case "data":
      case "characterEscapeValue":
      case "literalAutolink":
      case "mentionName":
      case "linePrefix":
        this.#say(source());
    }
  }

  get #place(): Place {
    return this.#places[this.#places.length - 1] as Place;
  }

  #add(block: Block): void {
    if ("blocks" in this.#place) this.#place.blocks.push(block);
  }

  #open(make: (children: Inline[]) => Block): void {
    const children: Inline[] = [];
    this.#add(make(children));
    this.#places.push({ inlines: children });
  }

  /** Too deep quotations stand in the one around them. */
  #openBlocks(make: (children: Block[]) => Block): void {
    if (this.#places.length > DEEPEST) return void this.#places.push(this.#place);
    const blocks: Block[] = [];
    this.#add(make(blocks));
    this.#places.push({ blocks });
  }

  #openInline(make: (children: Inline[]) => Inline): void {
    const place = this.#place;
    if (!("inlines" in place) || this.#places.length > 2 * DEEPEST) return void this.#places.push(place);
    const inlines: Inline[] = [];
    place.inlines.push(make(inlines));
    this.#places.push({ inlines });
  }

  #lists: (Extract<Block, { kind: "list" }> | null)[] = [];

  #openList(ordered: boolean): void {
    if (this.#places.length > DEEPEST) {
      this.#lists.push(null);
      return void this.#places.push(this.#place);
    }
    const list: Block = { kind: "list", start: ordered ? 1 : null, items: [] };
    this.#add(list);
    this.#lists.push(list);
    this.#places.push({ blocks: [] });
  }

  #openItem(): void {
    const list = this.#lists[this.#lists.length - 1];
    if (!list) return;
    const blocks: Block[] = [];
    list.items.push(blocks);
    this.#places[this.#places.length - 1] = { blocks };
  }

  #number(value: number): void {
    const list = this.#lists[this.#lists.length - 1];
    if (list && list.start !== null && list.items.length === 1) list.start = value;
  }

  #level(hashes: number): void {
    const outer = this.#places[this.#places.length - 2];
    const heading = outer && "blocks" in outer ? outer.blocks[outer.blocks.length - 1] : undefined;
    if (heading?.kind === "heading" && !heading.children.length) heading.level = hashes;
  }

  #table: Extract<Block, { kind: "table" }> | null = null;
  #row: Inline[][] = [];

  #openTable(token: Token): void {
    this.#table = { kind: "table", align: token._align ?? [], head: [], rows: [] };
    this.#add(this.#table);
  }

  #openRow(): void {
    if (!this.#table) return;
    this.#row = [];
    if (this.#table.head.length) this.#table.rows.push(this.#row);
    else this.#table.head = this.#row;
  }

  #openCell(): void {
    const inlines: Inline[] = [];
    this.#row.push(inlines);
    this.#places.push({ inlines });
  }

  #closeCode(token: Token): void {
    const code = this.#code;
    this.#code = null;
    if (!code) return;
    const text = code.text.replace(/^\n/, "");
    if (code.fences > 1 && this.#isCode(token))
      this.#add({ kind: "code", text: text.replace(/\n$/, ""), language: languageOf(code.language) });
    else if (code.fences > 1) this.#add({ kind: "paragraph", children: [{ kind: "text", text: code.source }] }); // rule 2
    else this.#add({ kind: "paragraph", children: [{ kind: "text", text: `${code.opening}${code.text}` }] }); // rule 2
  }

  #closeSpan(token: Token, source: string): void {
    const span = this.#span;
    this.#span = null;
    if (!span) return;
    if (span.text.includes("\n") || !this.#isCode(token)) this.#say(source); // rule 2
    else if ("inlines" in this.#place) this.#place.inlines.push({ kind: "code", text: span.text });
  }

  /** Whether the server reads this as code. */
  #isCode({ start, end }: Token): boolean {
    return this.#codes.some((code) => code.start <= start.offset && end.offset <= code.end);
  }

  #closeLink(source: string): void {
    const href = safeHref(this.#destinations.pop() ?? "");
    this.#places.pop();
    const { inlines = [] } = this.#place as { inlines?: Inline[] };
    const link = inlines[inlines.length - 1];
    if (link?.kind !== "link") return;
    if (href && ++this.#links <= MOST_LINKS) link.href = href;
    else {
      inlines.pop();
      this.#say(source); // rule 3
    }
  }

  #autolink(source: string): void {
    const text = source.slice(1, -1);
    const href = safeHref(/^[^:/]+@/.test(text) ? `mailto:${text}` : text);
    if (!("inlines" in this.#place)) return;
    if (href && ++this.#links <= MOST_LINKS)
      this.#place.inlines.push({ kind: "link", href, children: [{ kind: "text", text }] });
    else this.#say(source); // rule 3
  }

  #newLine(): void {
    if (this.#code) this.#code.text += "\n";
    else if (this.#span) this.#span.text += "\n";
    else this.#say("\n");
  }

  /** Texts that follow each other become one, so that names and addresses are found across them. */
  #say(text: string): void {
    const place = this.#place;
    if (this.#silent || this.#span || this.#code || !("inlines" in place)) return;
    const last = place.inlines[place.inlines.length - 1];
    if (last?.kind === "text") last.text += text;
    else place.inlines.push({ kind: "text", text });
  }
}

function languageOf(info: string): string {
  return unescape(info).toLowerCase().slice(0, 32);
}

function unescape(text: string): string {
  return text.replace(/\\([!-/:-@[-`{-~])/g, "$1");
}
