"""gRPC between the roles: tables of methods over the domain's types, and two bindings that serve and call them.

`authority`, `conversations` and `moderation` hold a table each, the server's side (`auth_service`, …) and the client
that implements the port (`GrpcAuthority`, …). `bindings` chooses the library, `options` says how. The two bindings are
the rooms `grpcio` and `purerpc`; between them and the tables stand `dispatch` (server) and `caller` (client).
"""
