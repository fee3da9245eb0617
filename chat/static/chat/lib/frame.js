// @ts-check

/** A background tab gets no frames: there it is drawn after this. */
const HIDDEN_MS = 200;

/**
 * However often the returned function is called within one frame, it draws once.
 * @param {() => void} draw @returns {() => void}
 */
export function oncePerFrame(draw) {
  let isDue = false;
  const run = () => {
    isDue = false;
    draw();
  };
  return () => {
    if (isDue) return;
    isDue = true;
    if (document.visibilityState === "visible") requestAnimationFrame(run);
    else setTimeout(run, HIDDEN_MS);
  };
}
