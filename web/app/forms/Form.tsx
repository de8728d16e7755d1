/** A form whose errors stand by the fields that they name, and the others above its button. */
import { createContext, type FormEvent, type ReactNode, useContext, useId, useRef, useState } from "react";
import { Icon } from "../kit/Icon.tsx";
import { useTexts } from "../texts.ts";
import { explainError } from "./errors.ts";
import css from "./Form.module.css";
import { STRENGTHS, strengthOf } from "./strength.ts";
import { FORMS } from "./texts.ts";

const Errors = createContext<Record<string, string>>({});
const GENERAL = "";

/** `submit` gets what stands in the fields, by their names. */
export function Form(props: {
  testid: string;
  verb: string;
  submit: (values: Record<string, string>) => Promise<unknown>;
  danger?: boolean;
  children: ReactNode;
  onError?: (error: unknown) => void;
}) {
  const t = useTexts(FORMS);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const element = useRef<HTMLFormElement>(null);

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    const form = element.current;
    if (!form || busy) return;
    const inputs = [...form.elements].filter((one): one is HTMLInputElement => one instanceof HTMLElement && "value" in one && "name" in one && Boolean(one.name));
    const missing = inputs.filter((one) => one.required && !one.value.trim());
    setErrors(Object.fromEntries(missing.map((one) => [one.name, t("needed")])));
    if (missing.length) return missing[0].focus();
    setBusy(true);
    try {
      await props.submit(Object.fromEntries(inputs.map((one) => [one.name, one.value])));
    } catch (error) {
      const { field, text } = explainError(error, t);
      const named = inputs.find((one) => one.name === field);
      setErrors({ [named ? named.name : GENERAL]: text });
      named?.focus();
      props.onError?.(error);
    } finally {
      setBusy(false);
    }
  }

  /** What was refused may be right now. */
  function onType({ target }: FormEvent) {
    const name = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement ? target.name : "";
    setErrors(({ [name]: _, [GENERAL]: __, ...others }) => others);
  }

  return (
    <form
      ref={element}
      className="form"
      noValidate
      data-testid={props.testid}
      onSubmit={(event) => void onSubmit(event)}
      onInput={onType}
    >
      <Errors value={errors}>{props.children}</Errors>
      <p className="form-error" role="alert">
        {errors[GENERAL]}
      </p>
      <button type="submit" className={`button ${props.danger ? "danger" : "primary"} wide`} aria-disabled={busy} data-testid="submit">
        {props.verb}
      </button>
    </form>
  );
}

interface FieldProps {
  label: string;
  name: string;
  hint?: string;
  type?: "text" | "email" | "password";
  autoComplete?: string;
  required?: boolean;
  defaultValue?: string;
  maxLength?: number;
  /** A handle: no capitals, no spelling. */
  plain?: boolean;
  testid?: string;
  onType?: (value: string) => void;
}

export function TextField({ label, name, hint, plain, testid = name, onType, type = "text", ...rest }: FieldProps) {
  return (
    <Labelled label={label} name={name} hint={hint}>
      {(ids) => (
        <input
          {...ids}
          {...rest}
          {...(plain && { autoCapitalize: "none", spellCheck: false })}
          name={name}
          type={type}
          dir="auto"
          className="input"
          data-testid={testid}
          onInput={(event) => onType?.(event.currentTarget.value)}
        />
      )}
    </Labelled>
  );
}

/** Some lines of text. */
export function WordsField(props: {
  label: string;
  name: string;
  hint?: string;
  required?: boolean;
  defaultValue?: string;
  autoFocus?: boolean;
}) {
  const { label, name, hint, ...rest } = props;
  return (
    <Labelled label={label} name={name} hint={hint}>
      {(ids) => <textarea {...ids} {...rest} name={name} rows={3} maxLength={500} dir="auto" className="input" data-testid={name} />}
    </Labelled>
  );
}

/** With `meter`, it says how strong the password is; `owner` is the name that must not be in it. */
export function PasswordField({ meter = false, owner = "", testid, ...field }: FieldProps & { meter?: boolean; owner?: string }) {
  const t = useTexts(FORMS);
  const [shown, setShown] = useState(false);
  const [typed, setTyped] = useState("");
  const strength = strengthOf(typed, owner);
  return (
    <Labelled label={field.label} name={field.name} hint={field.hint}>
      {(ids) => (
        <>
          <span className={css.password}>
            <input
              {...ids}
              name={field.name}
              type={shown ? "text" : "password"}
              autoComplete={field.autoComplete}
              required={field.required}
              className="input"
              data-testid={testid ?? field.name}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
            <button
              type="button"
              className={`icon-button ${css.eye}`}
              aria-pressed={shown}
              aria-label={t(shown ? "hide" : "show")}
              title={t(shown ? "hide" : "show")}
              data-testid="show-password"
              onClick={() => setShown(!shown)}
            >
              <Icon name={shown ? "hide" : "show"} />
            </button>
          </span>
          {meter && typed && (
            <span className={css.meter} data-strength={strength} data-testid="strength">
              <meter min={0} max={STRENGTHS.length} value={STRENGTHS.indexOf(strength) + 1} aria-label={t("strength")} />
              <span role="status">{t(strength)}</span>
            </span>
          )}
        </>
      )}
    </Labelled>
  );
}

interface Ids {
  id: string;
  "aria-describedby": string;
  "aria-invalid": true | undefined;
}

function Labelled({ label, name, hint, children }: { label: string; name: string; hint?: string; children: (ids: Ids) => ReactNode }) {
  const id = useId();
  const error = useContext(Errors)[name];
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": described, "aria-invalid": error ? true : undefined })}
      {hint && (
        <p className="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <p className="field-error" id={`${id}-error`} role="alert">
        {error}
      </p>
    </div>
  );
}
