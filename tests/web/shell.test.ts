/** What the service worker keeps of the page, so that it opens without a connection. */
import { describe, expect, test } from "vitest";
import { buildOf, buildOfDocument, cacheOf, kindOf, lockOf, namedFiles, surplusCaches } from "../../web/app/core/shell.ts";

const SCOPE = "https://chat.example/team/";
const kind = (path: string, rest = {}) => kindOf({ method: "GET", mode: "no-cors", url: SCOPE + path, ...rest }, SCOPE);

describe("a request is answered from what was kept", () => {
  test("when its name has a hash, or is an icon", () => {
    expect(kind("assets/index-0123456789abcdef.js", { mode: "cors" })).toBe("asset");
    expect(kind("assets/Gallery-0123456789abcdef.css")).toBe("asset");
    expect(kind("icons/rook.svg")).toBe("asset");
  });

  test("and never when it is one of the API, of another kind, or elsewhere", () => {
    expect(kind("api/rooms")).toBe("other");
    expect(kind("sw.js")).toBe("other");
    expect(kind("manifest.webmanifest")).toBe("other");
    expect(kind("assets/index.js")).toBe("other");
    expect(kind("assets/index-0123456789abcdef.js", { method: "POST" })).toBe("other");
    expect(kindOf({ method: "GET", mode: "navigate", url: "https://chat.example/" }, SCOPE)).toBe("other");
  });

  test("and the document only for the page's own address", () => {
    expect(kind("", { mode: "navigate" })).toBe("document");
    expect(kind("?source=home", { mode: "navigate" })).toBe("document");
    expect(kind("api/docs", { mode: "navigate" })).toBe("other");
  });
});

test("the files of a document are those that it names", () => {
  const html = `<link rel="icon" href="./icons/rook.svg" /><link rel="manifest" href="./manifest.webmanifest" />
    <script type="module" crossorigin src="./assets/index-0123456789abcdef.js"></script>`;
  expect(namedFiles(html)).toEqual(["icons/rook.svg", "assets/index-0123456789abcdef.js"]);
});

describe("a build is named by the scripts of its document", () => {
  const scripts = ["assets/page-0123456789abcdef.js", "assets/runtime-fedcba9876543210.js"];
  const html = `<script type="module" crossorigin src="./${scripts[0]}"></script><link href="./assets/page-0123456789abcdef.css">
    <link rel="modulepreload" href="./assets/Menu-1111111111111111.js"><script type="module" src="./${scripts[1]}"></script>`;

  test("whether read from the document, or from a window, in any order", () => {
    const build = "page-0123456789abcdef.js runtime-fedcba9876543210.js";
    expect(buildOfDocument(html)).toBe(build);
    expect(buildOf(scripts.map((name) => SCOPE + name).reverse())).toBe(build);
    expect(buildOf(["https://chat.example/team/sw.js", ""])).toBe("");
  });

  test("its files go when it is not the newest, and no window shows it", () => {
    const caches = ["rookery.page", cacheOf("a.js"), cacheOf("b.js"), cacheOf("c.js"), "other"];
    expect(surplusCaches(caches, "c.js", [lockOf("a.js"), "rookery.tab/1"])).toEqual([cacheOf("b.js")]);
    expect(surplusCaches(caches, "c.js", [])).toEqual([cacheOf("a.js"), cacheOf("b.js")]);
  });
});
