"""The mailbox on two real servers: what it hands over, and above all what it leaves alone."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, date, datetime, timedelta

import pytest

from config.settings import Folders
from intake import mailbox as mailbox_module
from intake.errors import MailboxUnavailable, SignInRefused
from intake.imap_connection import encoded
from intake.mailbox import Filed, Gone, ImapMailbox

NAMES = ("Recibidas", "En corrección", "Para una persona")
ON_THE_WIRE = {
    "pymap": {"Pr&AOE-cticas", "Pr&AOE-cticas/Recibidas", "Pr&AOE-cticas/En correcci&APM-n"},
    "dovecot": {"Pr&AOE-cticas", "Pr&AOE-cticas.Recibidas", "Pr&AOE-cticas.En correcci&APM-n"},
}


def mail(number: int, body: str = "Cuerpo", extra: str = "") -> bytes:
    text = (
        f"From: Ana <ana{number}@example.org>\r\nTo: practicas@example.org\r\nSubject: {number}\r\n"
        f"Message-ID: <{number}@example.org>\r\n{extra}\r\n{body}\r\n.\r\n"
    )
    return text.encode()


@pytest.fixture(name="open_box")
def _open_box(imap_server):
    """Opens our mailbox on the server; closed with the test."""
    opened = []

    def open_box(max_bytes: int = 1_000_000, **changes):
        box = ImapMailbox(imap_server.settings(**changes), max_bytes=max_bytes)
        box.connect()
        opened.append(box)
        return box

    yield open_box
    for box in opened:
        box.close()


def by_uid(server, folder="INBOX"):
    return {uid: (flags, raw) for uid, flags, raw in server.snapshot(folder)}


def filed_raw(server, filed: Filed) -> bytes:
    return by_uid(server, encoded(filed.folder).decode().strip('"'))[filed.uid][1]


def test_messages_come_byte_for_byte_and_stay_unread(imap_server, open_box):
    """Fetching gives the raw bytes in the order of UIDs and changes no flag of any message."""
    originals = [mail(1), mail(2, extra="X-Odd:\ttab  and  spaces \r\n"), b"Subject: nothing more\r\n\r\n"]
    for raw in originals:
        imap_server.append(raw)
    imap_server.append(mail(4), flags=("\\Seen", "\\Flagged"))
    before = imap_server.snapshot()
    box = open_box()

    fetched = list(box.fetch(box.new_uids(0)))

    assert [*originals, mail(4)] == [each.raw for each in fetched]
    assert [len(raw) for raw in (*originals, mail(4))] == [each.size for each in fetched]
    assert sorted(each.delivery.uid for each in fetched) == [each.delivery.uid for each in fetched]
    assert before == imap_server.snapshot()


def test_the_delivery_names_account_folder_and_both_numbers(imap_server, open_box):
    """The key of a delivery is what the server itself tells."""
    imap_server.append(mail(1))
    box = open_box(name="red")

    [fetched] = box.fetch(box.new_uids(0))

    state = box.state()
    assert (fetched.delivery.account, fetched.delivery.folder) == ("red", "INBOX")
    assert state.uidvalidity == fetched.delivery.uidvalidity
    assert state.uidnext == fetched.delivery.uid + 1


def test_the_internal_date_keeps_its_moment(imap_server, open_box):
    """INTERNALDATE is aware, whatever zone the server uses."""
    imap_server.append(mail(1), date='"05-Mar-2026 23:30:00 -0500"')
    box = open_box()

    [fetched] = box.fetch(box.new_uids(0))

    assert datetime(2026, 3, 6, 4, 30, tzinfo=UTC) == fetched.internal_date


def test_new_uids_leaves_out_the_last_message_that_is_known(imap_server, open_box):
    """`n:*` names the last message even when its UID is below n; nothing new must mean nothing."""
    for number in range(3):
        imap_server.append(mail(number))
    box = open_box()
    uids = box.new_uids(0)

    assert len(uids) == 3
    assert uids[1:] == box.new_uids(uids[0])
    assert box.new_uids(uids[-1]) == []
    assert box.new_uids(uids[-1] + 100) == []


def test_mail_that_comes_later_is_seen_on_the_same_connection(imap_server, open_box):
    """The selected inbox is refreshed before it is searched."""
    box = open_box()
    assert box.new_uids(0) == []

    imap_server.append(mail(1))

    assert len(box.new_uids(0)) == 1


def test_an_idle_look_costs_few_commands_whatever_the_box_holds(imap_server, open_box):
    """State and new UIDs together take at most five commands on a connection that is open."""
    imap_server.append(mail(1))
    box = open_box()
    last = box.new_uids(0)[-1]
    before = box.commands

    box.state()
    box.new_uids(last)

    assert box.commands - before == 3


def test_many_messages_are_fetched_in_batches(imap_server, open_box):
    """Hundred and twenty messages take three fetches of bodies and one of sizes, not one each."""
    for number in range(120):
        imap_server.append(mail(number))
    box = open_box()
    uids = box.new_uids(0)
    before = box.commands

    fetched = list(box.fetch(uids))

    assert uids == [each.delivery.uid for each in fetched]
    assert box.commands - before == 4


def test_a_batch_is_bounded_by_bytes_too(imap_server, open_box, monkeypatch):
    """Batches end before they hold more than the allowed bytes; a larger message comes alone."""
    monkeypatch.setattr(mailbox_module, "_BATCH_BYTES", 3_000)
    for number in range(4):
        imap_server.append(mail(number, body="x" * 1_200))
    imap_server.append(mail(9, body="y" * 9_000))
    box = open_box()
    uids = box.new_uids(0)
    before = box.commands

    assert len(list(box.fetch(uids))) == 5
    assert box.commands - before == 4


def test_a_message_over_the_limit_is_not_fetched_whole(imap_server, open_box, monkeypatch):
    """Its size is told, its bytes come in pieces, and the other messages come as ever."""
    monkeypatch.setattr(mailbox_module, "_CHUNK", 1_000)
    large = mail(2, body="z" * 4_900)
    for raw in (mail(1), large, mail(3)):
        imap_server.append(raw)
    box = open_box(max_bytes=2_000)

    fetched = list(box.fetch(box.new_uids(0)))

    assert [mail(1), None, mail(3)] == [each.raw for each in fetched]
    assert len(large) == fetched[1].size
    pieces = list(box.fetch_chunks(fetched[1].delivery.uid))
    assert large == b"".join(pieces)
    assert all(len(piece) <= 1_000 for piece in pieces)
    assert [frozenset()] * 3 == [flags for _, flags, _ in imap_server.snapshot()]


def test_pieces_of_a_message_whose_size_is_a_whole_number_of_pieces(imap_server, open_box, monkeypatch):
    """The last piece may be a full one; then the next is empty, and that is the end."""
    raw = mail(1, body="z" * 500)
    monkeypatch.setattr(mailbox_module, "_CHUNK", len(raw) // 2 if len(raw) % 2 == 0 else len(raw))
    imap_server.append(raw)
    box = open_box()
    [uid] = box.new_uids(0)

    assert raw == b"".join(box.fetch_chunks(uid))


def test_pieces_of_a_message_that_is_gone_say_so(imap_server, open_box):
    """Somebody moved it meanwhile: an exception of its own, not an empty message."""
    box = open_box()

    with pytest.raises(Gone):
        list(box.fetch_chunks(4711))
    assert box.connected


def test_uids_that_are_gone_are_left_out(imap_server, open_box):
    """A message deleted by a person between search and fetch simply does not come."""
    for number in range(3):
        imap_server.append(mail(number))
    box = open_box()
    uids = box.new_uids(0)
    other = imap_server.client()
    other.select("INBOX")
    other.uid("STORE", str(uids[1]), "+FLAGS", "(\\Deleted)")
    other.expunge()

    fetched = list(box.fetch([*uids, 4711]))

    assert [uids[0], uids[2]] == [each.delivery.uid for each in fetched]


def test_folders_with_spaces_and_accents_are_made_once(imap_server, open_box):
    """Root and folders appear with the server's own separator, subscribed; a second time nothing happens."""
    box = open_box()

    box.prepare_folders(NAMES)

    assert ON_THE_WIRE[imap_server.kind] <= imap_server.folders()
    _, subscribed = imap_server.client().lsub()
    assert b"En correcci&APM-n" in b"".join(line for line in subscribed if line)
    before = (imap_server.folders(), box.commands)
    box.prepare_folders(NAMES)
    assert (before[0], before[1] + 1) == (imap_server.folders(), box.commands)


