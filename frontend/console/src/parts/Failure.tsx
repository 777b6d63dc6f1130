/** What went wrong, where, and what to do about it. */
import { Alert, Button } from "antd";
import { Component, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { inShort, Problem } from "../api/client";

export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation();
  const problem = error instanceof Problem ? error : null;
  const unreachable = error instanceof TypeError && !problem;
  return (
    <Alert
      type="error"
      showIcon
      className="failure"
      title={
        unreachable
          ? t("failure.unreachable")
          : problem
            ? inShort(problem)
            : t("failure.unexpected")
      }
      description={
        <>
          <p>{unreachable ? t("failure.unreachableRemedy") : String((error as Error).message)}</p>
          {problem?.place && <p>{t("failure.place", { place: problem.place })}</p>}
          {problem?.remedy && <p>{t("failure.remedy", { remedy: problem.remedy })}</p>}
        </>
      }
      action={retry && <Button onClick={retry}>{t("failure.again")}</Button>}
    />
  );
}

/** Keeps one broken page from taking the frame with it. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error?: unknown }> {
  state: { error?: unknown } = {};

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  render() {
    if (this.state.error === undefined) return this.props.children;
    return <Failure error={this.state.error} retry={() => this.setState({ error: undefined })} />;
  }
}
