"""Is a mail without a form about the call? Only what is unmistakable counts; all else is left for people.

The words are data (`config/phrases.<language>.toml`); here is only how they must stand together. Quoted
text never counts. Pure; it answers nothing and knows no case.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from config import Config
from config.phrases import Phrases
from intake.message import Message

# A longer mail has more on its mind than a form.
MOST_WORDS = 120
# Fewer words do not tell a language.
FEWEST_WORDS = 8
# How far from its noun a word of another object still belongs to it, in words: behind and before.
_BEHIND, _BEFORE = 6, 3
# How far before a request or a noun a negation still turns it, in words, within its clause.
_NEGATED = 4
# A request and a noun farther apart belong to different thoughts.
_FARTHEST = 14

# Kinds of files that say nothing by being there.
_NO_EVIDENCE = frozenset({"text", "empty", "calendar", "html"})

_LINK = re.compile(r"https?://\S+|\bwww\.\S+", re.IGNORECASE)
_DEEP_LINK = re.compile(r"(?:https?://)?[^/\s]+/[^/\s]{2,}", re.IGNORECASE)
_FILE_SERVICE = re.compile(
    r"https?://(?:[\w-]+\.)*(?:drive\.google\.com|docs\.google\.com|1drv\.ms|onedrive\.live\.com|sharepoint\.com|dropbox\.com"
    r"|db\.tt|wetransfer\.com|we\.tl|icloud\.com|mega\.nz|box\.com|mediafire\.com|smash\.com|fromsmash\.com)/",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\S+@\S+")
_WORD = re.compile(r"[^\W_]+|,")
_SENTENCE_END = re.compile(r"[.!?…]+(?=\s|$)|[¿¡;]|\n\s*\n")
_REPLY_MARK = re.compile(r"\s*(?:re|rv|fw|fwd|tr|ref|rép|rep|enc)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Somebody asks for the template.

    Attributes:
        language: In which they ask.
        also_question: They ask something else too, which a person answers.
    """

    language: str
    also_question: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mail:
    """Folded words of a mail: of subject and own text together, and the sentences that may hold a request."""

    all: tuple[str, ...]
    subject: tuple[str, ...]
    sentences: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lists:
    """Phrases of all languages together, for signs that do not depend on the request's language."""

    own: tuple[str, ...]
    foreign: tuple[str, ...]
    # What makes a mail that never names the call one about another matter.
    elsewhere: tuple[str, ...]
    danger: tuple[str, ...]
    questions: tuple[str, ...]


def template_request(
    message: Message, phrases: Mapping[str, Phrases], names: tuple[str, ...] = ()
) -> Request | None:
    """Whether the sender's own words are an unmistakable request for the template.

    One request phrase and one noun of ours in one sentence, nothing that turns it around, no word of
    danger, under 120 words. The subject counts as a sentence unless it is an answer's.

    Args:
        message: A person's mail without a form.
        phrases: Language to its words.
        names: Names of the open calls, which stand beside the noun as well as `own` words do.
    """
    text = message.own_text
    if len(_words(text)) >= MOST_WORDS:
        return None
    subject = "" if _REPLY_MARK.match(message.subject) else message.subject
    lists = _lists(tuple(phrases.values()), names)
    mail = _Mail(
        all=(*_words(message.subject), ",", *_words(text)),
        subject=_words(message.subject),
        sentences=tuple(sentence for part in (subject, text) for sentence in _sentences(part)),
    )
    if _holds(mail.all, lists.danger):
        return None
    found = [language for language, entry in phrases.items() if _asks(mail, entry, lists)]
    if not found:
        return None
    language = max(found, key=lambda name: _count(mail.all, phrases[name].common))
    # The request itself may be a question; a second one is another.
    further = text.count("?") + subject.count("?") > _own_marks(subject, text, phrases[language])
    return Request(language=language, also_question=further or _holds(mail.all, lists.questions))