def test_a_folder_that_a_person_filled_is_left_as_it_is(imap_server, open_box):
    """Preparing folders touches neither what lies in them nor their subscription."""
    box = open_box()
    box.prepare_folders(NAMES)
    wire = next(name for name in imap_server.folders() if name.endswith("Recibidas"))
    imap_server.append(mail(1), folder=wire, flags=("\\Flagged",))
    imap_server.client().unsubscribe(f'"{wire}"')
    before = imap_server.snapshot(wire)

    box.prepare_folders(NAMES)

    assert before == imap_server.snapshot(wire)
    _, subscribed = imap_server.client().lsub()
    assert b"Recibidas" not in b"".join(line for line in subscribed if line)


def test_the_separator_within_a_folder_name_makes_no_level(imap_server, open_box):
    """A point in a name ("Avisos aut.") is no level on a server that separates by points."""
    box = open_box(folders=Folders(automatic="Avisos aut. 2026"))

    box.prepare_folders(["Avisos aut. 2026"])

    made = sorted(name for name in imap_server.folders() if "Avisos" in name)
    expected = {"pymap": "Pr&AOE-cticas/Avisos aut. 2026", "dovecot": "Pr&AOE-cticas.Avisos aut- 2026"}
    assert [expected[imap_server.kind]] == made


