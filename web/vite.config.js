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
import { parseTexts } from "./parseTexts.mjs";

export const SOURCES = fileURLToPath(new URL("app", import.meta.url));
export const BUILT = fileURLToPath(new URL("static", import.meta.url));
export const TARGET = "es2022";

const NAMES = { chunk: "assets/[name]-[hash:16].js", other: "assets/[name]-[hash:16][extname]" };

/** React Aria says a few words itself, in 34 languages: those that the page does not know are left out. @returns {import("vite").Plugin} */
function leaveLanguagesOut() {
  const other = /react-(?:aria|stately)[^?]*\/intl\/[^/]+\/(?!en-US|ru-RU)[a-z]{2}-[A-Z]{2}\.m?js$/;
  return { name: "rookery:languages", load: (id) => (other.test(id) ? "export default {}" : null) };
}

export default defineConfig({
  root: SOURCES,
  base: "./", // rule 1
  configFile: false,
  plugins: [leaveLanguagesOut(), parseTexts()],
  build: {
    outDir: BUILT,
    emptyOutDir: true,
    target: TARGET,
    assetsInlineLimit: 0, // rule 3
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000, // KiB, as they are; `build.mjs` limits the first load by Brotli
    rollupOptions: {
      // rule 2
      output: {
        hashCharacters: "hex",
        entryFileNames: NAMES.chunk,
        chunkFileNames: NAMES.chunk,
        assetFileNames: NAMES.other,
        // What is needed at once is one file for the log-in, and one more for the chat: forty small ones cost a phone more
        // round trips, and compress worse.
        codeSplitting: {
          groups: [
            { name: "page", tags: ["$initial"] },
            { name: "chat", test: /\/app\/shell\/Shell\.tsx$/ }, // and what it imports, but what the page has
          ],
        },
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
