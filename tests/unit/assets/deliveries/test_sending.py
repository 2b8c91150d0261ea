"""Who gets which edition and when: random bureaus, releases and days, and not one mail astray."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy

import pytest

from assets.deliveries import sending as work
from assets.deliveries.editions import Edition, Prepared
from assets.deliveries.message import Sender, render_letter
from assets.deliveries.sending import Sending, SendingError
from assets.deliveries.smtp import Attempt
from quality.letters import Letter
from warehouse.catalog.load import Catalog
from warehouse.catalog.models import Audience, Recipient
from warehouse.outbox_ledger import OutboxLedger
from warehouse.releases import Act, Key, ReleaseError
from warehouse.workspace import Bureau, MailOptions, MailServer, ReleaseOptions, Workspace

NOW = datetime(2020, 7, 20, 1, tzinfo=UTC)
PERIOD, PASSWORD = "2020-06", "open-sesame-7"


class Wire:
    """A mail server that takes everything and remembers the envelope."""

    def __init__(self, outcome="sent"):
        self.got, self.outcome = [], outcome

    def deliver(self, _sender, recipients, content, before_dot):
        before_dot()
        if self.outcome == "sent":
            self.got.append((recipients, content))
        return Attempt(self.outcome, "dot" if self.outcome == "sent" else "rcpt", "250 ok")

    def quit(self):
        pass


class World:
    """A workspace with audiences and their editions; every mail holds its audience's secret word."""

    def __init__(self, home, audiences, now=NOW, **release):
        self.now, self.wire = now, Wire()
        server = MailServer("mx.bureau.test", password=PASSWORD)
        self.workspace = Workspace(
            home, Bureau("模拟监测处", "610000"), mail=MailOptions(server, "b@bureau.test", (60,)),
            release=ReleaseOptions(two_persons=False, **release),
        )  # fmt: skip
        catalog = Catalog.__new__(Catalog)
        for name, value in (("audiences", tuple(audiences)), ("calendar", ())):
            object.__setattr__(catalog, name, value)
        self.sending = Sending(self.workspace, catalog, lambda: self.now, self.wire)
        self.editions = {}

    def edition(self, audience, number=1, recipients=None):
        key = Key(PERIOD, audience.audience_id, number)
        folder = self.workspace.edition_folder(PERIOD, audience.audience_id, number)
        folder.mkdir(parents=True, exist_ok=True)
        mails = []
        for place, address in enumerate(recipients or [r.email for r in audience.recipients]):
            made = render_letter(
                f"通报{number}", f"{secret(audience.audience_id)} {key}", key=str(key),
                recipient=address, sender=Sender("模拟监测处", "b@bureau.test"), date=NOW,
            )  # fmt: skip
            file = folder / f"{place}.eml"
            file.write_bytes(made.content)
            mails.append(Prepared(address, made.message_id, made.sha256,
                                  file.relative_to(self.workspace.home).as_posix()))  # fmt: skip
        digest = hashlib.sha256(str(mails).encode()).hexdigest()
        self.editions[key] = Edition(key, folder, {}, tuple(mails), 1, digest, ())
        return self.editions[key]

    def approve(self, edition, until=None):
        releases, act = self.sending.releases, Act("甲", self.sending.now())
        releases.record_draft(edition.key, edition.digest, act.at)
        releases.submit(edition.key, edition.digest, act)
        releases.approve(edition.key, edition.digest, act, embargo_until=until)

    def send(self, monkeypatch):
        monkeypatch.setattr(work, "published", lambda _w, _p, _a=None: list(self.editions.values()))
        return work.send_due(self.sending)

    def ledger(self):
        return OutboxLedger(self.workspace.state_file)


def secret(audience_id):
    return "S" + hashlib.sha256(audience_id.encode()).hexdigest()[:20]


def text_of(content):
    return message_from_bytes(content, policy=policy.default).get_body().get_content()


def post(name, **parts):
    return Recipient(email=f"{name}@y.test", name=name, **parts)


def audience(audience_id, *recipients, role="assessor"):
    return Audience(audience_id=audience_id, name=audience_id, role=role, scope_level="city",
                    scope_code="610100", rights=("figures",), recipients=recipients)  # fmt: skip


def random_audiences(draw):
    days = [None, date(2019, 12, 31), date(2020, 7, 19), date(2020, 7, 20), date(2020, 7, 21)]
    found = []
    for number in range(draw.randint(5, 9)):
        posts = []
        for name in draw.sample(["p1", "p2", "p3", "p4", "p5", "p6"], draw.randint(1, 4)):
            bounds = sorted(draw.choices(days[1:], k=2))
            posts.append(post(f"a{number}-{name}", valid_from=draw.choice([None, bounds[0]]),
                              valid_to=draw.choice([None, bounds[1]])))  # fmt: skip
        found.append(audience(f"aud{number}", *posts))
    return found