def test_filing_moves_one_message_with_its_flags_and_tells_where(imap_server, open_box):
    """The copy has the same bytes and flags, read or unread; the others do not move or change."""
    imap_server.append(mail(1), flags=("\\Seen", "\\Flagged"))
    imap_server.append(mail(2))
    imap_server.append(mail(3), flags=("\\Answered",))
    box = open_box()
    box.prepare_folders(NAMES)
    first, second, third = box.new_uids(0)
    before = by_uid(imap_server)

    seen = box.file(first, "Recibidas")
    unseen = box.file(second, "En corrección")

    assert {third: before[third]} == by_uid(imap_server)
    for filed, uid in ((seen, first), (unseen, second)):
        wire = encoded(filed.folder).decode().strip('"')
        assert {filed.uid: before[uid]} == by_uid(imap_server, wire)
        assert box.holds(filed.folder, filed.uidvalidity, filed.uid)


def test_another_clients_deleted_mark_survives_filing(imap_server, open_box):
    r"""A message that somebody else marked \Deleted is still there, still marked, after filing and closing."""
    for number in range(3):
        imap_server.append(mail(number))
    other = imap_server.client()
    other.select("INBOX")
    box = open_box()
    marked, ours, kept = box.new_uids(0)
    other.uid("STORE", str(marked), "+FLAGS", "(\\Deleted)")

    box.file(ours, "Recibidas")
    box.close()

    after = by_uid(imap_server)
    assert {marked, kept} == set(after)
    assert frozenset({"\\Deleted"}) == after[marked][0]


@pytest.mark.parametrize("known", [{"UIDPLUS"}, {"MOVE", "UIDPLUS"}])
def test_filing_without_move_is_as_careful(imap_server, open_box, known):
    r"""COPY, a mark and UID EXPUNGE of that UID alone: the same end, the same care for others' \Deleted."""
    for number in range(3):
        imap_server.append(mail(number), flags=("\\Seen",) if number == 1 else ())
    box = open_box()
    box.prepare_folders(NAMES)
    marked, ours, kept = box.new_uids(0)
    other = imap_server.client()
    other.select("INBOX")
    other.uid("STORE", str(marked), "+FLAGS", "(\\Deleted)")
    before = by_uid(imap_server)
    box._link.capabilities = frozenset(known)

    filed = box.file(ours, "Recibidas")

    assert {marked: before[marked], kept: before[kept]} == by_uid(imap_server)
    assert before[ours] == by_uid(imap_server, encoded(filed.folder).decode().strip('"'))[filed.uid]


def test_a_server_that_can_do_neither_keeps_the_message_where_it_is(imap_server, open_box):
    """Without MOVE and UIDPLUS only a bare EXPUNGE could remove it: nothing is copied, marked or removed."""
    imap_server.append(mail(1))
    box = open_box()
    box.prepare_folders(NAMES)
    [uid] = box.new_uids(0)
    before = imap_server.snapshot()
    box._link.capabilities = frozenset({"IMAP4REV1"})

    assert not box.can_file
    assert box.file(uid, "Recibidas") is None
    assert before == imap_server.snapshot()
    wire = next(name for name in imap_server.folders() if name.endswith("Recibidas"))
    assert imap_server.snapshot(wire) == []


