// Socket.IO as a contestant, over WebSocket alone. It leaves out what ws.mjs does; its recovery of sessions is on.
import { Server } from "socket.io";

import { DEFLATE, PING_MS, PORT, checkToken, readHistory, recordMessage } from "./room.mjs";

const server = new Server({
  transports: ["websocket"],
  perMessageDeflate: DEFLATE,
  pingInterval: PING_MS,
  connectionStateRecovery: {},
});

server.use((socket, next) => {
  checkToken(socket.handshake.auth.token).then((user) => {
    socket.data.user = user;
    socket.join(`user:${user.id}`);
    next();
  }, next);
});

server.on("connection", (socket) => {
  const { user } = socket.data;
  socket.on("subscribe", (command, answer) => {
    socket.join(command.room);
    answer({ type: "ok", messages: readHistory(command.room, command.since) });
  });
  socket.on("send", (command, answer) => {
    server.to(command.room).emit("message", recordMessage(user, command));
    answer({ type: "ok" });
  });
  socket.on("dm", ({ to, text, client_id }, answer) => {
    const event = { from: user, to, text, ts: new Date().toISOString(), client_id };
    server.to(`user:${to}`).to(`user:${user.id}`).emit("dm", event);
    answer({ type: "ok" });
  });
  socket.on("echo", (command) => socket.emit("echo", command));
});

server.listen(PORT);
