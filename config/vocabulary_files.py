"""Vocabularies from their files: keys in `NAME.toml`, each language's words in `NAME.LANGUAGE.toml`.

Names of the Unicode CLDR are added to countries as synonyms: they help to read, and are never shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from config.problems import fold, near, validated
from config.sources import Sources
from config.vocabulary import Term, Vocabulary
from config.words import VocabularyShape, VocabularyWords


def read_vocabularies(
    sources: Sources, languages: Iterable[str], problems: list[str]
) -> dict[str, Vocabulary]:
    """All vocabularies by name; problems are added for what is wrong.

    Args:
        sources: Files of `vocabularies/`.
        languages: Languages in which every term needs its title.
        problems: Receives one line for each thing wrong.
    """
    vocabularies: dict[str, Vocabulary] = {}
    required = tuple(languages)
    for name in sources.stems():
        raw = sources.read(f"{name}.toml", problems)
        shape = (
            None if raw is None else validated(VocabularyShape, raw, f"{sources.folder}{name}.toml", problems)
        )
        words = _read_words(sources, name, required, problems)
        if shape:
            place = f"{sources.folder}{name}"
            _check_words(shape, words, required, place, problems)
            vocabularies[name] = _vocabulary(name, shape, words)
            _check_ambiguous(vocabularies[name], place, problems)
    return vocabularies


def _read_words(
    sources: Sources, name: str, languages: tuple[str, ...], problems: list[str]
) -> dict[str, VocabularyWords]:
    words: dict[str, VocabularyWords] = {}
    for language in dict.fromkeys((*languages, *sources.languages(name))):
        file = f"{name}.{language}.toml"
        if file not in sources.paths:
            problems.append(f"{sources.folder}{file}: is missing; it holds the list's words in {language!r}")
            continue
        raw = sources.read(file, problems)
        read = None if raw is None else validated(VocabularyWords, raw, sources.folder + file, problems)
        if read:
            words[language] = read
    return words


def _check_words(
    shape: VocabularyShape,
    words: Mapping[str, VocabularyWords],
    languages: tuple[str, ...],
    place: str,
    problems: list[str],
) -> None:
    repeated = [key for key, count in Counter(shape.keys).items() if count > 1]
    problems.extend(f"{place}.toml: keys: {key} stands there twice" for key in repeated)
    for language, read in words.items():
        shown = f"{place}.{language}.toml"
        for table in ("titles", "shorts", "synonyms"):
            problems.extend(
                f"{shown}: {table}.{key}: is no term of this list{near(key, shape.keys)}"
                for key in getattr(read, table)
                if key not in shape.keys
            )
        if language in languages:
            problems.extend(
                f"{shown}: titles.{key}: is missing"
                for key in shape.keys
                if not read.titles.get(key, "").strip()
            )


def _vocabulary(name: str, shape: VocabularyShape, words: Mapping[str, VocabularyWords]) -> Vocabulary:
    names = _cldr_names(shape, words) if shape.cldr else {}
    terms = []
    for place, key in enumerate(shape.keys, start=1):
        synonyms = {
            language: (*read.synonyms.get(key, ()), *names.get((language, key), ()))
            for language, read in words.items()
        }
        terms.append(
            Term(
                key=key,
                number=place if shape.numbered else None,
                titles={language: read.titles[key] for language, read in words.items() if key in read.titles},
                shorts={language: read.shorts[key] for language, read in words.items() if key in read.shorts},
                synonyms={language: texts for language, texts in synonyms.items() if texts},
            )
        )
    unlisted = (*shape.unlisted, *(text for read in words.values() for text in read.unlisted))
    return Vocabulary(
        name=name, numbered=shape.numbered, terms=tuple(terms), unlisted=tuple(dict.fromkeys(unlisted))
    )


def _cldr_names(
    shape: VocabularyShape, words: Mapping[str, VocabularyWords]
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Language and key to the CLDR's name, where it is new and no other term's."""
    # Babel's data costs some ten milliseconds, which a command without countries need not pay at import.
    from babel import Locale, UnknownLocaleError

    taken = {fold(text): key for read in words.values() for key, text in _all_words(read)}
    taken |= {fold(text): "" for text in shape.unlisted}
    names: dict[tuple[str, str], tuple[str, ...]] = {}
    for language in words:
        try:
            territories = Locale.parse(language).territories
        except (UnknownLocaleError, ValueError):
            continue
        for key in shape.keys:
            name = territories.get(key)
            if name and taken.setdefault(fold(name), key) == key and name != words[language].titles.get(key):
                names[language, key] = (name,)
    return names


def _all_words(read: VocabularyWords) -> Iterable[tuple[str, str]]:
    yield from read.titles.items()
    yield from read.shorts.items()
    for key, texts in read.synonyms.items():
        for text in texts:
            yield key, text


def _check_ambiguous(vocabulary: Vocabulary, place: str, problems: list[str]) -> None:
    """One wording must never mean two terms: it would be read as the first, silently."""
    taken: dict[str, str] = dict.fromkeys(map(fold, vocabulary.unlisted), "unlisted")
    for term in vocabulary.terms:
        for table in (term.titles, term.shorts, term.synonyms):
            for language, texts in table.items():
                for text in (texts,) if isinstance(texts, str) else texts:
                    other = taken.setdefault(fold(text), term.key)
                    if other != term.key:
                        problems.append(
                            f"{place}.{language}.toml: {term.key}: {text!r} stands for {other} as well; "
                            "a wording can mean one thing only"
                        )
