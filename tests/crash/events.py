"""The events of the load: what is published, and the exact bytes that must arrive.

The rendering is the test's own, made from the platform's documentation; it shares nothing with the
gateway. All content but an id follows from a seed and a number.
"""

import dataclasses
import datetime
import hashlib
import json
import random
import time
import uuid

# An organization and its path, root first.
ORGANIZATIONS = {
    "root-a": ["root-a"],
    "child-a1": ["root-a", "child-a1"],
    "child-a2": ["root-a", "child-a2"],
    "solo-b": ["solo-b"],
    "solo-c": ["solo-c"],
    "5c138790ec944f05ff5f6d77": ["5c138790ec944f05ff5f6d77"],
    "solo-e": ["solo-e"],
    "nobody": ["nobody"],  # No subscription: its events are only stored.
}

TYPES = [
    "message.create.contact.chat",
    "message.create.contact.chat",
    "message.create.agent.form",
    "message.update",
    "conversation.update",
    "form.create",
    "user.login",
]

TEXTS = [
    "hello",
    "Héllo <b> & 😀",
    'quote " backslash \\ slash / tab \t line \n',
    "control \x01 delete \x7f separator \u2028",
]

EPOCH = datetime.datetime(2018, 12, 19, 19, 9, 1, tzinfo=datetime.timezone.utc)
KEYS = ["", "", "a", "b", "c é"]

API = "https://api.chatshipper.com/v2"
LINK_ORDER = ["organization", "conversation", "message", "contact", "user"]


def stringify(value):
    """JSON as JSON.stringify writes it, for the values used here."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def stringify_sorted(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def make_id(rng):
    """Mostly version 7, as recommended; some random ones."""
    if rng.random() < 0.1:
        return str(uuid.UUID(int=rng.getrandbits(128), version=4))
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | 0x7 << 76 | rng.getrandbits(12) << 64
    return str(uuid.UUID(int=value | 0b10 << 62 | rng.getrandbits(62)))


@dataclasses.dataclass
class Content:
    """What a publisher gives, and the body that follows from it."""

    id: str
    type: str
    organization: str
    path: list
    milliseconds: int  # Since EPOCH.
    actor: dict
    object: dict
    summary: str
    structs: dict  # Resource name -> value, sent as a Struct.
    raw: dict  # Resource name -> (bytes as sent, the same compactly).
    links: dict
    ordering_key: str  # No part of the body.

    def timestamp(self):
        moment = EPOCH + datetime.timedelta(milliseconds=self.milliseconds)
        text = moment.strftime("%Y-%m-%dT%H:%M:%S")
        fraction = self.milliseconds % 1000
        return text + (f".{fraction:03d}" if fraction else "") + "Z"

    def body(self):
        resources = {name: stringify_sorted(value) for name, value in self.structs.items()}
        resources.update({name: compact for name, (_, compact) in self.raw.items()})
        names = [name for name in LINK_ORDER if name in self.links]
        names += sorted(name for name in self.links if name not in LINK_ORDER)
        members = [f"{stringify(name)}:{resources[name]}" for name in sorted(resources)]
        members.append('"links":' + stringify({name: self.links[name] for name in names}))
        activity = {
            "@context": "https://www.w3.org/ns/activitystreams",
            "type": "Create",
            "actor": self.actor,
            "object": self.object,
            "published": self.timestamp(),
            "summary": self.summary,
        }
        head = {
            "id": self.id,
            "timestamp": self.timestamp(),
            "event": self.type,
            "organization": self.organization,
            "activity": activity,
        }
        return (stringify(head)[:-1] + ',"data":{' + ",".join(members) + "}}").encode()

    def body_hash(self):
        return hashlib.sha256(self.body()).hexdigest()


def filler(rng):
    draw = rng.random()
    if draw < 0.002:
        return "x" * rng.randrange(50_000, 200_000)
    if draw < 0.2:
        return "y" * rng.randrange(500, 4000)
    return ""


def make_content(seed, number, event_id):
    """Event `number` of the load."""
    rng = random.Random(f"{seed}/{number}")
    organization = rng.choice(list(ORGANIZATIONS))
    message = f"5c1a974d{number:016x}"
    text = rng.choice(TEXTS)
    raw_value = stringify({"zeta": text, "id": message, "fill": filler(rng)})
    number_texts = "[1.50,9007199254740993123,-0,1E40]"
    compact = raw_value[:-1] + ',"numbers":' + number_texts + "}"
    spaced = "{ " + raw_value[1:-1] + ' ,\n "numbers" : ' + number_texts + " }"
    return Content(
        id=event_id,
        type=rng.choice(TYPES),
        organization=organization,
        path=ORGANIZATIONS[organization],
        milliseconds=rng.randrange(10**9) * rng.choice([1, 1000]),
        actor={"id": f"{API}/users/{number}", "type": "Person"},
        object={"id": f"{API}/messages/{message}", "type": "Object"},
        summary=f"User {text} created number {number}",
        structs={"conversation": {"id": message, "open": True, "b": [1, 0.5, None], "a": {"z": 1}}},
        raw={"message": (spaced.encode(), compact)},
        links={"zoo": API + "/zoo", "message": f"{API}/messages/{message}", "contact": API},
        ordering_key=rng.choice(KEYS),
    )


def enlarge(content):
    """Makes the content nearly as large as a body may be."""
    content.organization, content.path = "solo-e", ORGANIZATIONS["solo-e"]
    text = '"' + "big " * 60_000 + '"'
    content.raw = {"message": (text.encode(), text)}


def fill_event(event, content, omits_path=False):
    """Puts `content` into a postrider.v1.Event message, the organization's path only if asked."""
    event.id = content.id
    event.type = content.type
    event.organization = content.organization
    if len(content.path) > 1 and not omits_path:
        event.organization_path.extend(content.path)
    event.time.seconds = int(EPOCH.timestamp()) + content.milliseconds // 1000
    event.time.nanos = content.milliseconds % 1000 * 1_000_000
    event.ordering_key = content.ordering_key
    event.activity.type = "Create"
    event.activity.actor.id = content.actor["id"]
    event.activity.actor.type = content.actor["type"]
    event.activity.object.id = content.object["id"]
    event.activity.object.type = content.object["type"]
    event.activity.summary = content.summary
    for name, value in content.structs.items():
        event.data[name].struct.update(value)
    for name, (raw, _) in content.raw.items():
        event.data[name].json = raw
    for name, url in content.links.items():
        event.links[name] = url
