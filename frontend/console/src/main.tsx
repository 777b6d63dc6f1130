import "./app/nonce";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { startWords } from "./words";

void startWords().then(() => createRoot(document.getElementById("root")!).render(<App />));
