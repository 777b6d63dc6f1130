/** Money, quantities and days as the reader's language writes them, with their units. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useSession } from "../app/session";

type Maybe = number | null | undefined;
const NONE = "–";

/** Formatters in the session's currency and time zone; what is not known is a dash. */
export function useFormat() {
  const { t, i18n } = useTranslation();
  const { data: session } = useSession();
  const currency = session?.currency ?? "CNY";
  const timeZone = session?.time_zone;
  return useMemo(() => {
    const tag = i18n.language;
    const style = { style: "currency", currency, currencyDisplay: "narrowSymbol" } as const;
    const cents = new Intl.NumberFormat(tag, style);
    const whole = new Intl.NumberFormat(tag, { ...style, maximumFractionDigits: 0 });
    const short = new Intl.NumberFormat(tag, {
      ...style,
      notation: "compact",
      maximumFractionDigits: 1,
    });
    const small = new Intl.NumberFormat(tag, { maximumSignificantDigits: 2 });
    const integer = new Intl.NumberFormat(tag, { maximumFractionDigits: 0 });
    const one = new Intl.NumberFormat(tag, { maximumFractionDigits: 1 });
    const two = new Intl.NumberFormat(tag, { maximumFractionDigits: 2 });
    const share = new Intl.NumberFormat(tag, { style: "percent", maximumFractionDigits: 1 });
    const dated = dateParts(tag);
    const day = new Intl.DateTimeFormat(tag, { ...dated, timeZone: "UTC" });
    const timed = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
    const moment = new Intl.DateTimeFormat(tag, { ...dated, ...timed, timeZone });
    const say = (value: Maybe, as: (value: number) => string) =>
      value === null || value === undefined || Number.isNaN(value) ? NONE : as(value);
    return {
      money: (value: Maybe) => say(value, (known) => cents.format(known / 100)),
      moneyWhole: (value: Maybe) => say(value, (known) => whole.format(known / 100)),
      moneyShort: (value: Maybe) =>
        say(value, (known) =>
          (Math.abs(known) < 1_000_000 ? whole : short).format(known / 100),
        ),
      quantity: (value: Maybe) => say(value, (known) => integer.format(known)),
      number: (value: Maybe) => say(value, (known) => two.format(known)),
      days: (value: Maybe) => say(value, (known) => t("unit.days", { value: one.format(known) })),
      perDay: (value: Maybe) => say(value, (known) => t("unit.perDay", { value: (known < 1 ? small : one).format(known) })),
      share: (value: Maybe) => say(value, (known) => share.format(known)),
      times: (value: Maybe) => say(value, (known) => t("unit.timesAYear", { value: one.format(known) })),
      points: (value: Maybe) => say(value, (known) => t("unit.points", { value: one.format(100 * known) })),
      date: (iso: string | null | undefined) =>
        iso ? day.format(new Date(`${iso.slice(0, 10)}T00:00:00Z`)) : NONE,
      moment: (iso: string | Date | null | undefined) => (iso ? moment.format(new Date(iso)) : NONE),
    };
  }, [t, i18n.language, currency, timeZone]);
}

/** A day in figures of one width where the language allows it: lists are read downwards. */
function dateParts(tag: string): Intl.DateTimeFormatOptions {
  if (tag === "en") return { year: "numeric", month: "short", day: "numeric" };
  return { year: "numeric", month: "2-digit", day: "2-digit" };
}

/** A value that came with the name of its unit. */
export function useUnit() {
  const format = useFormat();
  return (value: Maybe, unit: string): string => {
    if (unit === "cents" || unit.endsWith("_cents")) return format.moneyShort(value);
    if (unit === "per_day") return format.perDay(value);
    if (unit === "days" || unit === "day") return format.days(value);
    if (unit === "times") return format.times(value);
    if (unit === "share" || unit === "percent" || unit === "rate") return format.share(value);
    return format.number(value);
  };
}
