// @ts-check
/** The echo door: text comes back as text, binary as binary, and a server may say that it is alive. */
import { Wire, reading } from "./wire.js";

/** What `?heartbeat=N` makes the server send every N seconds. */
const HEARTBEAT = "heartbeat from server";

export class EchoWire extends Wire {
  /** @param {import("./wire.js").Frame} frame */
  readReceived(frame) {
    return [reading({ payload: frame, isHeartbeat: frame === HEARTBEAT })];
  }
}
