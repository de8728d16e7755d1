// The library `ws` as a contestant. It leaves out: storage, membership, one `client_id` one message, presence.
import { WebSocketServer } from "ws";

import { DEFLATE, PING_MS, PORT, checkToken, readHistory, recordMessage } from "./room.mjs";

const rooms = new Map();
const users = new Map();
const server = new WebSocketServer({ host: "127.0.0.1", port: PORT, path: "/ws", perMessageDeflate: DEFLATE, backlog: 4096 });

function send(socket, value) {
  socket.send(JSON.stringify(value));
}

function broadcast(members, event) {
  const data = Buffer.from(JSON.stringify(event));
  for (const member of members) member.send(data, { binary: false });
}

function join(sets, name, socket) {
  if (!sets.has(name)) sets.set(name, new Set());
  sets.get(name).add(socket);
  socket.sets.push(sets.get(name));
}

async function handle(socket, command) {
  if (socket.user === undefined) {
    socket.user = await checkToken(command.token);
    join(users, socket.user.id, socket);
  } else if (command.type === "subscribe") {
    join(rooms, command.room, socket);
    send(socket, { type: "ok", id: command.id, messages: readHistory(command.room, command.since) });
    return;
  } else if (command.type === "send") {
    broadcast(rooms.get(command.room), recordMessage(socket.user, command));
  } else if (command.type === "dm") {
    const { to, text, client_id } = command;
    const event = { type: "dm", from: socket.user, to, text, ts: new Date().toISOString(), client_id };
    broadcast(users.get(to), event);
    broadcast(users.get(socket.user.id), event);
  } else if (command.type === "echo") {
    send(socket, command);
    return;
  }
  send(socket, { type: "ok", id: command.id });
}

server.on("connection", (socket) => {
  socket.sets = [];
  socket.alive = true;
  socket.on("pong", () => (socket.alive = true));
  socket.on("error", () => socket.terminate());
  socket.on("message", (data) => handle(socket, JSON.parse(data)).catch(() => socket.close(4001)));
  socket.on("close", () => socket.sets.forEach((set) => set.delete(socket)));
});

setInterval(() => {
  for (const socket of server.clients) {
    if (!socket.alive) socket.terminate();
    socket.alive = false;
    socket.ping();
  }
}, PING_MS);
