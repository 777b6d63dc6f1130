/**
 * A field for codes: typed, from a scanner that types (keyboard wedge), or by the camera where the
 * browser can read codes itself.
 *
 * What a scanner types goes here wherever the focus is, unless somebody writes in another field.
 */
import { CameraOutlined } from "@ant-design/icons";
import { Alert, Button, Input, Modal, type InputRef } from "antd";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

type Props = {
  label: string;
  onCode: (code: string) => void;
  /** Only digits are awaited: a phone then shows its number pad. */
  digits?: boolean;
};

type Detector = { detect: (video: HTMLVideoElement) => Promise<{ rawValue: string }[]> };
type Reads = { BarcodeDetector?: new () => Detector };

const LOOK_MS = 150;
const WRITES = "input, textarea, select, [contenteditable=true]";

export function Scan({ label, onCode, digits }: Props) {
  const { t } = useTranslation();
  const field = useRef<InputRef>(null);
  const [text, setText] = useState("");
  const [looks, setLooks] = useState(false);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const typed = event.key.length === 1 && event.key !== " ";
      const commands = event.ctrlKey || event.metaKey || event.altKey;
      if (!typed || commands || document.activeElement?.matches(WRITES)) return;
      field.current?.focus(); // the key that is going down is written there
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  const take = (code: string) => {
    setText("");
    setLooks(false);
    if (code.trim()) onCode(code.trim());
  };
  return (
    <div className="scan">
      <Input
        ref={field}
        size="large"
        value={text}
        aria-label={label}
        placeholder={label}
        inputMode={digits ? "numeric" : "text"}
        autoComplete="off"
        onChange={(event) => setText(event.target.value)}
        onPressEnter={() => take(text)}
      />
      <Button size="large" type="primary" disabled={!text.trim()} onClick={() => take(text)}>
        {t("scan.take")}
      </Button>
      {"BarcodeDetector" in window && (
        <Button
          size="large"
          icon={<CameraOutlined />}
          aria-label={t("scan.camera")}
          onClick={() => setLooks(true)}
        />
      )}
      <Modal
        open={looks}
        title={t("scan.camera")}
        footer={null}
        onCancel={() => setLooks(false)}
        destroyOnHidden
      >
        <Camera onCode={take} />
      </Modal>
    </div>
  );
}

/** The camera's picture, until a code is seen in it. */
function Camera({ onCode }: { onCode: (code: string) => void }) {
  const { t } = useTranslation();
  const video = useRef<HTMLVideoElement>(null);
  const [refused, setRefused] = useState(false);
  const newest = useRef(onCode);
  useEffect(() => {
    newest.current = onCode;
  });
  useEffect(() => {
    const Reader = (window as Reads).BarcodeDetector;
    let stream: MediaStream | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    const look = async (reader: Detector) => {
      const seen = await reader.detect(video.current!).catch(() => []);
      if (ended) return;
      if (seen[0]) newest.current(seen[0].rawValue);
      else timer = setTimeout(() => void look(reader), LOOK_MS);
    };
    const begin = async () => {
      const facing = { video: { facingMode: "environment" } };
      stream = await navigator.mediaDevices.getUserMedia(facing);
      if (ended || !Reader) return stream.getTracks().forEach((track) => track.stop());
      video.current!.srcObject = stream;
      await video.current!.play();
      await look(new Reader());
    };
    begin().catch(() => !ended && setRefused(true));
    return () => {
      ended = true;
      clearTimeout(timer);
      stream?.getTracks().forEach((track) => track.stop());
    };
  }, []);
  if (refused) return <Alert type="warning" showIcon title={t("scan.refused")} />;
  return <video ref={video} className="scan-video" muted playsInline />;
}
