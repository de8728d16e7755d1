/**
 * Notes the names of the components that tests render, and adds them to the file that `ROOKERY_RENDERED` names, for
 * `test_modules.py`. React tells its developer tools of each commit; they have to be there before React is.
 */
import { appendFileSync } from "node:fs";
import { afterAll } from "vitest";

const file = process.env["ROOKERY_RENDERED"];
const names = new Set();

/** From a node of React's tree on; `type` of a component is its function, or a wrapper such as that of `memo`. */
function note(first) {
  for (let fiber = first; fiber; fiber = fiber.sibling) {
    const component = fiber.type?.type ?? fiber.type;
    if (typeof component === "function") names.add(component.name);
    note(fiber.child);
  }
}

if (file) {
  const tools = {
    supportsFiber: true,
    inject: () => 1,
    onCommitFiberRoot: (_, root) => note(root.current),
    onCommitFiberUnmount() {},
    onPostCommitFiberRoot() {},
    checkDCE() {},
  };
  Reflect.defineProperty(globalThis, "__REACT_DEVTOOLS_GLOBAL_HOOK__", { value: tools });
  afterAll(() => appendFileSync(file, [...names, ""].join("\n")));
}
