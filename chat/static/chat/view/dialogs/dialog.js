// @ts-check

/** A <dialog> of the template, with a form or without. */
export class Dialog {
  /** @param {HTMLDialogElement} element */
  constructor(element) {
    this.element = element;
    this.form = /** @type {HTMLFormElement|null} */ (element.querySelector('form[method="dialog"]'));
    this.error = /** @type {HTMLElement|null} */ (element.querySelector("[data-error]"));
    for (const button of element.querySelectorAll("[data-close]"))
      button.addEventListener("click", () => element.close());
    // A press that begins on the ground beside it closes it; one that only ends there was a selection.
    element.addEventListener("pointerdown", (event) => {
      if (event.target === element && isOutside(element, event)) element.close();
    });
  }

  open() {
    if (this.error !== null) this.error.hidden = true;
    if (!this.element.open) this.element.showModal();
  }

  close() {
    this.element.close();
  }

  /** Does what the form asks for; closes when it is done, else says why not. @param {() => Promise<void>} action */
  onSubmit(action) {
    this.form?.addEventListener("submit", async (event) => {
      event.preventDefault();
      await this.attempt(action);
    });
  }

  /** @param {() => Promise<void>} action */
  async attempt(action) {
    const buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (
      this.element.querySelectorAll(".actions button:not([data-close])")
    );
    for (const button of buttons) button.disabled = true;
    try {
      await action();
      this.close();
    } catch (error) {
      if (this.error === null) return;
      showError(this.error, error);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  /** @param {string} name @returns {any} */
  field(name) {
    return this.form?.elements.namedItem(name);
  }
}

/** Says as a sentence why something failed. @param {HTMLElement} element @param {unknown} error */
export function showError(element, error) {
  const words = /** @type {Error} */ (error).message;
  element.textContent = `${words.charAt(0).toLocaleUpperCase()}${words.slice(1)}.`;
  element.hidden = false;
}

/** @param {HTMLElement} element @param {MouseEvent} event */
function isOutside(element, { clientX, clientY }) {
  const box = element.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}
