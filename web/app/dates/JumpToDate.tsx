/** The choice of a day of a conversation: a calendar, and the days that one needs most. */
import { type CalendarDate, fromDate, getLocalTimeZone, toCalendarDate, today } from "@internationalized/date";
import { type ReactNode, useContext } from "react";
import {
  Button as AriaButton,
  Calendar,
  CalendarCell,
  CalendarGrid,
  CalendarGridBody,
  CalendarGridHeader,
  CalendarHeaderCell,
  CalendarMonthPicker,
  CalendarStateContext,
  CalendarYearPicker,
  I18nProvider,
} from "react-aria-components";
import { Button, Dialog, Icon, PopoverAt } from "../kit/index.ts";
import { PHONE, useMedia } from "../sidebar/useMedia.ts";
import { currentRegion, useTexts } from "../texts.ts";
import { quickDays } from "./days.ts";
import styles from "./JumpToDate.module.css";
import type { Asked } from "./open.tsx";
import { DATES } from "./texts.ts";

export default function JumpToDate({ at, day, from, onPick, onClose }: Asked & { onClose: () => void }) {
  const t = useTexts(DATES);
  const isPhone = useMedia(PHONE);
  const pick = (since: number) => {
    onClose();
    onPick(since);
  };
  const choice = (
    <div className={styles.choice}>
      <div className={styles.quick}>
        {quickDays(Date.now()).map(({ name, since }) => (
          <Button key={name} onPress={() => pick(since)} data-testid={`day-${name}`}>
            {t(name)}
          </Button>
        ))}
      </div>
      <Days day={day} from={from} onPick={pick} />
    </div>
  );
  if (isPhone || !at?.isConnected)
    return (
      <Dialog title={t("title")} onClose={onClose} testid="jump-to-date">
        {choice}
      </Dialog>
    );
  return (
    <PopoverAt label={t("title")} at={at} onClose={onClose} testid="jump-to-date">
      <div className={styles.floating}>{choice}</div>
    </PopoverAt>
  );
}

/** Weeks begin as they do where the reader lives, which the language of the page alone does not tell. */
function Days({ day, from, onPick }: Pick<Asked, "day" | "from" | "onPick">) {
  const t = useTexts(DATES);
  const zone = getLocalTimeZone();
  const latest = today(zone);
  const onScreen = day === null ? latest : dateOf(day, zone);
  const shown = onScreen.compare(latest) > 0 ? latest : onScreen;
  return (
    <I18nProvider locale={currentRegion()}>
      <Calendar
        aria-label={t("calendar")}
        autoFocus
        className={styles.calendar}
        minValue={from === null ? undefined : dateOf(from, zone)}
        maxValue={latest}
        value={shown}
        defaultFocusedValue={shown}
        onChange={(date) => onPick(date.toDate(zone).getTime())}
      >
        <div className={styles.head}>
          <Turn slot="previous" />
          <CalendarMonthPicker format="long">{(picker) => <Picker {...picker} />}</CalendarMonthPicker>
          <CalendarYearPicker>{(picker) => <YearPicker {...picker} />}</CalendarYearPicker>
          <Turn slot="next" />
        </div>
        <CalendarGrid className={styles.grid} weekdayStyle="short">
          <CalendarGridHeader>
            {(name) => <CalendarHeaderCell className={styles.weekday}>{name}</CalendarHeaderCell>}
          </CalendarGridHeader>
          <CalendarGridBody>{(date) => <CalendarCell date={date} className={styles.day} />}</CalendarGridBody>
        </CalendarGrid>
      </Calendar>
    </I18nProvider>
  );
}

function dateOf(ts: string, zone: string): CalendarDate {
  return toCalendarDate(fromDate(new Date(ts), zone));
}

function Turn({ slot }: { slot: "previous" | "next" }): ReactNode {
  return (
    <AriaButton slot={slot} className={`${styles.turn} ${styles[slot]}`}>
      <Icon name="back" />
    </AriaButton>
  );
}

interface PickerProps {
  "aria-label": string;
  value: string | number;
  onChange: (key: string | number | null) => void;
  items: { id: number; formatted: string }[];
}

/** Its years carry the month and the day of the last one that may be chosen: those on the screen stay. */
function YearPicker(picker: Omit<PickerProps, "items"> & { items: { id: number; date: CalendarDate; formatted: string }[] }) {
  const calendar = useContext(CalendarStateContext);
  const choose = (key: string | number | null) => {
    const chosen = picker.items.find(({ id }) => id === key)?.date;
    if (chosen) calendar?.setFocusedDate(calendar.focusedDate.set({ year: chosen.year }));
  };
  return <Picker {...picker} onChange={choose} />;
}

function Picker({ items, value, onChange, "aria-label": label }: PickerProps) {
  return (
    <select
      className={styles.picker}
      aria-label={label}
      value={value}
      onChange={(event) => onChange(Number(event.currentTarget.value))}
    >
      {items.map(({ id, formatted }) => (
        <option key={id} value={id}>
          {formatted}
        </option>
      ))}
    </select>
  );
}
