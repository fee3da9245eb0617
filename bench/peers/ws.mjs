// Sends every message to every client and stores nothing: what bench/fanout_ws.py measures.
// Runs in a folder where `npm install ws` was done.
import { createRequire } from "node:module";

const { WebSocketServer } = createRequire(`${process.cwd()}/`)("ws");
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false }, () =>
  console.log(server.address().port),
);

server.on("connection", (socket) => {
  socket.on("message", (data) => {
    for (const client of server.clients) client.send(data);
  });
});
