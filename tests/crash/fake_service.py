"""The gRPC door of fake_gateway.py."""

import base64
import http.client
import os
import urllib.parse

import grpc

SUCCESS = 1
ORIGIN_FIRST, ORIGIN_REPLAY, ORIGIN_REDRIVE = 1, 3, 4
REPLAY_DONE = 2


class Service:
    """The RPCs that the crash test calls."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.schema = gateway.schema

    def receipt(self, kind, fields):
        message = kind(id=fields[0], duplicate=fields[2])
        message.accept_time.FromNanoseconds(fields[1])
        return message

    def Publish(self, request, context):
        fields, error = self.gateway.publish(request.event)
        if error:
            context.abort(*error)
        return self.receipt(self.schema.PublishResponse, fields)

    def result(self, message, event):
        fields, error = self.gateway.publish(event)
        if error:
            message.error.code, message.error.message = error[0].value[0], error[1]
        else:
            message.receipt.CopyFrom(self.receipt(self.schema.PublishReceipt, fields))
        return message

    def PublishBatch(self, request, context):
        if len(request.events) > 1000:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "events: more than 1000")
        return self.schema.PublishBatchResponse(
            results=[self.result(self.schema.PublishResult(), event) for event in request.events])

    def PublishStream(self, requests, context):
        for request in requests:
            yield self.result(self.schema.PublishStreamResponse(sequence=request.sequence),
                              request.event)

    def shown(self, record, secret=False):
        return self.schema.Subscription(id=record["id"], state=1, url=record["url"],
                                        secret=record["secret"] if secret else "")

    def CreateSubscription(self, request, context):
        wish = request.subscription
        with self.gateway.lock:
            old = self.gateway.subscriptions.get(request.subscription_id)
            if old is None:
                if wish.verification == 2:
                    self.challenge(wish.url)
                old = {"id": request.subscription_id, "url": wish.url, "scope": wish.scope,
                       "organization": wish.organization, "patterns": list(wish.event_types),
                       "secret": wish.secret or self.new_secret(),
                       "schedule": [d.seconds + d.nanos / 1e9 for d in wish.policy.schedule]
                                   or [0.0, 1.0, 1.0, 1.0, 2.0, 5.0],
                       "order": wish.policy.order, "start": len(self.gateway.order)}
                self.store(old)
        return self.schema.CreateSubscriptionResponse(subscription=self.shown(old, True))

    @staticmethod
    def new_secret():
        return "whsec_" + base64.b64encode(os.urandom(24)).decode()

    @staticmethod
    def challenge(url):
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=20)
        connection.request("GET", parts.path + "?type=subscribe&challenge=abc")
        if connection.getresponse().read() != b"abc":
            raise RuntimeError("challenge failed")
        connection.close()

    def store(self, record):
        self.gateway.apply("subscription", record)
        self.gateway.write("subscription", record)

    def existing(self, subscription_id, context):
        record = self.gateway.subscriptions.get(subscription_id)
        if record is None or record.get("deleted"):
            context.abort(grpc.StatusCode.NOT_FOUND, "no such subscription")
        return record

    def GetSubscription(self, request, context):
        record = self.existing(request.subscription_id, context)
        return self.schema.GetSubscriptionResponse(subscription=self.shown(record))

    def UpdateSubscription(self, request, context):
        with self.gateway.lock:
            record = dict(self.existing(request.subscription.id, context))
            record["url"] = request.subscription.url
            record["patterns"] = list(request.subscription.event_types)
            self.store(record)
        return self.schema.UpdateSubscriptionResponse(subscription=self.shown(record))

    def DeleteSubscription(self, request, context):
        with self.gateway.lock:
            record = dict(self.existing(request.subscription_id, context), deleted=True)
            self.store(record)
        return self.schema.DeleteSubscriptionResponse()

    def GetEvent(self, request, context):
        record = self.gateway.events.get((request.organization, request.event_id))
        if record is None or "digest" not in record:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such event")
        response = self.schema.GetEventResponse()
        response.event.id = record["id"]
        response.event.body = base64.b64decode(record["body"]).decode()
        return response

    def ListEvents(self, request, context):
        response = self.schema.ListEventsResponse()
        with self.gateway.lock:
            events = [self.gateway.events[key] for key in reversed(self.gateway.order)]
        for record in events:
            if record["organization"] == request.organization:
                response.events.add(id=record["id"], ordering_key=record["ordering_key"])
        return response

    def ListDeadLetters(self, request, context):
        response = self.schema.ListDeadLettersResponse()
        length = len(self.existing(request.subscription_id, context)["schedule"])
        with self.gateway.lock:
            for (_, event_id), attempts in self.gateway.attempts.items():
                made = [a for a in attempts if a["subscription"] == request.subscription_id]
                if (len(made) >= length and made[-1]["outcome"] != SUCCESS
                        and event_id not in self.redriven(request.subscription_id)):
                    response.dead_letters.add(event_id=event_id, reason=1, attempts=len(made))
        if self.gateway.fault == "lose_dead":
            del response.dead_letters[:1]
        return response

    # --- Again: what is sent again is as if to a subscription of its own ---

    def again(self, subscription_id, origin, event_ids, context):
        gateway = self.gateway
        with gateway.lock:
            ids = [i for i in event_ids if not gateway.chance("lose_again", 0.2)]
            if gateway.fault == "unasked_again":
                ids += [key[1] for key in gateway.order[-1:]]
            record = dict(self.existing(subscription_id, context), order=0, of=subscription_id,
                          id=f"again-{len(gateway.subscriptions)}", origin=origin, again=ids)
            self.store(record)
            for key in gateway.order:
                if key[1] in ids:
                    gateway.enqueue_pair(key, record["id"])
        return record["id"]

    def redriven(self, subscription_id):
        return {event_id for record in self.gateway.subscriptions.values()
                if record.get("of") == subscription_id and record["origin"] == ORIGIN_REDRIVE
                for event_id in record["again"]}

    def Replay(self, request, context):
        subscription_id = request.subscription_id
        with self.gateway.lock:
            wanted = [key[1] for key in self.gateway.order
                      if subscription_id in self.gateway.wanted_by(self.gateway.events[key])]
        replay_id = self.again(subscription_id, ORIGIN_REPLAY, wanted, context)
        return self.schema.ReplayResponse(replay=self.schema.Replay(id=replay_id))

    def GetReplay(self, request, context):
        return self.schema.GetReplayResponse(
            replay=self.schema.Replay(id=request.replay_id, state=REPLAY_DONE))

    def Redrive(self, request, context):
        letters = self.ListDeadLetters(request, context).dead_letters
        self.again(request.subscription_id, ORIGIN_REDRIVE, [l.event_id for l in letters], context)
        return self.schema.RedriveResponse(redriven_count=len(letters))

    def ListAttempts(self, request, context):
        attempts = self.gateway.attempts.get((request.organization, request.event_id), [])
        response = self.schema.ListAttemptsResponse()
        for record in reversed(attempts):
            subscription = self.gateway.subscriptions[record["subscription"]]
            response.attempts.add(event_id=record["event"], number=record["number"],
                                  subscription_id=subscription.get("of", subscription["id"]),
                                  origin=subscription.get("origin", ORIGIN_FIRST),
                                  outcome=record["outcome"])
        return response


def handlers(schema, service):
    kinds = {(False, False): grpc.unary_unary_rpc_method_handler,
             (True, True): grpc.stream_stream_rpc_method_handler}
    by_service = {}
    for path, request, response, client_streams, server_streams in schema.methods():
        _, service_name, method = path.split("/")
        if hasattr(service, method):
            by_service.setdefault(service_name, {})[method] = kinds[client_streams, server_streams](
                getattr(service, method), request_deserializer=request.FromString,
                response_serializer=response.SerializeToString)
    return [grpc.method_handlers_generic_handler(name, methods)
            for name, methods in by_service.items()]
