/** Promotions over the weeks around the day of the figures: one bar each, so that what overlaps is
 * seen. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useScope } from "../../app/scope";
import { useChoices } from "../../app/ScopeBar";
import { Empty } from "../../parts/Empty";
import { useFormat } from "../../parts/format";
import { termsOf, type Promotion } from "./Promotions";

const WEEK_MS = 7 * 86_400_000;
const BEFORE_WEEKS = 2;
const WEEKS = 14;

export function Calendar({ rows }: { rows: Promotion[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { set } = useScope();
  const [today] = useState(Date.now);
  const asOf = useChoices().data?.as_of;
  const now = asOf ? Date.parse(`${asOf}T12:00`) : today;
  const first = monday(now) - BEFORE_WEEKS * WEEK_MS;
  const last = first + WEEKS * WEEK_MS;
  const share = (moment: number) => Math.min(Math.max((moment - first) / (last - first), 0), 1);
  const shown = rows
    .map((one) => ({ one, from: Date.parse(termsOf(one).begins_at), until: Date.parse(termsOf(one).ends_at) }))
    .filter(({ from, until }) => from < last && until > first)
    .sort((a, b) => a.from - b.from);
  if (!shown.length) return <Empty what={t("promotions.noneThen")} todo={t("promotions.noneThenTodo")} />;
  return (
    <section className="panel calendar" aria-label={t("promotions.calendar")}>
      <div className="calendar-weeks small muted" aria-hidden>
        {Array.from({ length: WEEKS / 2 }, (_, at) => (
          <span key={at}>{format.date(new Date(first + 2 * at * WEEK_MS).toISOString())}</span>
        ))}
      </div>
      <ul>
        {shown.map(({ one, from, until }) => (
          <li key={one.id}>
            <button
              type="button"
              className={`calendar-bar calendar-${one.state}${from < first ? " calendar-earlier" : ""}${until > last ? " calendar-later" : ""}`}
              style={{ marginLeft: `${100 * share(from)}%`, width: `${100 * (share(until) - share(from))}%` }}
              title={`${one.name}: ${format.moment(termsOf(one).begins_at)} – ${format.moment(termsOf(one).ends_at)}`}
              onClick={() => set({ promotion: one.id })}
            >
              {one.name}
            </button>
          </li>
        ))}
      </ul>
      <div className="calendar-now" style={{ left: `calc(16px + (100% - 32px) * ${share(now)})` }} aria-hidden />
    </section>
  );
}

function monday(moment: number): number {
  const day = new Date(moment);
  day.setHours(0, 0, 0, 0);
  return day.getTime() - ((day.getDay() + 6) % 7) * 86_400_000;
}