@pytest.mark.parametrize("known", [{"UIDPLUS"}, {"MOVE", "UIDPLUS"}])
def test_filing_a_uid_that_is_gone_gives_none(imap_server, open_box, known):
    """A person was quicker: no error, no copy, nothing else moves."""
    imap_server.append(mail(1))
    imap_server.append(mail(2))
    box = open_box()
    box.prepare_folders(NAMES)
    first, second = box.new_uids(0)
    other = imap_server.client()
    other.select("INBOX")
    other.uid("STORE", str(first), "+FLAGS", "(\\Deleted)")
    other.expunge()
    box._link.capabilities = frozenset(known)

    assert box.file(first, "Recibidas") is None
    assert box.file(4711, "Recibidas") is None
    assert {second} == set(by_uid(imap_server))
    assert box.connected


def test_filing_makes_a_missing_folder(imap_server, open_box):
    """Somebody deleted the folder while the worker ran."""
    imap_server.append(mail(1))
    box = open_box()

    filed = box.file(box.new_uids(0)[0], "En corrección")

    assert mail(1) == filed_raw(imap_server, filed)


def test_a_uid_of_an_older_uidvalidity_is_never_filed(imap_server, open_box):
    """The number would name another message now."""
    imap_server.append(mail(1))
    box = open_box()
    [uid] = box.new_uids(0)

    assert box.file(uid, "Recibidas", uidvalidity=box.state().uidvalidity + 1) is None
    assert {uid} == set(by_uid(imap_server))
    assert box.file(uid, "Recibidas", uidvalidity=box.state().uidvalidity) is not None


def test_a_new_uidvalidity_is_told_after_connecting_again(imap_server, open_box):
    """The state shows that all UIDs known so far are void."""
    imap_server.append(mail(1))
    box = open_box()
    before = box.state()
    box.close()

    imap_server.bump_uidvalidity()

    box.connect()
    after = box.state()
    assert before.uidvalidity != after.uidvalidity
    assert [mail(1)] == [each.raw for each in box.fetch(box.new_uids(0))]


def test_a_uidvalidity_that_changes_under_an_open_connection_stops_the_work(imap_server, open_box):
    """Coming back from another folder to a rebuilt inbox raises: UIDs in hand are void."""
    imap_server.append(mail(1))
    box = open_box()
    box.prepare_folders(NAMES)
    filed = box.file(box.new_uids(0)[0], "Recibidas")
    imap_server.append(mail(2))
    imap_server.bump_uidvalidity()

    def look_elsewhere_and_come_back():
        box.holds(filed.folder, filed.uidvalidity, filed.uid)
        # A server may also merely hang up: then the next command tells.
        box.new_uids(0)

    with pytest.raises(MailboxUnavailable):
        look_elsewhere_and_come_back()
    assert not box.connected


def test_holds_tells_when_the_filed_copy_was_taken_away(imap_server, open_box):
    """Moved back by a person, another UIDVALIDITY, a deleted folder: the copy is not there."""
    imap_server.append(mail(1))
    imap_server.append(mail(2))
    box = open_box()
    first, second = box.new_uids(0)
    filed = box.file(first, "Recibidas")
    other = imap_server.client()
    other.select(encoded(filed.folder).decode())

    assert box.holds(filed.folder, filed.uidvalidity, filed.uid)
    assert not box.holds(filed.folder, filed.uidvalidity + 1, filed.uid)
    assert not box.holds(filed.folder, filed.uidvalidity, filed.uid + 1)
    assert not box.holds("Recibidas/Nunca", filed.uidvalidity, filed.uid)

    other.uid("MOVE", str(filed.uid), "INBOX")
    assert not box.holds(filed.folder, filed.uidvalidity, filed.uid)
    assert [second, second + 1] == box.new_uids(first)


SENT_OURS = mail(100, extra="In-Reply-To: <1@example.org>\r\nX-Practice-Intake-Reply: r-1\r\n")
SENT_HUMAN = mail(
    101,
    extra="References: <0@example.org>\r\n <1@example.org>\r\nDate: Mon, 2 Nov 2026 10:00:00 -0500\r\n",
)
SENT_OTHER = mail(102, extra="In-Reply-To: <2@example.org>\r\n")


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).strftime('"%d-%b-%Y %H:%M:%S +0000"')


