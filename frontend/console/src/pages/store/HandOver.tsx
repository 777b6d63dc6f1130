/** Give a shipment to the shopper who shows its code. */
import { Alert, App } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { inWords, post } from "../../api/client";
import { useCommand } from "../../parts/command";
import { Scan } from "../../parts/Scan";

export function HandOver({ shipment, onDone }: { shipment: string; onDone: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [wrong, setWrong] = useState("");
  const hand = useCommand({
    run: (code: string, key) =>
      post("/api/store/shipments/{shipment}/hand-over", { path: { shipment }, body: { code }, key }),
    affects: ["store", "sales"],
    done: () => {
      void message.success(t("handOver.done"));
      onDone();
    },
    failed: (error) => setWrong(inWords(error)),
  });
  const shown = (code: string) => {
    setWrong("");
    if (/^[0-9]{6,12}$/.test(code)) hand.mutate(code);
    else setWrong(t("handOver.noCode"));
  };
  return (
    <>
      <p>{t("handOver.about")}</p>
      <Scan label={t("handOver.code")} digits onCode={shown} />
      {wrong && <Alert className="store-wrong" type="error" showIcon title={wrong} />}
    </>
  );
}