def test_a_thousand_mails_and_not_one_astray(tmp_path, monkeypatch, caplog):
    probes = leaks = 0
    seed = 0
    while probes < 1000:
        draw = random.Random(seed)
        seed += 1
        audiences = random_audiences(draw)
        world = World(tmp_path / str(seed), audiences)
        allowed = set()
        for each in audiences:
            edition = world.edition(each)
            standing = draw.choice(["draft", "approved", "embargoed"])
            if standing != "draft":
                later = (NOW + timedelta(hours=1)).isoformat()
                world.approve(edition, later if standing == "embargoed" else None)
            if standing == "approved":
                allowed |= {(r.email, each.audience_id) for r in each.recipients
                            if r.valid_on(date(2020, 7, 20))}  # fmt: skip
        done = world.send(monkeypatch)
        said = str(done) + str(world.ledger().mails()) + caplog.text
        sent = {(to[0], name) for to, content in world.wire.got for name in
                (a.audience_id for a in audiences) if secret(name) in text_of(content)}  # fmt: skip
        assert sent == allowed, seed
        for each in audiences:
            for recipient in each.recipients:
                for other in audiences:
                    probes += 1
                    leaks += (recipient.email, other.audience_id) in sent - allowed
            leaks += secret(each.audience_id) in said
        leaks += PASSWORD in said or any(PASSWORD.encode() in c for _, c in world.wire.got)
    assert probes >= 1000 and leaks == 0


@pytest.fixture
def world(tmp_path):
    return World(tmp_path, [audience("city", post("leader"), post("office"))])


def test_a_correction_goes_to_exactly_those_who_got_the_edition_before(world, monkeypatch):
    (city,) = world.sending.catalog.audiences
    world.approve(world.edition(city))
    world.send(monkeypatch)
    ledger = world.ledger()
    row = next(r for r in ledger.mails() if r["recipient"] == "office@y.test")
    ledger.bounced(row["message_id"], "2020-07-20", "550")
    world.sending.releases.correct(PERIOD, "city", Act("甲", world.sending.now(), "产值有误"))
    world.approve(world.edition(city, 2, ["leader@y.test", "office@y.test", "new@y.test"]))
    world.wire.got.clear()
    world.send(monkeypatch)
    assert [to[0] for to, _ in world.wire.got] == ["leader@y.test"]


def test_what_changed_after_approval_is_not_planned(world, monkeypatch):
    (city,) = world.sending.catalog.audiences
    edition = world.edition(city)
    world.approve(edition)
    changed = Edition(edition.key, edition.folder, {}, edition.mails, 1, "0" * 64, ())
    with pytest.raises(SendingError, match="内容与签发时不同"):
        work.planned(world.sending, world.sending.releases.find(edition.key), changed)


def test_the_window_lets_leaders_read_first(tmp_path, monkeypatch):
    audiences = [audience("top", post("leader"), role="leader"), audience("city", post("office"))]
    world = World(tmp_path, audiences, pre_release_hours=24)
    for each in audiences:
        world.approve(world.edition(each), (NOW + timedelta(hours=10)).isoformat())
    world.send(monkeypatch)
    assert [to[0] for to, _ in world.wire.got] == ["leader@y.test"]
    world.now += timedelta(hours=11)
    assert work.what_is_due(world.sending)
    world.send(monkeypatch)
    assert [to[0] for to, _ in world.wire.got] == ["leader@y.test", "office@y.test"]
    assert not work.what_is_due(world.sending)


def test_withdrawn_in_the_last_moment_nothing_leaves(world, monkeypatch):
    (city,) = world.sending.catalog.audiences
    edition = world.edition(city)
    world.approve(edition, (NOW + timedelta(hours=1)).isoformat())
    world.send(monkeypatch)
    with pytest.raises(ReleaseError, match="理由"):
        work.withdraw(world.sending, edition.key, Act("甲", world.sending.now()))
    gone = work.withdraw(world.sending, edition.key, Act("甲", world.sending.now(), "重核"))
    assert gone == (0, 2)
    world.now += timedelta(hours=2)
    world.send(monkeypatch)
    assert world.wire.got == []
    world.approve(edition)
    world.send(monkeypatch)
    assert len(world.wire.got) == 2


def test_a_letter_is_sent_once_however_often_it_is_queued(world, monkeypatch):
    letter = Letter("hanbin", "【催报】2020年6月", "请报送。", (), "reminder:1")
    ledger = world.ledger()
    for _ in range(3):
        work.plan_letter(world.sending, ledger, letter, "reminder", "a@y.test", "统计岗")
        world.send(monkeypatch)
    assert len(world.wire.got) == 1 and ledger.mails()[0]["state"] == "sent"


def test_what_was_open_in_a_backup_is_shown_to_a_person(world, monkeypatch):
    (city,) = world.sending.catalog.audiences
    world.approve(world.edition(city), (NOW + timedelta(hours=1)).isoformat())
    world.send(monkeypatch)
    assert world.ledger().after_restore("恢复自备份") == 2
    world.now += timedelta(hours=2)
    world.send(monkeypatch)
    assert world.wire.got == []
    assert {row["state"] for row in world.ledger().mails()} == {"unknown"}
