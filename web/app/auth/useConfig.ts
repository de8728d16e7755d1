/** What the server says to everybody: its name and its logo, and who may make an account. */
import { useEffect, useState } from "react";
import { useApp } from "../context.ts";
import { request } from "../core/api.ts";
import type { Config } from "../core/rest.ts";

/** Null until it is known. */
export function useConfig(): Config | null {
  const app = useApp();
  const [config, setConfig] = useState<Config | null>(null);
  useEffect(() => {
    let over = false;
    request<Config>(app.api.fetch, "GET", "/api/config").then(
      (found) => !over && setConfig(found),
      () => {}, // the page works with what is usual
    );
    return () => {
      over = true;
    };
  }, [app]);
  return config;
}
