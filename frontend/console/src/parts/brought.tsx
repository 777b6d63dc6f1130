/**
 * A component whose code is loaded when it is first shown, or brought ahead of that.
 *
 * Code that was brought is shown at once. `lazy` alone would wait even then: React puts up the
 * fallback while the loaded promise settles, and keeps a fallback it has shown for 300 ms.
 */
import { lazy, useState, type ComponentType } from "react";

export type Brought<P> = {
  View: ComponentType<P>;
  /** Load the code now. */
  bring: () => Promise<void>;
};

export function brought<P extends object>(
  load: () => Promise<{ default: ComponentType<P> }>,
): Brought<P> {
  const Late = lazy(load) as unknown as ComponentType<P>;
  let here: ComponentType<P> | undefined;
  function View(props: P) {
    // Chosen once: a component that is shown must not be exchanged for its equal.
    const [Chosen] = useState<ComponentType<P>>(() => here ?? Late);
    return <Chosen {...props} />;
  }
  return {
    View,
    bring: async () => {
      here = (await load()).default;
    },
  };
}
