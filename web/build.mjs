/**
 * Builds the page: one script and one style sheet out of `static/`, and the service worker, into `built/`, each also
 * compressed.
 *
 *   node web/build.mjs           writes them
 *   node web/build.mjs --check   fails if they are not what `static/` gives
 *
 * The names of the script and the style sheet hold a hash of their content, so browsers may keep them for ever. That of
 * the service worker stays, as browsers know it by its address. The server serves `built/` only while
 * `built/sources.txt` is the hash of the sources (`services/common/page_files.py` computes the same), and otherwise the
 * sources.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";
import { build } from "esbuild-wasm";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const STATIC = join(HERE, "static");
const BUILT = join(HERE, "built");
const TARGET = "es2022";
/** How each coding is made, and read: another version of Node may compress to other bytes. */
const CODINGS = {
  br: [
    (/** @type {Buffer} */ content) =>
      brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }),
    brotliDecompressSync,
  ],
  gz: [(/** @type {Buffer} */ content) => gzipSync(content, { level: 9 }), gunzipSync],
};

const check = process.argv.includes("--check");
const wanted = await makeFiles();
const stale = check ? findStale(wanted) : [];
if (!check) write(wanted);
for (const name of stale) console.error(`web/built/${name} is not what web/static gives: run scripts/lint --fix`);
process.exitCode = stale.length ? 1 : 0;

/** The files of `built/` without the compressed ones: name → content. @returns {Promise<Map<string, Buffer>>} */
async function makeFiles() {
  const html = readFileSync(join(STATIC, "index.html"), "utf8");
  const styles = [...html.matchAll(/<link rel="stylesheet" href="([^"]+)"/g)].map((match) => match[1]);
  const script = await bundle({ entryPoints: [join(STATIC, "js/main.js")] }, "js");
  const style = await bundle(
    { stdin: { contents: styles.map((name) => `@import "./${name}";`).join("\n"), resolveDir: STATIC, loader: "css" } },
    "css",
  );
  const files = new Map([
    [nameOf(script, "js"), script],
    [nameOf(style, "css"), style],
  ]);
  files.set("sw.js", await bundle({ entryPoints: [join(STATIC, "sw.js")] }, "js"));
  files.set("index.html", Buffer.from(link(html, nameOf(script, "js"), nameOf(style, "css"))));
  files.set("sources.txt", Buffer.from(`${hashSources()}\n`));
  return files;
}

/** @param {object} options @param {string} kind @returns {Promise<Buffer>} */
async function bundle(options, kind) {
  const { outputFiles } = await build({
    ...options,
    bundle: true,
    format: "esm",
    target: TARGET,
    minify: true,
    write: false,
    outfile: `app.${kind}`,
    legalComments: "none",
    logLevel: "warning",
  });
  return Buffer.from(outputFiles[0].contents);
}

/** @param {Buffer} content @param {string} kind */
function nameOf(content, kind) {
  return `app-${createHash("sha256").update(content).digest("hex").slice(0, 16)}.${kind}`;
}

/** The page with the built files in place of the sources. @param {string} html @param {string} script @param {string} style */
function link(html, script, style) {
  const dropped = /^ *(<!--.*-->|<link rel="(stylesheet|modulepreload)".*|<script type="module".*)\n/gm;
  const links = `    <link rel="stylesheet" href="${style}" />\n    <script type="module" src="${script}"></script>\n`;
  return html.replace(dropped, "").replace("  </head>", `${links}  </head>`);
}

/** SHA-256 over the path and the content of each source, in the order of the paths. */
function hashSources() {
  const names = readdirSync(STATIC, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(STATIC, join(entry.parentPath ?? entry.path, entry.name)).replaceAll("\\", "/"))
    .filter((name) => /\.(html|css|js)$/.test(name))
    .sort();
  const hash = createHash("sha256");
  for (const name of names) {
    const content = readFileSync(join(STATIC, name));
    hash.update(`${name}\n${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

/** @param {Map<string, Buffer>} files */
function write(files) {
  rmSync(BUILT, { recursive: true, force: true });
  mkdirSync(BUILT);
  for (const [name, content] of files) {
    writeFileSync(join(BUILT, name), content);
    if (name === "sources.txt") continue;
    for (const [coding, [compress]] of Object.entries(CODINGS)) writeFileSync(join(BUILT, `${name}.${coding}`), compress(content));
  }
}

/** The names of files that are missing, different or superfluous. @param {Map<string, Buffer>} files */
function findStale(files) {
  const found = [];
  const expected = new Set();
  for (const [name, content] of files) {
    expected.add(name);
    if (!same(name, content, (read) => read)) found.push(name);
    if (name === "sources.txt") continue;
    for (const [coding, [, expand]] of Object.entries(CODINGS)) {
      expected.add(`${name}.${coding}`);
      if (!same(`${name}.${coding}`, content, expand)) found.push(`${name}.${coding}`);
    }
  }
  const there = existsSync(BUILT) ? readdirSync(BUILT) : [];
  return [...found, ...there.filter((name) => !expected.has(name))];
}

/** @param {string} name @param {Buffer} content @param {(read: Buffer) => Buffer} expand */
function same(name, content, expand) {
  try {
    return expand(readFileSync(join(BUILT, name))).equals(content);
  } catch {
    return false;
  }
}
