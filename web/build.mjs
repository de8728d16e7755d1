/**
 * Builds the page of `app/` into `static/`, which is what is served, each text also compressed. `scripts/web` runs it.
 *
 *   node web/build.mjs           writes `static/`
 *   node web/build.mjs --check   builds into another folder, and fails if `static/` has anything else
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";
import { build, mergeConfig } from "vite";
import page, { BUILT, WORKER } from "./vite.config.js";

/** How each coding is made, and read. Texts are compared, as another version of Node may compress to other bytes. */
const CODINGS = {
  br: [
    (/** @type {Buffer} */ content) =>
      brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }),
    brotliDecompressSync,
  ],
  gz: [(/** @type {Buffer} */ content) => gzipSync(content, { level: 9 }), gunzipSync],
};
/** What the service worker keeps: all files of a build by name, and those that the first screen needs. */
const MANIFEST = "assets.json";
const TEXT = /\.(html|css|js|svg|json|webmanifest)$/;
const CODED = /\.(br|gz)$/;
/** The files that a signed-in user needs beside those of the log-in (`vite.config.js`): styles, and script with its door. */
const CHAT = /^assets\/(chat|Shell)-[0-9a-f]{16}\.(js|css)$/;
/**
 * Bytes, by Brotli, that the first screen loads at most. What it does not need is loaded by `app/late.tsx`. The project
 * allows 180 KiB; this is what was reached, and 3 %: whoever needs more has to know.
 */
const FIRST_LOAD = 177 * 1024;

if (process.argv.includes("--check")) {
  const folder = mkdtempSync(join(tmpdir(), "rookery-page-"));
  try {
    await make(folder);
    const stale = findStale(folder);
    for (const name of stale) console.error(`web/static/${name} is not what web/app gives: run scripts/web`);
    const size = firstFiles(folder).reduce((sum, name) => sum + statSync(join(folder, `${name}.br`)).size, 0);
    console.log(`first load: ${(size / 1024).toFixed(1)} KiB by Brotli, of at most ${FIRST_LOAD / 1024}`);
    process.exitCode = stale.length || size > FIRST_LOAD ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
} else {
  await make(BUILT);
}

/** @param {string} folder */
async function make(folder) {
  const into = { build: { outDir: folder, emptyOutDir: true }, logLevel: /** @type {const} */ ("warn") };
  await build(mergeConfig(page, into));
  await build(mergeConfig(WORKER, { ...into, build: { outDir: folder, emptyOutDir: false } }));
  writeManifest(folder);
  for (const name of list(folder).filter((one) => TEXT.test(one))) {
    const content = readFileSync(join(folder, name));
    for (const [coding, [compress]] of Object.entries(CODINGS)) writeFileSync(join(folder, `${name}.${coding}`), compress(content));
  }
}

/** @param {string} folder */
function writeManifest(folder) {
  const html = readFileSync(join(folder, "index.html"), "utf8");
  // As `buildOfDocument` of `app/core/shell.ts`, which Node cannot import; a test compares them.
  const build = [...html.matchAll(/<script [^>]*src="\.\/assets\/([^"]+)"/g)].map((match) => match[1]).sort().join(" ");
  const files = list(folder).filter((name) => name.startsWith("assets/"));
  const first = firstFiles(folder).filter((name) => name.startsWith("assets/"));
  writeFileSync(join(folder, MANIFEST), `${JSON.stringify({ build, files, first }, null, 1)}\n`);
}

/**
 * What is loaded before a conversation is on the screen: the document, what it names, the chat, and what these import at
 * once.
 * @param {string} folder
 */
function firstFiles(folder) {
  const chat = list(folder).filter((name) => CHAT.test(name));
  if (chat.length !== 3) throw new Error(`the chat is to be loaded as three files, and is in ${chat.join(", ") || "none"}`);
  const todo = ["index.html", ...chat];
  const names = new Set(todo);
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const text = readFileSync(join(folder, name), "utf8");
    const found = name.endsWith(".html")
      ? [...text.matchAll(/"\.\/(assets\/[^"]+)"/g)].map((match) => match[1])
      : [...text.matchAll(/(?:from|^|[;}])\s*(?:import)?\s*"\.\/([\w-]+\.js)"/g)].map((match) => `assets/${match[1]}`);
    for (const one of found) {
      if (names.has(one)) continue;
      names.add(one);
      todo.push(one);
    }
  }
  return [...names].sort();
}

/** The paths of the files in a folder. @param {string} folder */
function list(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();
}

/** What is missing, different or superfluous in `static/`. @param {string} folder what it should be */
function findStale(folder) {
  const wanted = new Set(list(folder));
  const differing = [...wanted].filter((name) => {
    const [, expand] = CODINGS[/** @type {"br" | "gz"} */ (CODED.exec(name)?.[1])] ?? [null, (/** @type {Buffer} */ read) => read];
    try {
      return !expand(readFileSync(join(BUILT, name))).equals(expand(readFileSync(join(folder, name))));
    } catch {
      return true;
    }
  });
  return [...differing, ...list(BUILT).filter((name) => !wanted.has(name))];
}
