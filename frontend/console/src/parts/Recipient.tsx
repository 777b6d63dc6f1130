/** Who an order goes to: in part, and whole for who may know it, which the server keeps a note of. */
import { useMutation } from "@tanstack/react-query";
import { Alert, Button } from "antd";
import { useTranslation } from "react-i18next";
import { inWords } from "../api/client";
import type { Schemas } from "../api/types";

type Told = Schemas["RecipientTold"];

type MaskedProps = {
  masked: Schemas["MaskedTold"];
  /** Asks for all of it. */
  show: () => Promise<Told>;
  mayShow: boolean;
};

export function MaskedRecipient({ masked, show, mayShow }: MaskedProps) {
  const { t } = useTranslation();
  const asked = useAsked(show);
  if (masked.state !== "kept") return <p className="muted">{t(`recipient.${masked.state}`)}</p>;
  if (asked.data) return <Whole told={asked.data} />;
  return (
    <>
      <p>
        {masked.name} {masked.phone} {masked.region}
      </p>
      {asked.error && <Alert type="error" showIcon title={inWords(asked.error)} />}
      {mayShow && (
        <Button loading={asked.isPending} onClick={() => asked.mutate()}>
          {t("recipient.show")}
        </Button>
      )}
    </>
  );
}

type LabelProps = { show: () => Promise<Schemas["LabelTold"]> };

/** What is stuck on a parcel; printed it stands alone on the paper. */
export function Label({ show }: LabelProps) {
  const { t } = useTranslation();
  const asked = useAsked(show);
  if (!asked.data)
    return (
      <>
        {asked.error && <Alert type="error" showIcon title={inWords(asked.error)} />}
        <Button block size="large" className="show-label" loading={asked.isPending} onClick={() => asked.mutate()}>
          {t("recipient.label")}
        </Button>
      </>
    );
  const { order, shipment, recipient } = asked.data;
  return (
    <>
      <Whole told={recipient} head={t("recipient.numbers", { order, shipment })} />
      <Button block size="large" onClick={() => window.print()}>
        {t("recipient.print")}
      </Button>
    </>
  );
}

/** What was shown lives in its component alone: it is gone when the drawer is closed. */
function useAsked<Shown>(show: () => Promise<Shown>) {
  return useMutation({ mutationFn: show, gcTime: 0 });
}

function Whole({ told, head }: { told: Told; head?: string }) {
  return (
    <address className="recipient">
      {head && <div className="small">{head}</div>}
      <strong>
        {told.name} {told.phone}
      </strong>
      {[...told.lines, told.region, told.postcode, told.note]
        .filter(Boolean)
        .map((line, at) => <div key={at}>{line}</div>)}
    </address>
  );
}
