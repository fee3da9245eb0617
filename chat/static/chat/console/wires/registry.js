// @ts-check
/** The wires by their names in the list of doors (chat/web/console.py). */
import { EchoWire } from "./echo.js";
import { GotalkWire } from "./gotalk.js";
import { PushWire } from "./push.js";
import { TextWire } from "./text.js";

/** @type {Map<string, new (options: {asStock: boolean}) => import("./wire.js").Wire>} */
export const WIRES = new Map(
  /** @type {any} */ ([
    ["gotalk", GotalkWire],
    ["text", TextWire],
    ["push", PushWire],
    ["echo", EchoWire],
  ]),
);
