/** The policy simulator: move a slider, see days, fill, waste and money against today. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { Button, Form, Progress, Slider } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { get, post } from "../../api/client";
import { useLive } from "../../app/events";
import { useScope } from "../../app/scope";
import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { PageHead } from "../../parts/PageHead";
import { Curves } from "./Curves";

type Sweep = "service" | "review_days" | "lead_time_days" | "moq";
type Span = { min: number; max: number; step: number; steps: number; from: [number, number] };

const SPANS: Record<Sweep, Span> = {
  service: { min: 80, max: 99.5, step: 0.5, steps: 5, from: [90, 98] },
  review_days: { min: 1, max: 28, step: 1, steps: 4, from: [1, 14] },
  lead_time_days: { min: 1, max: 56, step: 1, steps: 4, from: [2, 14] },
  moq: { min: 1, max: 200, step: 1, steps: 4, from: [1, 48] },
};
const SWEEPS = Object.keys(SPANS) as Sweep[];

export default function Simulator() {
  const { t } = useTranslation();
  const { filters, set } = useScope();
  const sweep = (filters.sweep as Sweep | undefined) ?? "service";
  const [range, setRange] = useState<[number, number]>(SPANS[sweep].from);
  const start = useMutation({
    mutationFn: () =>
      post("/api/simulations", {
        body: { [sweep]: points(sweep, range), weeks: 4, seeds: 2 },
      }),
    onSuccess: ({ id }) => set({ simulation: id }),
  });
  return (
    <div className="page">
      <PageHead page="simulator" />
      <section className="panel">
        <Form layout="vertical" onFinish={() => start.mutate()}>
          <div className="sweeps" role="radiogroup" aria-label={t("simulator.sweep")}>
            {SWEEPS.map((one) => (
              <Button
                key={one}
                role="radio"
                aria-checked={one === sweep}
                type={one === sweep ? "primary" : "default"}
                onClick={() => {
                  set({ sweep: one === "service" ? undefined : one });
                  setRange(SPANS[one].from);
                }}
              >
                {t(`sweep.${one}`)}
              </Button>
            ))}
          </div>
          <Form.Item
            label={t("simulator.range", {
              what: t(`sweep.${sweep}`),
              from: t(`sweep.${sweep}Value`, { value: range[0] }),
              to: t(`sweep.${sweep}Value`, { value: range[1] }),
            })}
          >
            <Slider
              range
              min={SPANS[sweep].min}
              max={SPANS[sweep].max}
              step={SPANS[sweep].step}
              value={range}
              ariaLabelForHandle={[t("scope.from"), t("scope.to")]}
              onChange={(chosen) => setRange(chosen as [number, number])}
              tooltip={{ formatter: (value) => t(`sweep.${sweep}Value`, { value }) }}
            />
          </Form.Item>
          <Button type="primary" htmlType="submit" loading={start.isPending}>
            {t("simulator.start")}
          </Button>
        </Form>
      </section>
      {start.error && <Failure error={start.error} />}
      {filters.simulation ? (
        <Result id={filters.simulation} />
      ) : (
        <Empty what={t("simulator.none")} todo={t("simulator.noneTodo")} />
      )}
    </div>
  );
}

function Result({ id }: { id: string }) {
  const { t } = useTranslation();
  const { jobs } = useLive();
  const { data, error, refetch } = useQuery({
    queryKey: ["simulation", id],
    queryFn: () => get("/api/simulations/{id}", { path: { id } }),
    // The bell's events are quicker; this is for when the line to them was cut.
    refetchInterval: (query) => (ended(query.state.data?.state) ? false : 2000),
  });
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (data?.state === "failed")
    return <Empty what={t("simulator.failed")} todo={data.error ?? undefined} />;
  if (data && ended(data.state)) return <Curves told={data} />;
  const job = jobs.find((one) => one.id === id);
  const share = job?.total ? job.done / job.total : 0;
  return (
    <section className="panel">
      <p>{job?.step || t("simulator.running")}</p>
      <Progress percent={Math.round(100 * share)} aria-label={t("simulator.running")} />
    </section>
  );
}

const ended = (state: string | undefined) => state === "done" || state === "failed";

/** The values to try, evenly between the ends; a service level as a share. */
function points(sweep: Sweep, [low, high]: [number, number]): number[] {
  const { steps, step } = SPANS[sweep];
  const all = Array.from({ length: steps }, (_, at) => {
    const value = low + ((high - low) * at) / (steps - 1);
    return Math.round(value / step) * step;
  });
  const distinct = [...new Set(all)];
  return sweep === "service" ? distinct.map((value) => value / 100) : distinct;
}
