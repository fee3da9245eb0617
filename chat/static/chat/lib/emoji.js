// @ts-check
/** Finds emoji in a text. What one is: Unicode Technical Standard 51, ED-8 to ED-17. */

const MODIFIER = String.raw`\p{Emoji_Modifier}?`;
const TAGS = String.raw`(?:[\u{e0020}-\u{e007e}]+\u{e007f})?`;
/** What is drawn in colour by itself, or because the writer asked for it: digits and © are text otherwise. */
const BASE = [
  String.raw`\p{Emoji_Presentation}(?!\ufe0e)\ufe0f?`,
  String.raw`\p{Emoji}\ufe0f(?!\u20e3)`,
  String.raw`\p{Emoji_Modifier_Base}(?=\p{Emoji_Modifier})`,
].join("|");
const JOINED = String.raw`(?:\u200d\p{Emoji}\ufe0f?${MODIFIER})*`;
const KEYCAP = String.raw`[0-9#*]\ufe0f\u20e3`;
const FLAG = String.raw`\p{Regional_Indicator}{2}`;
const ONE = `(?:${FLAG}|${KEYCAP}|(?:${BASE})${MODIFIER}${TAGS}${JOINED})`;
const EACH = new RegExp(ONE, "gu");
/** No more than this at a time: browsers take very long for a row of skin tones. */
const RUN = new RegExp(`${ONE}{1,16}`, "gu");

/** More of them than this are a picture, not a word. */
const MOST_ALONE = 8;

/**
 * Cuts a text where emoji begin and end.
 * @param {string} text @returns {Array<{text: string, isEmoji: boolean}>}
 */
export function emojiRuns(text) {
  const runs = [];
  let at = 0;
  for (const match of text.matchAll(RUN)) {
    if (match.index > at) runs.push({ text: text.slice(at, match.index), isEmoji: false });
    runs.push({ text: match[0], isEmoji: true });
    at = match.index + match[0].length;
  }
  if (at < text.length) runs.push({ text: text.slice(at), isEmoji: false });
  return runs;
}

/** Whether a text is a few emoji and nothing else. @param {string} text */
export function isOnlyEmoji(text) {
  // The longest emoji has fewer code units than this.
  if (text.length > MOST_ALONE * 40) return false;
  const count = text.match(EACH)?.length ?? 0;
  return count > 0 && count <= MOST_ALONE && text.replace(EACH, "").trim() === "";
}
