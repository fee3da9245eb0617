import {
  MAX_MESSAGE_BYTES,
  NO_BYTES,
  ProtocolError,
  concat,
  decoder,
  encoder,
  invalid,
  protocol,
  readFixnum,
  readHeader,
} from "./codec.js";

/** Cuts WebSocket messages, however header and payload are laid out in them, into gotalk messages. */
export class Reader {
  /** The peer announced `joined`: what it sends is one stream of bytes. Until then a frame that ends
   * exactly at a header's end means that the next frame is the payload, whatever length was declared,
   * because stock peers count characters outside of the basic plane wrongly. */
  joined = false;
  versionSeen = false;
  #chunks = [];
  #have = 0;
  #need = 2;
  /** @type {any} */
  #header = null;
  #payloadIsNextFrame = false;

  /**
   * A generator, so that a message can change `joined` before the rest of its frame is read.
   * A payload is a string when the frame that ended it was text, else a Uint8Array of its own.
   * @throws {ProtocolError}
   */
  *feed(frame) {
    if (frame.length > MAX_MESSAGE_BYTES) throw invalid("message too large");
    const isText = typeof frame === "string";
    if (this.#payloadIsNextFrame && !this.joined) {
      this.#payloadIsNextFrame = false;
      this.#need = 1;
      yield { ...this.#takeHeader(), payload: frame };
      return;
    }
    this.#chunks.push(isText ? encoder.encode(frame) : frame);
    this.#have += this.#chunks[this.#chunks.length - 1].length;
    if (this.#have < this.#need) return;

    const bytes = concat(this.#chunks);
    let at = 0;
    if (!this.versionSeen) {
      this.#readVersion(bytes);
      at = 2;
    }
    while (at < bytes.length || this.#header !== null) {
      if (this.#header === null) {
        const header = readHeader(bytes, at);
        if (header === null) break;
        at = header.end;
        if (header.t === protocol.MsgTypeHeartbeat || header.t === protocol.MsgTypeProtocolError) {
          yield { ...header, payload: NO_BYTES };
          continue;
        }
        if (header.size > MAX_MESSAGE_BYTES) throw invalid("message too large");
        this.#header = header;
        this.#payloadIsNextFrame = at === bytes.length && header.size > 0;
      }
      const end = at + this.#header.size;
      if (end > bytes.length) break;
      const payload = isText ? decoder.decode(bytes.subarray(at, end)) : bytes.slice(at, end);
      at = end;
      yield { ...this.#takeHeader(), payload };
    }
    this.#chunks = at < bytes.length ? [bytes.subarray(at)] : [];
    this.#have = bytes.length - at;
    this.#need = this.#header === null ? 1 : this.#header.size;
  }

  #takeHeader() {
    const header = this.#header;
    this.#header = null;
    return header;
  }

  #readVersion(bytes) {
    let version = 0;
    try {
      version = readFixnum(bytes, 0, 2);
    } catch {
      // Anything else is answered like a version that we do not support.
    }
    if (version !== protocol.Version) throw new ProtocolError(protocol.ErrorUnsupported);
    this.versionSeen = true;
  }
}

protocol.Reader = Reader;
