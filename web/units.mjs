/**
 * Runs the unit tests of the page's modules, `tests/web/*.test.mjs`: by Node's own test runner, which reads JavaScript
 * alone, so Vite makes it out of them first. `scripts/web --units` runs it; its arguments are the names of tests, or all.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TESTS = join(ROOT, "tests/web");

const wanted = process.argv.slice(2);
const names = readdirSync(TESTS).filter((name) => name.endsWith(".test.mjs"));
const chosen = wanted.length ? names.filter((name) => wanted.includes(name.replace(".test.mjs", ""))) : names;
if (!chosen.length) throw new Error(`there is no such test: ${wanted.join(", ")}`);

const folder = mkdtempSync(join(tmpdir(), "rookery-units-"));
try {
  await make(folder);
  const files = chosen.map((name) => join(folder, name));
  const ran = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], { stdio: "inherit" });
  process.exitCode = ran.status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @param {string} outDir */
async function make(outDir) {
  await build({
    root: ROOT,
    configFile: false,
    publicDir: false,
    logLevel: "warn",
    ssr: { noExternal: true },
    build: {
      ssr: true,
      outDir,
      emptyOutDir: true,
      target: "node20",
      sourcemap: "inline",
      rollupOptions: { input: chosen.map((name) => join(TESTS, name)), output: { entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" } },
    },
  });
}