def weak_evidence(message: Message, config: Config, kinds: AbstractSet[str]) -> str | None:
    """Whether a mail without a form may nevertheless bring a practice: worth a letter on formats, or a person.

    A phrase that names the call or the repository and words of sending, in subject, own text or file
    names, together with a file or a link.

    Args:
        message: The mail.
        config: Phrases, and the calls' own.
        kinds: What the attached files are by their bytes, inline pictures left out.

    Returns:
        The language of the phrases, or `None`.
    """
    if not (kinds - _NO_EVIDENCE) and not _shares_link(message.own_text, config):
        return None
    names = [_apart(attachment.name) for attachment in message.attachments if not attachment.inline]
    sentences = [
        sentence for text in (message.subject, message.own_text, *names) for sentence in _sentences(text)
    ]
    if not any(_names_call(sentence, config) for sentence in sentences):
        return None
    words = tuple(word for sentence in sentences for word in (*sentence, ","))
    counts = {
        language: (_count(words, entry.sending), _count(words, entry.common))
        for language, entry in config.phrases.items()
        if _holds(words, entry.sending)
    }
    return max(counts, key=lambda language: sum(counts[language]), default=None)


def _names_call(sentence: tuple[str, ...], config: Config) -> bool:
    calls = config.settings.calls
    return (
        any(_holds(sentence, (*call.phrases, *call.names.values())) for call in calls)
        or any(_holds(sentence, entry.call) for entry in config.phrases.values())
        or any(
            _holds(sentence, entry.compact) and _holds(sentence, entry.practice)
            for entry in config.phrases.values()
        )
    )


def withdrawal(text: str, phrases: Mapping[str, Phrases]) -> bool:
    """Whether words of withdrawal or erasure stand in a text; counts only in a known case's thread.

    Args:
        text: The sender's own words.
        phrases: Language to its words.
    """
    words = _words(text)
    return any(_holds(words, entry.withdrawal) for entry in phrases.values())


def language_of(text: str, config: Config) -> str | None:
    """The configured language whose small words are most frequent, if it is clearly so.

    Args:
        text: At least eight words, else `None`.
        config: `languages`, and `common` of their phrases.
    """
    words = _words(text[:5_000])
    if len(words) < FEWEST_WORDS:
        return None
    known = tuple(name for name in config.languages if name in config.phrases)
    telling = _telling(tuple(config.phrases[name].common for name in known))
    counts = Counter({name: _count(words, common) for name, common in zip(known, telling, strict=True)})
    (first, most), (_, next_most) = [*counts.most_common(2), ("", 0), ("", 0)][:2]
    return first if most >= 2 and most > 1.5 * next_most else None


