/**
 * How Vite makes the page in `static/` out of `app/`.
 *
 * Rule 1: every address is relative, as the page may be served under a path.
 * Rule 2: the name of a script or a style sheet holds a hash of its content, 16 hexadecimal digits, by which the server
 * knows what browsers may keep for ever (`services/common/page_files.py`). Files of `app/public/` keep their names.
 * Rule 3: nothing is put into the document or into a data: address, so the Content-Security-Policy needs no exception.
 */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export const SOURCES = fileURLToPath(new URL("app", import.meta.url));
export const BUILT = fileURLToPath(new URL("static", import.meta.url));
export const TARGET = "es2022";

const NAMES = { chunk: "assets/[name]-[hash:16].js", other: "assets/[name]-[hash:16][extname]" };

export default defineConfig({
  root: SOURCES,
  base: "./", // rule 1
  configFile: false,
  build: {
    outDir: BUILT,
    emptyOutDir: true,
    target: TARGET,
    assetsInlineLimit: 0, // rule 3
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      // rule 2
      output: {
        hashCharacters: "hex",
        entryFileNames: NAMES.chunk,
        chunkFileNames: NAMES.chunk,
        assetFileNames: NAMES.other,
      },
    },
  },
});

/** The service worker: one script without imports, as old browsers know only such, at an address that stays. */
export const WORKER = defineConfig({
  root: SOURCES,
  publicDir: false,
  configFile: false,
  build: {
    outDir: BUILT,
    emptyOutDir: false,
    target: TARGET,
    reportCompressedSize: false,
    rollupOptions: {
      input: fileURLToPath(new URL("app/sw.js", import.meta.url)),
      output: { format: "iife", entryFileNames: "sw.js" },
    },
  },
});
