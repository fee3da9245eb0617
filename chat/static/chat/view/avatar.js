// @ts-check
/** What a person looks like without a picture: initials on a colour that stays with the name. */
import { el } from "../lib/dom.js";

const HUES = 8;
const TONES = ["deep", "clear", "pale"];

/** @param {string} name */
export function avatar(name) {
  return paint(el("span", { class: "avatar", "aria-hidden": "true" }), name);
}

/** @param {HTMLElement} element @param {string} name */
export function paint(element, name) {
  element.textContent = initials(name);
  const { hue, tone } = colour(name);
  element.style.setProperty("--hue", String(hue));
  element.dataset.tone = tone;
  return element;
}

/** @param {string} name */
export function initials(name) {
  const words = name.split(/[\s\-_.]+/u).filter(Boolean);
  const first = letters(words[0] ?? "?");
  if (first.length === 0) return "?";
  // One Chinese, Japanese or Korean character says as much as two letters.
  if (/[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff]|\p{Extended_Pictographic}/u.test(first[0]))
    return first[0];
  const second = words.length > 1 ? letters(words[1])[0] : first[1];
  return (first[0] + (second ?? "")).toUpperCase();
}

/**
 * The colour that stays with a name: degrees on the colour circle, and how light and strong it is (people.css). Few
 * and in steps, so that two people look either alike or clearly different.
 * @param {string} name
 */
export function colour(name) {
  let hash = 2166136261;
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16777619);
  const steps = hash >>> 8;
  return { hue: (steps % HUES) * (360 / HUES), tone: TONES[Math.floor(steps / HUES) % TONES.length] };
}

/** @param {string} word */
function letters(word) {
  const cut = new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return Array.from(cut.segment(word.slice(0, 40)), (part) => part.segment).filter((part) =>
    /[\p{L}\p{N}\p{So}]/u.test(part),
  );
}