@lru_cache(maxsize=8)
def _telling(lists: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """Small words without those that two languages share ("de", "la", "que"): they tell nothing."""
    folded = [frozenset(_words(" ".join(common))) for common in lists]
    shared = Counter(word for common in folded for word in common)
    return tuple(tuple(sorted(word for word in common if shared[word] == 1)) for common in folded)


@lru_cache(maxsize=8)
def _lists(entries: tuple[Phrases, ...], names: tuple[str, ...]) -> _Lists:
    questions = {_words(phrase) for entry in entries for phrase in entry.questions}
    foreign = tuple(phrase for entry in entries for phrase in entry.foreign)
    return _Lists(
        own=(*names, *(phrase for entry in entries for phrase in entry.own)),
        foreign=foreign,
        # Somebody who asks for the form asks about money and certificates as well.
        elsewhere=tuple(phrase for phrase in foreign if _words(phrase) not in questions),
        danger=tuple(phrase for entry in entries for phrase in entry.danger),
        questions=tuple(phrase for entry in entries for phrase in entry.questions),
    )


def _shares_link(text: str, config: Config) -> bool:
    """Whether a link seems to lead to files: to a file service, or in a paragraph with words of sending.

    The bare address of a site, as in signatures, is none.
    """
    for paragraph in re.split(r"\n\s*\n", text):
        links = _LINK.findall(paragraph)
        if any(_FILE_SERVICE.match(link) for link in links):
            return True
        if any(_DEEP_LINK.match(link) for link in links):
            words = _words(paragraph)
            if any(_holds(words, entry.sending) for entry in config.phrases.values()):
                return True
    return False


def _asks(mail: _Mail, entry: Phrases, lists: _Lists) -> bool:
    return any(
        _together(sentence, asked, noun, entry) and _is_ours(sentence, noun, mail, entry, lists)
        for sentence in mail.sentences
        for asked in _places(sentence, entry.requests)
        for noun in _places(sentence, entry.nouns)
    )


def _together(sentence: tuple[str, ...], asked: range, noun: range, entry: Phrases) -> bool:
    """Whether request and noun belong together and nothing turns the request around."""
    if _holds(sentence, entry.settled):
        return False
    start, end = min(asked.start, noun.start), max(asked.stop, noun.stop)
    if end - start > _FARTHEST + len(asked) + len(noun):
        return False
    return not (
        _holds(sentence[start:end], entry.negations)
        or _holds(_clause_before(sentence, asked.start), entry.negations)
        or _holds(_clause_before(sentence, noun.start), entry.negations)
    )


def _clause_before(sentence: tuple[str, ...], place: int) -> tuple[str, ...]:
    before = sentence[max(0, place - _NEGATED) : place]
    return before[len(before) - before[::-1].index(",") :] if "," in before else before


def _is_ours(sentence: tuple[str, ...], noun: range, mail: _Mail, entry: Phrases, lists: _Lists) -> bool:
    """Whether the noun means our form: beside a word of the call, or alone; never beside another object's."""
    if _holds(sentence[max(0, noun.start - _BEFORE) : noun.stop + _BEHIND], lists.foreign):
        return False
    if _holds(sentence, lists.own) or _holds(mail.subject, lists.own):
        return True
    # Nothing else says which form is meant: it must stand alone, in a mail about nothing else.
    if _holds(mail.all, lists.elsewhere):
        return False
    if _holds(sentence[noun.stop : noun.stop + 1], entry.joining):
        return False
    before = sentence[max(0, noun.start - 1) : noun.start]
    return not (entry.bare and before) or _holds(before, entry.bare)


def _own_marks(subject: str, text: str, entry: Phrases) -> int:
    """1 if the request itself ends in a question mark, else 0."""
    for part in (subject, text):
        start = 0
        for end in _SENTENCE_END.finditer(part):
            sentence = tuple(_words(part[start : end.start()], commas=True))
            if (
                "?" in end[0]
                and any(_places(sentence, entry.requests))
                and any(_places(sentence, entry.nouns))
            ):
                return 1
            start = end.end()
    return 0


def _sentences(text: str) -> Iterator[tuple[str, ...]]:
    for piece in _SENTENCE_END.split(_bare(text)):
        words = tuple(_words(piece, commas=True))
        if words:
            yield words


def _bare(text: str) -> str:
    return _ADDRESS.sub(" ", _LINK.sub(" ", text))


def _apart(name: str) -> str:
    """File names use marks and capitals where others use blanks."""
    return re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Ý])", " ", name)


@lru_cache(maxsize=32)
def _words(text: str, *, commas: bool = False) -> tuple[str, ...]:
    """Folded words: without case, accents, plural -s; commas kept as words of their own if wanted."""
    found = _WORD.findall(_folded(_bare(text)))
    return tuple(_singular(word) for word in found if commas or word != ",")


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


@lru_cache(maxsize=256)
def _prepared(phrases: tuple[str, ...]) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Folded phrases by their first word."""
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for phrase in phrases:
        words = _words(phrase, commas=True)
        if words:
            found[words[0]] = (*found.get(words[0], ()), words)
    return found


def _holds(words: tuple[str, ...], phrases: tuple[str, ...]) -> bool:
    return any(True for _ in _places(words, phrases))


def _count(words: tuple[str, ...], phrases: tuple[str, ...]) -> int:
    return sum(1 for _ in _places(words, phrases))


def _places(words: tuple[str, ...], phrases: tuple[str, ...]) -> Iterator[range]:
    """Where any of the phrases stands, as whole words in a row."""
    prepared = _prepared(phrases)
    for index, word in enumerate(words):
        for phrase in prepared.get(word, ()):
            if words[index : index + len(phrase)] == phrase:
                yield range(index, index + len(phrase))
