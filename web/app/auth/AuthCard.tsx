/** The card in the middle of the page while nobody is signed in. */
import { type ReactNode, useEffect, useRef } from "react";
import type { Config } from "../core/rest.ts";
import { Logo } from "../kit/Logo.tsx";
import { Rook } from "../kit/Rook.tsx";
import { loadShell } from "../shell/load.ts";
import { chooseLanguage, type Language, LANGUAGES, useLanguage, useTexts } from "../texts.ts";
import css from "./Auth.module.css";
import { AUTH } from "./texts.ts";

/** `config`: what the server says of itself, null until it is known. */
export function AuthCard({ children, config, testid }: { children: ReactNode; config: Config | null; testid?: string }) {
  const t = useTexts(AUTH);
  const language = useLanguage();
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => card.current?.querySelector("input")?.focus(), []);
  return (
    <main className="auth">
      <div className="auth-card" ref={card} data-testid={testid} onInput={readyShell}>
        <Logo address={config?.logo} name={config?.name ?? "Rookery"} large>
          <Rook className="auth-logo" />
        </Logo>
        {children}
        <p className={css.languages} role="group" aria-label={t("language")}>
          {Object.entries(LANGUAGES).map(([code, name]) => (
            <button
              key={code}
              type="button"
              className="link-button"
              lang={code}
              aria-pressed={code === language}
              onClick={() => chooseLanguage(code as Language)}
            >
              {name}
            </button>
          ))}
        </p>
      </div>
    </main>
  );
}

/** Who types here is going to need it. What fails now is loaded when it is shown. */
function readyShell(): void {
  loadShell().catch(() => {});
}
