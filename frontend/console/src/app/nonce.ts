/**
 * The page's nonce, and its use for every style that is added later.
 *
 * Ant Design passes the nonce of its ConfigProvider on to its own styles, but two places below it
 * (the measuring of a scroll bar, the locking of the page behind a dialog) add a `<style>` without
 * one; a strict Content-Security-Policy refuses those. So each style element that is made here
 * gets the nonce. Imported first, before anything that makes one.
 */
export const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content;

if (nonce) {
  const create = document.createElement.bind(document);
  document.createElement = ((name: string, options?: ElementCreationOptions) => {
    const element = create(name, options);
    if (name.toLowerCase() === "style") element.nonce = nonce;
    return element;
  }) as typeof document.createElement;
}
