/* The names of the public gotalk.js 1.2.1, and pages that were written for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeWebSocket, connectStock, expectReports, loadGotalk, record, settled } from "../fakes.js";

test("every name of the type declarations: is there", () => {
  const { gotalk } = loadGotalk();
  const functions = [
    "connection",
    "open",
    "connect",
    "Sock",
    "Handlers",
    "StreamRequest",
    "Buf",
    "handle",
    "handleRequest",
    "handleBufferRequest",
    "handleNotification",
    "handleBufferNotification",
  ];
  for (const name of functions) assert.equal(typeof gotalk[name], "function", name);
  assert.equal(gotalk.version, "1.2.1");
  assert.equal(typeof gotalk.EventEmitter.mixin, "function");
  const sock = gotalk.Sock(gotalk.defaultHandlers);
  const methods = [
    "open",
    "openKeepAlive",
    "request",
    "bufferRequest",
    "requestp",
    "bufferRequestp",
    "streamRequest",
    "notify",
    "bufferNotify",
    "sendHeartbeat",
    "address",
    "adopt",
    "adoptWebSocket",
    "handshake",
    "startReading",
    "end",
    "on",
    "once",
    "off",
    "emit",
    "addListener",
    "removeListener",
    "removeListeners",
    "removeAllListeners",
  ];
  for (const name of methods) assert.equal(typeof sock[name], "function", name);
  assert.deepEqual([sock.sendBufferLimit, sock.heartbeatInterval, sock.ws], [100, 20000, null]);
  assert.deepEqual([sock.handlers, sock.protocol], [gotalk.defaultHandlers, gotalk.protocol.binary]);
});

test("the protocol's constants: have the stock names and values", () => {
  const { Reader, binary, text, ...constants } = loadGotalk().gotalk.protocol;
  assert.deepEqual(constants, {
    Version: 1,
    MsgTypeSingleReq: 0x72,
    MsgTypeStreamReq: 0x73,
    MsgTypeStreamReqPart: 0x70,
    MsgTypeSingleRes: 0x52,
    MsgTypeStreamRes: 0x53,
    MsgTypeErrorRes: 0x45,
    MsgTypeRetryRes: 0x65,
    MsgTypeNotification: 0x6e,
    MsgTypeHeartbeat: 0x68,
    MsgTypeProtocolError: 0x66,
    ErrorAbnormal: 0,
    ErrorUnsupported: 1,
    ErrorInvalidMsg: 2,
    ErrorTimeout: 3,
    HeartbeatMsgMaxLoad: 0xffff,
  });
});

test("constructors: work with and without new, and their prototypes can be extended", () => {
  const { gotalk } = loadGotalk();
  gotalk.Sock.prototype.shout = () => "!";
  for (const sock of [gotalk.Sock(), new gotalk.Sock()]) {
    assert.ok(sock instanceof gotalk.Sock);
    assert.equal(sock.shout(), "!");
  }
  assert.ok(gotalk.Handlers() instanceof gotalk.Handlers);
});

for (const [script, page, expected] of [
  [
    "http://chat.example:8000/gotalk/gotalk.js",
    "http://chat.example:8000/",
    "ws://chat.example:8000/gotalk/",
  ],
  ["https://chat.example/gotalk/gotalk.js?v=1/2", "https://chat.example/", "wss://chat.example/gotalk/"],
  ["http://chat.example/gotalk.js", "http://chat.example/a/b", "ws://chat.example/"],
  ["https://cdn.example/js/gotalk.js", "http://chat.example/", "wss://cdn.example/js/"],
  ["file:///home/gotalk.js", "file:///home/index.html", ""],
  [null, null, ""],
]) {
  test(`script at ${script}: default address ${expected || "none"}`, () => {
    assert.equal(loadGotalk({ script, page }).gotalk.defaultResponderAddress, expected);
  });
}

for (const [given, page, expected] of [
  ["ws://other.example/gotalk", undefined, "ws://other.example/gotalk"],
  ["wss://other.example/gotalk", undefined, "wss://other.example/gotalk"],
  ["https://other.example/gotalk", undefined, "wss://other.example/gotalk"],
  ["//other.example/gotalk", undefined, "ws://other.example/gotalk"],
  ["//other.example/gotalk", "https://chat.example/", "wss://other.example/gotalk"],
  ["/gotalk", "https://chat.example:8443/room/1", "wss://chat.example:8443/gotalk"],
  ["gotalk", "http://chat.example/room/1", "ws://chat.example/gotalk"],
  ["", undefined, "ws://chat.example:8000/gotalk/"],
]) {
  test(`address ${given || "not given"} on ${page || "the page"}: connects to ${expected}`, () => {
    const { gotalk } = loadGotalk(page === undefined ? {} : { page });
    gotalk.open(given);
    assert.equal(FakeWebSocket.last.url, expected);
  });
}

test("no address at all: throws at the call", () => {
  const { gotalk } = loadGotalk({ script: null, page: null });
  assert.throws(() => gotalk.connection(), /no address/);
  assert.throws(() => gotalk.open("/gotalk"), /is not a whole address/);
});

for (const [host, expected] of [
  ["localhost:8000", true],
  ["127.0.0.1:8000", true],
  ["[::1]:8000", true],
  ["robin.local", true],
  ["chat.example", false],
  ["localhost.example", false],
]) {
  test(`served from ${host}: developmentMode is ${expected}`, () => {
    assert.equal(loadGotalk({ script: `http://${host}/gotalk/gotalk.js` }).gotalk.developmentMode, expected);
  });
}

test("development mode: says once that the address may be wrong; else nothing", (t) => {
  const warn = t.mock.method(console, "warn", () => {});
  for (const [mode, count] of [
    [false, 0],
    [true, 1],
  ]) {
    const { gotalk } = loadGotalk();
    gotalk.developmentMode = mode;
    for (let i = 0; i < 2; i++) {
      gotalk.open();
      FakeWebSocket.last.end();
    }
    assert.equal(warn.mock.callCount(), count);
  }
});

test("open with a callback, with and without an address: hears the socket, before open is emitted", () => {
  const { gotalk } = loadGotalk();
  for (const args of [["/gotalk"], []]) {
    const order = [];
    const sock = gotalk.Sock(gotalk.defaultHandlers);
    sock.on("open", (given) => order.push(["open", given]));
    assert.equal(
      sock.open(...args, (error, given) => order.push([error, given])),
      sock,
    );
    FakeWebSocket.last.accept();
    assert.deepEqual(order, [
      [null, sock],
      ["open", sock],
    ]);
  }
});

test("open that fails: tells the callback, emits nothing, and does not try again", async () => {
  const { gotalk, clock } = loadGotalk();
  const heard = [];
  const sock = gotalk.open("/gotalk", (error) => heard.push(error.message));
  const events = record(sock, "open", "close");
  FakeWebSocket.last.end();
  await clock.advance(60_000);
  assert.deepEqual(heard, ["connection failed: no connection (1006)"]);
  assert.deepEqual(events, []);
  assert.equal(FakeWebSocket.made.length, 1);
});

test("an address that the browser refuses: tells the callback and emits close", () => {
  const { gotalk } = loadGotalk();
  const heard = [];
  const sock = gotalk.Sock();
  const events = record(sock, "close");
  sock.open("ws://forbidden.example/", (error) => heard.push(error.message));
  assert.deepEqual(heard, ["SecurityError"]);
  assert.equal(events.length, 1);
});

test("the older form of the chat example: connects by callback and reconnects by itself", async () => {
  const { gotalk, clock } = loadGotalk();
  const lists = [];
  const connectAgain = () => setTimeout(connect, 500);
  function connect() {
    gotalk.connect(`ws://${location.host}/gotalk`, (error, sock) => {
      if (error) {
        connectAgain();
        return;
      }
      sock.on("close", connectAgain);
      sock.request("list-messages", "jokes", (failure, messages) => lists.push(messages));
    });
  }
  connect();
  FakeWebSocket.last.end();
  await clock.advance(500);
  const ws = FakeWebSocket.last.accept().deliver("01");
  assert.deepEqual(ws.take().slice(3), ["r000000dlist-messages00000007", '"jokes"']);
  ws.deliver("R000000000002", "[]");
  await settled();
  assert.deepEqual(lists, [[]]);
  ws.end();
  await clock.advance(500);
  assert.equal(FakeWebSocket.made.length, 3);
});

test("the chat example: notifications right behind the version are heard", () => {
  const { gotalk } = loadGotalk();
  const seen = [];
  for (const name of ["rooms", "username", "newmsg"]) {
    gotalk.handleNotification(name, (value) => seen.push([name, value]));
  }
  const sock = gotalk.connection().on("open", (given) => seen.push(["open", given === sock]));
  FakeWebSocket.last.accept().deliver("01", "n005rooms00000002", "{}", "n008username00000003", '"A"');
  assert.deepEqual(seen, [
    ["open", true],
    ["rooms", {}],
    ["username", "A"],
  ]);
});

test("a WebSocket that the page opened: is adopted, greeted and read", async () => {
  const { gotalk, clock } = loadGotalk();
  const ws = new FakeWebSocket("ws://chat.example/");
  const sock = gotalk.Sock(gotalk.defaultHandlers);
  assert.throws(() => sock.adopt(ws), /not open/);
  assert.throws(() => sock.adopt({}), /unsupported transport/);
  ws.readyState = 1;
  const events = record(sock, "close");
  sock.adopt(ws);
  assert.equal(ws.binaryType, "arraybuffer");
  ws.deliver("01", "h000065000000");
  sock.handshake();
  const answer = sock.request("a");
  sock.startReading();
  sock.on("heartbeat", () => {});
  assert.equal(ws.take().length, 4);
  ws.deliver("R000000000001", "1");
  assert.equal(await answer, 1);
  ws.end();
  assert.equal(events[0][1].closeCode, 1006);
  assert.equal(sock.address(), null);
  assert.equal(clock.pending, 0);
});

test("messages between adopt and startReading: are kept", () => {
  const { gotalk } = loadGotalk();
  const ws = new FakeWebSocket("ws://chat.example/");
  ws.readyState = 1;
  const sock = gotalk.Sock(gotalk.defaultHandlers);
  const events = record(sock, "heartbeat");
  sock.adoptWebSocket(ws);
  ws.deliver("01", "h000065000000");
  assert.equal(events.length, 0);
  sock.handshake();
  sock.startReading();
  assert.equal(events.length, 1);
});

test("address: of the connection, or null", () => {
  const { sock, ws } = connectStock();
  assert.equal(sock.address(), "ws://chat.example:8000/gotalk/");
  assert.equal(sock.ws, ws);
  ws.end();
  assert.equal(sock.address(), null);
});

test("listeners: each once, in order, also while one removes itself", () => {
  const { sock } = connectStock();
  const seen = [];
  const first = (value) => seen.push(["first", value]);
  sock
    .on("a", first)
    .once("a", (value) => seen.push(["once", value]))
    .on("a", (value) => seen.push(["last", value]));
  assert.equal(sock.emit("a", 1), true);
  sock.off("a", first);
  sock.emit("a", 2);
  assert.deepEqual(seen, [
    ["first", 1],
    ["once", 1],
    ["last", 1],
    ["last", 2],
  ]);
});

test("listeners: once can be taken back, all can be removed, a name is only a name", () => {
  const { sock } = connectStock();
  const never = () => assert.fail("must not be called");
  sock.once("a", never);
  sock.removeListener("a", never);
  sock.addListener("b", never);
  sock.removeListeners("b");
  sock.on("c", never);
  sock.removeAllListeners();
  for (const name of ["a", "b", "c", "toString", "__proto__"]) assert.equal(sock.emit(name), false);
  assert.throws(() => sock.on("a", 5), TypeError);
});

test("a listener that throws: is reported, and the others and the connection go on", (t) => {
  const reports = expectReports(t);
  const { gotalk } = loadGotalk();
  const sock = gotalk.connection();
  let calls = 0;
  sock.on("open", () => {
    throw new Error("page");
  });
  sock.on("open", () => calls++);
  const events = record(sock, "heartbeat");
  FakeWebSocket.last.accept().deliver("01", "h000065000000");
  assert.deepEqual([calls, events.length, reports.callCount()], [1, 1, 1]);
});

test("EventEmitter.mixin: makes an emitter of any object", () => {
  const { gotalk } = loadGotalk();
  const object = gotalk.EventEmitter.mixin({ own: 1 });
  const events = record(object, "a");
  object.emit("a", 2);
  assert.deepEqual(events, [["a", 2]]);
  assert.deepEqual(Object.keys(object), ["own"]);
});
