// Centrifuge as a contestant: its WebSocket with JSON, a JWT checked on connecting, history and recovery of each room.
//
// Environment: PORT, PUBLIC_KEY (a PEM file with an Ed25519 key), PING_SECONDS, DEFLATE ("1" or nothing).
// It leaves out: storage that survives the process, membership, one `client_id` one message, presence.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/golang-jwt/jwt/v5"
)

const (
	historySize = 1000
	historyTTL  = 10 * time.Minute
	queueBytes  = 256 << 20 // a contestant that is behind shall be late, not cut off
)

func main() {
	pem, err := os.ReadFile(os.Getenv("PUBLIC_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	key, err := jwt.ParseEdPublicKeyFromPEM(pem)
	if err != nil {
		log.Fatal(err)
	}
	node, err := centrifuge.New(centrifuge.Config{
		LogLevel: centrifuge.LogLevelError, LogHandler: func(entry centrifuge.LogEntry) { log.Println(entry.Message, entry.Fields) },
		ClientQueueMaxSize: queueBytes, ClientChannelLimit: 200,
	})
	if err != nil {
		log.Fatal(err)
	}
	node.OnConnecting(func(_ context.Context, event centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		claims := jwt.RegisteredClaims{}
		_, err := jwt.ParseWithClaims(event.Token, &claims, func(*jwt.Token) (any, error) { return key, nil },
			jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithExpirationRequired())
		if err != nil || claims.Subject == "" {
			return centrifuge.ConnectReply{}, errors.Join(centrifuge.DisconnectInvalidToken, err)
		}
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: claims.Subject}}, nil
	})
	node.OnConnect(serve)
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}
	seconds, err := strconv.ParseFloat(os.Getenv("PING_SECONDS"), 64)
	if err != nil {
		seconds = 25
	}
	ping := time.Duration(seconds * float64(time.Second))
	http.Handle("/ws", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		Compression: os.Getenv("DEFLATE") == "1", UseWriteBufferPool: true, WriteTimeout: time.Minute,
		PingPongConfig: centrifuge.PingPongConfig{PingInterval: ping, PongTimeout: ping / 2},
		// One compression for all who get the same bytes.
		CompressionPreparedMessageCacheSize: 16 << 20,
	}))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}

func serve(client *centrifuge.Client) {
	client.OnSubscribe(func(_ centrifuge.SubscribeEvent, reply centrifuge.SubscribeCallback) {
		reply(centrifuge.SubscribeReply{Options: centrifuge.SubscribeOptions{EnableRecovery: true}}, nil)
	})
	client.OnPublish(func(_ centrifuge.PublishEvent, reply centrifuge.PublishCallback) {
		options := centrifuge.PublishOptions{HistorySize: historySize, HistoryTTL: historyTTL}
		reply(centrifuge.PublishReply{Options: options}, nil)
	})
}
