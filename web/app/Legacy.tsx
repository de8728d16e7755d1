/** Shows a view that builds its own elements, until a component takes its place. */
import { type ElementType, useLayoutEffect, useRef } from "react";
import "./legacy.css";

export interface LegacyView {
  element: Element;
  begin?(): void;
  end?(): void;
}

/**
 * `build` is called once for each `key`. `onMount` gets the view when it is in the document.
 */
export function Legacy<View extends LegacyView>(props: {
  build: () => View;
  as?: ElementType;
  className?: string;
  onMount?: (view: View) => void;
}) {
  const { build, as: Host = "div", className = "legacy", onMount } = props;
  const host = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const view = build();
    const box = host.current;
    box?.replaceChildren(view.element);
    view.begin?.();
    onMount?.(view);
    return () => {
      view.end?.();
      box?.replaceChildren();
    };
  }, []);
  return <Host ref={host} className={className} />;
}
