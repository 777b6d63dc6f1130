/** A return in two steps: how much of it came, and what was found of each unit. */
import { App, Button } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { post } from "../../api/client";
import type { Schemas } from "../../api/types";
import { useCommand } from "../../parts/command";
import { useFormat } from "../../parts/format";
import { Units } from "../../parts/Units";

type Back = Schemas["StoreReturn"];
type Verdict = { sellable: number; outlet: number; waste: number };
const AFFECTS = ["store", "sales"];
const FOUND = ["sellable", "outlet", "waste"] as const;

type ReceiveProps = { back: Back; place: string; onDone: () => void };

export function Receive({ back, place, onDone }: ReceiveProps) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [units, setUnits] = useState<Record<number, number>>(() =>
    Object.fromEntries(back.lines.map((line) => [line.line, line.units])),
  );
  const receive = useCommand({
    run: (lines: { line: number; units: number }[], key) =>
      post("/api/store/returns/{return_id}/receive", {
        path: { return_id: back.id },
        body: { place, lines },
        key,
      }),
    affects: AFFECTS,
    done: () => {
      void message.success(t("returns.received"));
      onDone();
    },
  });
  const lines = back.lines.map((line) => ({ line: line.line, units: units[line.line] ?? 0 }));
  return (
    <>
      <p className="muted">{back.reason}</p>
      <ul className="task-lines">
        {back.lines.map((line) => (
          <li key={line.line}>
            <strong>{back.names[line.line]}</strong>
            <Units
              label={back.names[line.line] ?? ""}
              value={units[line.line] ?? 0}
              most={line.units}
              onChange={(value) => setUnits({ ...units, [line.line]: value })}
            />
          </li>
        ))}
      </ul>
      <Button
        block
        size="large"
        type="primary"
        disabled={lines.every((line) => line.units === 0)}
        loading={receive.isPending}
        onClick={() => receive.mutate(lines)}
      >
        {t("returns.came")}
      </Button>
    </>
  );
}

/** Each unit that came is as good as new, for the outlet, or waste; the money goes back for all. */
export function Inspect({ back, onDone }: { back: Back; onDone: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { message } = App.useApp();
  const came = back.lines.filter((line) => (line.received ?? 0) > 0);
  const [found, setFound] = useState<Record<number, Verdict>>({});
  const of = (line: number): Verdict => found[line] ?? { sellable: 0, outlet: 0, waste: 0 };
  const judged = (line: number) => FOUND.reduce((sum, name) => sum + of(line)[name], 0);
  const inspect = useCommand({
    run: (lines: ({ line: number } & Verdict)[], key) =>
      post("/api/store/returns/{return_id}/inspect", {
        path: { return_id: back.id },
        body: { lines },
        key,
      }),
    affects: AFFECTS,
    done: ({ amount_cents }) => {
      void message.success(t("returns.refunded", { money: format.money(amount_cents) }));
      onDone();
    },
  });
  return (
    <>
      <p className="muted">{back.reason}</p>
      {came.map((line) => (
        <div key={line.line}>
          <strong>{back.names[line.line]}</strong>{" "}
          <span className="muted">{t("task.of", { count: line.received })}</span>
          <ul className="task-lines">
            {FOUND.map((name) => (
              <li key={name}>
                <span>{t(`returns.found.${name}`)}</span>
                <Units
                  label={t("returns.unitsFound", { item: back.names[line.line], found: t(`returns.found.${name}`) })}
                  value={of(line.line)[name]}
                  most={(line.received ?? 0) - judged(line.line) + of(line.line)[name]}
                  onChange={(value) =>
                    setFound({ ...found, [line.line]: { ...of(line.line), [name]: value } })
                  }
                />
              </li>
            ))}
          </ul>
        </div>
      ))}
      <Button
        block
        size="large"
        type="primary"
        disabled={came.some((line) => judged(line.line) !== line.received)}
        loading={inspect.isPending}
        onClick={() => inspect.mutate(came.map((line) => ({ line: line.line, ...of(line.line) })))}
      >
        {t("returns.judge")}
      </Button>
    </>
  );
}
