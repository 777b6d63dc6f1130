/** A text filter that waits until typing pauses; the text is `search` in the address. */
import { Input } from "antd";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useScope } from "../app/scope";

const PAUSE_MS = 250;

export function SearchBox({ hint }: { hint?: string }) {
  const { t } = useTranslation();
  const { filters, set } = useScope();
  const [text, setText] = useState(filters.search ?? "");
  const sent = useRef(filters.search ?? "");
  useEffect(() => {
    const now = filters.search ?? "";
    if (now !== sent.current) {
      sent.current = now; // changed from outside: a saved view, Ctrl-K, the back button
      setText(now);
    }
  }, [filters.search]);
  useEffect(() => {
    const timer = setTimeout(() => {
      if (text === sent.current) return;
      sent.current = text;
      set({ search: text });
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, set]);
  return (
    <Input.Search
      className="search-box"
      value={text}
      allowClear
      aria-label={hint ?? t("table.search")}
      placeholder={hint ?? t("table.search")}
      onChange={(event) => setText(event.target.value)}
    />
  );
}