def test_answers_in_sent_are_found_by_their_headers(imap_server, open_box):
    """Mails of ours and of people that name the Message-ID; ours are told by their header."""
    imap_server.client().create('"Enviados"')
    for raw in (SENT_OURS, SENT_HUMAN, SENT_OTHER):
        imap_server.append(raw, folder="Enviados", flags=())
    before = imap_server.snapshot("Enviados")
    box = open_box(sent="Enviados")

    answers = box.answers_to(["<1@example.org>"], datetime.now(UTC).date())

    assert [each.message_id for each in answers] == ["<100@example.org>", "<101@example.org>"]
    assert [each.reply_id for each in answers] == ["r-1", None]
    assert answers[1].references == ("<0@example.org>", "<1@example.org>")
    assert datetime(2026, 11, 2, 15, tzinfo=UTC) == answers[1].date
    assert before == imap_server.snapshot("Enviados")
    assert box.new_uids(0) == []


def test_answers_older_than_the_day_are_not_read(imap_server, open_box):
    """SEARCH gets a day and nothing else; an earlier day asked later is read again."""
    imap_server.client().create('"Enviados"')
    imap_server.append(SENT_HUMAN, folder="Enviados", date=days_ago(10))
    imap_server.append(SENT_OURS, folder="Enviados", date=days_ago(1))
    box = open_box(sent="Enviados")
    today = datetime.now(UTC).date()

    recent = box.answers_to(["1@example.org"], today - timedelta(days=2))
    older = box.answers_to(["1@example.org"], today - timedelta(days=20))

    assert [each.message_id for each in recent] == ["<100@example.org>"]
    assert {"<100@example.org>", "<101@example.org>"} == {each.message_id for each in older}


def test_a_later_answer_is_found_and_asking_again_is_cheap(imap_server, open_box):
    """Asked before each judgement and each sending: one command when nothing new lies in Sent."""
    imap_server.client().create('"Enviados"')
    imap_server.append(SENT_OURS, folder="Enviados")
    box = open_box(sent="Enviados")
    day = datetime.now(UTC).date()
    assert len(box.answers_to(["<1@example.org>"], day)) == 1
    before = box.commands

    assert len(box.answers_to(["<1@example.org>"], day)) == 1
    assert box.commands - before == 1

    imap_server.append(SENT_HUMAN, folder="Enviados")
    assert len(box.answers_to(["<1@example.org>"], day)) == 2


def test_without_a_sent_folder_nothing_is_asked(imap_server, open_box):
    """An empty setting means that there is none to search."""
    box = open_box()
    before = box.commands

    assert box.answers_to(["<1@example.org>"], date(2026, 11, 1)) == []
    assert before == box.commands


def test_a_copy_is_put_into_sent_as_read(imap_server, open_box):
    """With the moment at which it was sent."""
    imap_server.client().create('"Enviados"')
    box = open_box(sent="Enviados")

    box.append_sent(mail(7), datetime(2026, 11, 2, 15, tzinfo=UTC))

    [(_, flags, raw)] = imap_server.snapshot("Enviados")
    assert (frozenset({"\\Seen"}), mail(7)) == (flags, raw)


def test_waiting_ends_when_mail_arrives(imap_server, open_box):
    """IDLE wakes well before its time is over."""
    box = open_box()
    threading.Timer(0.3, imap_server.append, [mail(1)]).start()
    begun = time.monotonic()

    assert box.wait(20, threading.Event())
    assert time.monotonic() - begun < 10
    assert len(box.new_uids(0)) == 1


def test_waiting_ends_with_its_time(imap_server, open_box):
    """Nothing came: False, and the connection is as good as before."""
    box = open_box()

    assert not box.wait(0.3, threading.Event())
    assert box.new_uids(0) == []


def test_waiting_ends_when_told_to_stop(imap_server, open_box):
    """A worker that is told to end does not wait out an IDLE of minutes."""
    box = open_box()
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    begun = time.monotonic()

    assert not box.wait(60, stop)
    assert time.monotonic() - begun < 5


def test_waiting_on_a_server_without_idle_just_waits(imap_server, open_box):
    """Then polling has to do."""
    box = open_box()
    box._link.capabilities -= {"IDLE"}
    before = box.commands

    assert not box.wait(0.05, threading.Event())
    assert before == box.commands


def test_move_is_known_though_it_is_announced_after_sign_in(imap_server, open_box):
    """Both servers tell MOVE only to those who signed in."""
    box = open_box()

    assert "MOVE" not in box._link.client.capabilities
    assert box.can_file
    assert {"MOVE", "UIDPLUS", "IDLE"} <= box._link.capabilities


