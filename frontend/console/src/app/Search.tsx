/** Ctrl-K: find an item, place, order or decision and go there. */
import { SearchOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Button, Grid, Input, Modal } from "antd";
import { useDeferredValue, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { get } from "../api/client";
import type { Schemas } from "../api/types";
import { Failure } from "../parts/Failure";
import { opens } from "./pages";
import { addressOf, useScope, type Filters } from "./scope";
import { useMay } from "./session";

type Found = Schemas["Found"];

export function Search() {
  const { t } = useTranslation();
  const wide = Grid.useBreakpoint().xl ?? true;
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setOpen(true);
      }
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  return (
    <>
      <Button
        icon={<SearchOutlined />}
        type={wide ? "default" : "text"}
        aria-label={`${t("search.open")} Ctrl K`}
        onClick={() => setOpen(true)}
      >
        {wide && (
          <span className="muted">
            {t("search.open")} <kbd>Ctrl K</kbd>
          </span>
        )}
      </Button>
      <Modal
        open={open}
        onCancel={() => setOpen(false)}
        footer={null}
        title={t("search.open")}
        destroyOnHidden
      >
        <Finder close={() => setOpen(false)} />
      </Modal>
    </>
  );
}

function Finder({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const { shared } = useScope();
  const go = useNavigate();
  const lines = opens("workbench", useMay()) ? "/workbench" : "/items";
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const asked = useDeferredValue(text.trim());
  const { data, error } = useQuery({
    queryKey: ["search", asked],
    queryFn: ({ signal }) => get("/api/search", { query: { q: asked }, signal }),
    enabled: asked.length > 0,
  });
  const rows = data?.rows ?? [];
  const open = (found?: Found) => {
    if (!found) return;
    close();
    void go(where(found, shared, lines));
  };
  return (
    <div>
      <Input
        autoFocus
        value={text}
        placeholder={t("search.hint")}
        aria-label={t("search.hint")}
        role="combobox"
        aria-expanded={rows.length > 0}
        aria-controls="found"
        aria-activedescendant={rows.length ? `found-${at}` : undefined}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") setAt(Math.min(at + 1, rows.length - 1));
          else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
          else if (event.key === "Enter") open(rows[at]);
          else return;
          event.preventDefault();
        }}
      />
      {error && <Failure error={error} />}
      {asked && data && !rows.length && <p className="muted">{t("search.none")}</p>}
      <ul className="found" id="found" role="listbox" aria-label={t("search.open")}>
        {rows.map((found, index) => (
          <li
            key={`${found.kind}/${found.id}`}
            id={`found-${index}`}
            role="option"
            aria-selected={index === at}
            onMouseEnter={() => setAt(index)}
            onClick={() => open(found)}
          >
            <span className="found-kind">{t(`kind.${found.kind}`)}</span>
            <strong>{found.title}</strong>
            <span className="muted">{found.subtitle}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The page that shows what was found; `lines` is the one that lists items at places. */
function where(found: Found, shared: Filters, lines: string): string {
  if (found.kind === "place") return addressOf(lines, { ...shared, place: found.id });
  if (found.kind === "order") return addressOf("/orders", shared, { order: found.id });
  if (found.kind === "decision") return addressOf("/decisions", shared, { decision: found.id });
  return addressOf(lines, shared, { search: found.id });
}
