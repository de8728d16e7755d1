/** What one fills in: a text with its name, hint and error; a password that can be shown; a switch; one of several. */
import { useId, useState, type ReactNode } from "react";
import {
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Radio,
  RadioGroup,
  Select as AriaSelect,
  SelectValue,
  Button as AriaButton,
  Switch as AriaSwitch,
  Text,
  TextArea,
  TextField,
  type TextFieldProps,
} from "react-aria-components";
import { useTexts } from "../texts.ts";
import { ClosesSelect } from "./ClosesAround.tsx";
import { IconButton } from "./IconButton.tsx";
import { Icon } from "./Icon.tsx";
import styles from "./Field.module.css";
import { KIT } from "./texts.ts";

export interface FieldProps extends Omit<TextFieldProps, "className" | "style" | "children"> {
  label: string;
  hint?: string;
  /** What is wrong with what is in it. */
  error?: string | null;
  placeholder?: string;
  /** Rows, for more than a line. */
  rows?: number;
  /** Whether its name is for screen readers alone, as what is around it says it. */
  isBare?: boolean;
  testid?: string;
}

export function Field({ label, hint, error, placeholder, rows, isBare = false, testid, ...rest }: FieldProps) {
  const t = useTexts(KIT);
  const [shown, setShown] = useState(false);
  const secret = rest.type === "password";
  return (
    <TextField
      {...rest}
      type={secret && shown ? "text" : rest.type}
      isInvalid={Boolean(error)}
      // An error is told, and never keeps the browser from sending the form: whoever sends it again is judged anew.
      validationBehavior="aria"
      className={styles.field}
    >
      <Label className={isBare ? "visually-hidden" : styles.label}>{label}</Label>
      <div className={styles.row}>
        {rows ? (
          <TextArea className={styles.input} rows={rows} placeholder={placeholder} data-testid={testid} />
        ) : (
          <Input className={styles.input} placeholder={placeholder} data-testid={testid} dir="auto" />
        )}
        {secret && (
          <IconButton icon={shown ? "hide" : "show"} label={t(shown ? "hide" : "show")} onPress={() => setShown(!shown)} />
        )}
      </div>
      {hint && (
        <Text slot="description" className={styles.hint}>
          {hint}
        </Text>
      )}
      <FieldError className={styles.error}>{error}</FieldError>
    </TextField>
  );
}

export function Switch(props: {
  isOn: boolean;
  onChange: (on: boolean) => void;
  children: string;
  hint?: string;
  isDisabled?: boolean;
  testid?: string;
}) {
  const { isOn, onChange, children, hint, isDisabled, testid } = props;
  return (
    <AriaSwitch isSelected={isOn} onChange={onChange} isDisabled={isDisabled} className={styles.switch} data-testid={testid}>
      <span className={styles.track} aria-hidden="true" />
      <span>
        {children}
        {hint && <span className={styles.hint}>{hint}</span>}
      </span>
    </AriaSwitch>
  );
}

export interface Option<Value extends string> {
  value: Value;
  text: string;
  hint?: string;
}

/** One of a few, all of which are seen. */
export function Choice<Value extends string>(props: {
  label: string;
  options: readonly Option<Value>[];
  value: Value;
  onChange: (value: Value) => void;
  isDisabled?: boolean;
  /** Whether the chosen one gets the focus. */
  autoFocus?: boolean;
  /** Of the group; an option has it with `-VALUE`. */
  testid?: string;
}) {
  const { label, options, value, onChange, isDisabled, autoFocus, testid } = props;
  return (
    <RadioGroup
      value={value}
      onChange={(chosen) => onChange(chosen as Value)}
      isDisabled={isDisabled}
      className={styles.field}
      data-testid={testid}
    >
      <Label className={styles.label}>{label}</Label>
      {options.map((option) => (
        <Radio
          key={option.value}
          value={option.value}
          autoFocus={autoFocus && option.value === value}
          className={styles.radio}
          data-testid={testid && `${testid}-${option.value}`}
        >
          <span className={styles.dot} aria-hidden="true" />
          <span>
            {option.text}
            {option.hint && <span className={styles.hint}>{option.hint}</span>}
          </span>
        </Radio>
      ))}
    </RadioGroup>
  );
}

/** One of many, in a list that opens. */
export function Select<Value extends string>(props: {
  label: string;
  options: readonly Option<Value>[];
  value: Value;
  onChange: (value: Value) => void;
  isDisabled?: boolean;
  /** Where the line that it stands in says what it is for. */
  isLabelHidden?: boolean;
  testid?: string;
}) {
  const { label, options, value, onChange, isDisabled, isLabelHidden, testid } = props;
  return (
    <AriaSelect
      value={value}
      onChange={(chosen) => chosen !== null && onChange(String(chosen) as Value)}
      isDisabled={isDisabled}
      className={styles.field}
    >
      <Label className={isLabelHidden ? "visually-hidden" : styles.label}>{label}</Label>
      <AriaButton className={styles.select} data-testid={testid}>
        <SelectValue className={styles.chosen} />
        <Icon name="chevron" size={16} />
      </AriaButton>
      <Popover className={styles.popover}>
        <ClosesSelect />
        <ListBox className={styles.options}>
          {options.map((option) => (
            <ListBoxItem key={option.value} id={option.value} textValue={option.text} className={styles.option}>
              {option.text}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}

/** Fields below each other. */
export function Fields({ children }: { children: ReactNode }) {
  return <div className={styles.fields}>{children}</div>;
}

/** One of many by the browser's own list: on phones it is the one that fingers know, and letters find an option. */
export function NativeSelect<Value extends string>(props: {
  label: string;
  options: readonly Option<Value>[];
  value: Value;
  onChange: (value: Value) => void;
  hint?: string;
  testid?: string;
}) {
  const { label, options, value, onChange, hint, testid } = props;
  const id = useId();
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      <select
        id={id}
        className={styles.input}
        value={value}
        aria-describedby={hint ? `${id}-hint` : undefined}
        data-testid={testid}
        onChange={(event) => onChange(event.currentTarget.value as Value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
      {hint && (
        <span id={`${id}-hint`} className={styles.hint}>
          {hint}
        </span>
      )}
    </div>
  );
}
