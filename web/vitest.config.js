/** The unit tests of the page: those of `core/` without a document, those of components with one. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const WEB = fileURLToPath(new URL(".", import.meta.url));
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The packages of `web/` for the tests, which are outside of it. @returns {import("vite").Plugin} */
function findPackages() {
  return {
    name: "rookery:packages",
    enforce: "pre",
    async resolveId(id, importer) {
      if (!importer || importer.startsWith(WEB) || !/^[@a-z]/.test(id) || id.startsWith("node:")) return null;
      return this.resolve(id, `${WEB}index.js`, { skipSelf: true });
    },
  };
}

/** @param {string} name @param {string} include @param {object} rest */
const project = (name, include, rest) => ({
  plugins: [findPackages()],
  root: ROOT,
  // Bounds for a test that hangs, which a machine at many times its usual load still keeps.
  test: { name, include: [include], testTimeout: 120_000, hookTimeout: 120_000, ...rest },
});

export default defineConfig({
  test: {
    pool: "threads",
    maxWorkers: 2,
    projects: [
      project("core", "tests/web/**/*.test.{mjs,ts}", { environment: "node" }),
      project("components", "tests/web/**/*.test.tsx", {
        environment: "jsdom",
        setupFiles: [`${ROOT}tests/web/rendered.mjs`, `${ROOT}tests/web/components.ts`],
      }),
    ],
  },
});