def test_a_wrong_password_is_for_the_operator(imap_server):
    """It does not pass by waiting; the text names the remedy and not the password."""
    box = ImapMailbox(imap_server.settings(password="falsch"), max_bytes=1000)

    with pytest.raises(SignInRefused) as caught:
        box.connect()

    assert "settings.toml" in str(caught.value)
    assert "falsch" not in str(caught.value)
    assert not box.connected


def test_a_password_with_accents_signs_in_by_sasl(imap_server):
    """LOGIN cannot carry it; it is refused here only because it is another password."""
    box = ImapMailbox(imap_server.settings(password="contraseña"), max_bytes=1000)

    with pytest.raises(SignInRefused):
        box.connect()


def test_an_inbox_that_is_not_there_is_an_operators_matter(imap_server):
    """A misspelt folder in the settings."""
    box = ImapMailbox(imap_server.settings(inbox="No hay"), max_bytes=1000)

    with pytest.raises(MailboxUnavailable):
        box.connect()
    assert not box.connected


def test_after_a_failure_the_mailbox_can_be_connected_again(imap_server, open_box):
    """A dropped line raises once, and nothing works on it until it is connected again."""
    imap_server.append(mail(1))
    box = open_box()
    box._link.client.sock.shutdown(socket.SHUT_RDWR)

    with pytest.raises(MailboxUnavailable):
        box.new_uids(0)
    assert not box.connected
    with pytest.raises(MailboxUnavailable):
        box.state()
    box.connect()
    assert len(box.new_uids(0)) == 1


def test_waiting_notices_that_the_server_hung_up(imap_server, open_box):
    """A closed connection is readable for ever; it must neither spin nor pass for quiet."""
    box = open_box()
    threading.Timer(0.2, box._link.client.sock.shutdown, [socket.SHUT_RDWR]).start()
    begun = time.monotonic()

    with pytest.raises(MailboxUnavailable):
        box.wait(30, threading.Event())
    assert time.monotonic() - begun < 5


def test_one_message_that_the_server_withholds_stops_no_other(imap_server, open_box, monkeypatch):
    """Some servers refuse a whole FETCH for one damaged message: then each is asked for alone."""
    for number in range(3):
        imap_server.append(mail(number))
    box = open_box()
    uids = box.new_uids(0)
    ask = box._link.uid

    def damaged(name, *args):
        asked = args[0].replace(":", ",").split(",")
        if name == "FETCH" and "BODY" in args[1] and (str(uids[1]) in asked or len(asked) > 1):
            return "NO", [b"[SERVERBUG] message is damaged"]
        return ask(name, *args)

    monkeypatch.setattr(box._link, "uid", damaged)

    fetched = list(box.fetch(uids))

    assert [mail(0), None, mail(2)] == [each.raw for each in fetched]
    assert [each.withheld for each in fetched] == [False, True, False]


def test_nobody_listens():
    """No server at that port: to be tried again, and said so."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    from config.settings import Mailbox

    settings = Mailbox(
        host="127.0.0.1", port=port, security="plain", address="a@example.org", timeout_seconds=2
    )

    with pytest.raises(MailboxUnavailable) as caught:
        ImapMailbox(settings, max_bytes=1000).connect()
    assert caught.value.passing
    assert str(port) in str(caught.value)


def test_a_server_that_says_nothing_is_given_up_after_the_timeout():
    """imaplib alone would wait for ever."""
    from config.settings import Mailbox

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        settings = Mailbox(
            host="127.0.0.1", port=port, security="plain", address="a@example.org", timeout_seconds=0.3
        )

        with pytest.raises(MailboxUnavailable):
            ImapMailbox(settings, max_bytes=1000).connect()


def test_several_mails_are_filed_with_one_command_and_one_that_is_gone_is_told(imap_server):
    """The copies' UIDs come back for each; what somebody moved meanwhile counts as gone."""
    for number in range(3):
        imap_server.append(f"Subject: {number}\r\n\r\nx\r\n".encode())
    mailbox = ImapMailbox(imap_server.settings(), max_bytes=100_000)
    mailbox.connect()
    mailbox.prepare_folders(["Recibidas"])
    uids = mailbox.new_uids(0)

    filed = mailbox.file_all([*uids, max(uids) + 7], "Recibidas", uidvalidity=mailbox.state().uidvalidity)

    assert {uid for uid, place in filed.items() if place is None} == {max(uids) + 7}
    places = [filed[uid] for uid in uids]
    assert all(mailbox.holds(place.folder, place.uidvalidity, place.uid) for place in places)
    assert len({place.uid for place in places}) == 3
    assert imap_server.snapshot() == []
    mailbox.close()
