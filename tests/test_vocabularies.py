"""The lists people choose from: official words, United Nations names, and wordings that mean one thing."""

from __future__ import annotations

from pathlib import Path

import pytest

import config
from config import Config, ConfigError
from config.problems import fold
from config.sources import SHIPPED
from config.vocabulary import Term, Vocabulary

LANGUAGES = ("es", "en", "fr")


@pytest.fixture(name="shipped", scope="module")
def _shipped() -> Config:
    return config.load()


def term(shipped: Config, name: str, key: str) -> Term:
    found = shipped.vocabularies[name].get(key)
    assert found is not None
    return found


def meaning(vocabulary: Vocabulary, wording: str) -> set[str]:
    """Keys of the terms that a wording stands for, in any language."""
    return {
        term.key
        for term in vocabulary.terms
        for table in (term.titles, term.shorts, term.synonyms)
        for texts in table.values()
        for text in ((texts,) if isinstance(texts, str) else texts)
        if fold(text) == fold(wording)
    }


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("objectives", [str(number) for number in range(1, 24)]),
        ("sdgs", [str(number) for number in range(1, 18)]),
        (
            "principles",
            [
                *("people_centred", "international_cooperation", "national_sovereignty", "rule_of_law"),
                *("sustainable_development", "human_rights", "gender_responsive", "child_sensitive"),
                *("whole_of_government", "whole_of_society"),
            ],
        ),
        (
            "types",
            [
                *("project", "strategy", "policy", "partnership", "tool", "training", "campaign", "service"),
                "other",
            ],
        ),
        (
            "organisations",
            [
                *("member_state", "local_authority", "un_entity", "international_organization"),
                *("civil_society", "faith_based", "trade_union", "diaspora_organization", "private_sector"),
                *("financial_institution", "academia", "parliament", "human_rights_institution", "media"),
                *("red_cross", "other"),
            ],
        ),
        ("scopes", ["local", "national", "regional", "global"]),
        ("statuses", ["completed", "mostly_completed", "ongoing", "not_started"]),
        ("consent", ["yes", "no", "conditional", "pending"]),
        ("image_consent", ["yes", "no", "none"]),
        ("senders", ["contact", "other"]),
    ],
)
def test_the_keys_are_those_of_the_contract(shipped: Config, name: str, keys: list[str]) -> None:
    """In official order; what is filed never depends on a language."""
    assert [term.key for term in shipped.vocabularies[name].terms] == keys


def test_objectives_goals_and_principles_are_numbered_from_one(shipped: Config) -> None:
    """The other lists have no numbers that people could mean."""
    numbered = {name: vocabulary for name, vocabulary in shipped.vocabularies.items() if vocabulary.numbered}

    assert set(numbered) == {"objectives", "sdgs", "principles"}
    for vocabulary in numbered.values():
        count = len(vocabulary.terms)
        assert [term.number for term in vocabulary.terms] == list(range(1, count + 1))
        assert vocabulary.by_number(count) == vocabulary.terms[-1]
        assert vocabulary.by_number(count + 1) is None
    others = [v for name, v in shipped.vocabularies.items() if name not in numbered]
    assert all(term.number is None for vocabulary in others for term in vocabulary.terms)


def test_every_term_has_its_title_in_every_language(shipped: Config) -> None:
    """So that no list shows a hole, and none a word of another language."""
    assert len(shipped.vocabularies) == 11
    for vocabulary in shipped.vocabularies.values():
        assert vocabulary.terms
        for each in vocabulary.terms:
            assert set(LANGUAGES) == {language for language, title in each.titles.items() if title.strip()}


@pytest.mark.parametrize(
    ("name", "key", "language", "title"),
    [
        (
            "objectives",
            "1",
            "es",
            "Recopilar y utilizar datos exactos y desglosados para formular políticas con base empírica",
        ),
        (
            "objectives",
            "7",
            "fr",
            "S’attaquer aux facteurs de vulnérabilité liés aux migrations et les réduire",
        ),
        (
            "objectives",
            "12",
            "fr",
            (
                "Veiller à l’invariabilité et à la prévisibilité des procédures migratoires pour assurer des "
                "contrôles, des évaluations et une orientation appropriés"
            ),
        ),
        (
            "objectives",
            "16",
            "en",
            "Empower migrants and societies to realize full inclusion and social cohesion",
        ),
        (
            "objectives",
            "23",
            "es",
            (
                "Fortalecer la cooperación internacional y las alianzas mundiales para la migración segura, "
                "ordenada y regular"
            ),
        ),
        ("principles", "gender_responsive", "fr", "Prise en compte de la problématique femmes-hommes"),
        ("principles", "whole_of_society", "es", "Enfoque pansocial"),
        ("principles", "people_centred", "en", "People-centred"),
        ("sdgs", "5", "es", "Igualdad de género"),
        ("sdgs", "10", "en", "Reduced inequalities"),
        ("sdgs", "16", "fr", "Paix, justice et institutions efficaces"),
        ("types", "policy", "en", "Policy (including law, public measure)"),
        ("statuses", "mostly_completed", "es", "Ejecutada en su mayor parte"),
        ("consent", "pending", "es", "Pendiente de autorización interna"),
        ("scopes", "local", "es", "Local (distrito, provincia o departamento)"),
    ],
)
def test_titles_are_the_official_ones(
    shipped: Config, name: str, key: str, language: str, title: str
) -> None:
    """To the letter, apostrophes and accents included."""
    assert term(shipped, name, key).title(language) == title


def test_short_titles_are_the_hubs(shipped: Config) -> None:
    """Shown where room is scarce; the full title where there is none."""
    assert term(shipped, "objectives", "10").short("es") == "Erradicar la trata de personas"
    assert term(shipped, "objectives", "16").short("fr") == "Intégration et cohésion sociale"
    assert term(shipped, "sdgs", "5").short("en") == "Gender equality"


@pytest.mark.parametrize(
    ("name", "wording", "key"),
    [
        ("statuses", "en curso", "ongoing"),
        ("statuses", "En ejecución", "ongoing"),
        ("statuses", "ongoing", "ongoing"),
        ("statuses", "CULMINADA", "completed"),
        ("statuses", "planned", "not_started"),
        ("statuses", "Achevée", "completed"),
        ("organisations", "ONG", "civil_society"),
        ("organisations", "Municipalidad", "local_authority"),
        ("organisations", "Sindicatos", "trade_union"),
        ("organisations", "Milieux universitaires", "academia"),
        ("organisations", "NGO", "civil_society"),
        ("types", "Programa", "project"),
        ("types", "Law", "policy"),
        ("types", "Guía", "tool"),
        ("scopes", "Distrital", "local"),
        ("scopes", "Internacional", "global"),
        ("consent", "Autorizo", "yes"),
        ("consent", "No autorizo", "no"),
        ("consent", "Sous conditions", "conditional"),
        ("image_consent", "Sin imágenes", "none"),
        ("principles", "DDHH", "human_rights"),
        ("principles", "Enfoque de género", "gender_responsive"),
        ("objectives", "Control, evaluación y orientación", "12"),
        ("objectives", "Human trafficking", "10"),
        ("sdgs", "Faim zéro", "2"),
    ],
)
def test_usual_wordings_are_known(shipped: Config, name: str, wording: str, key: str) -> None:
    """Each list reads by its own words, and a wording stands for one term."""
    assert meaning(shipped.vocabularies[name], wording) == {key}


def test_cooperacion_internacional_is_a_principle_and_an_objective(shipped: Config) -> None:
    """Each list reads by its own vocabulary."""
    assert meaning(shipped.vocabularies["principles"], "Cooperación internacional") == {
        "international_cooperation"
    }
    assert meaning(shipped.vocabularies["objectives"], "Cooperación internacional") == {"23"}


def test_no_goal_is_known_among_the_objectives_nor_the_reverse(shipped: Config) -> None:
    """A goal typed in the objectives' question must never be filed as an objective, in any language."""
    goals, objectives = shipped.vocabularies["sdgs"], shipped.vocabularies["objectives"]
    goal_titles = [title for each in goals.terms for title in each.titles.values()]
    objective_titles = [title for each in objectives.terms for title in each.titles.values()]

    assert len(goal_titles) == 51
    assert len(objective_titles) == 69
    assert [title for title in goal_titles if meaning(objectives, title)] == []
    assert [title for title in objective_titles if meaning(goals, title)] == []


# Countries


def test_the_list_holds_the_states_of_the_united_nations(shipped: Config) -> None:
    """193 Members, the Holy See and the State of Palestine, each with a name in three languages."""
    countries = shipped.vocabularies["countries"]

    assert len(countries.terms) == 195
    assert all(len(each.key) == 2 and each.key.isupper() for each in countries.terms)
    assert countries.get("VA")
    assert countries.get("PS")
    # Kosovo, Taiwan, Western Sahara, Hong Kong, Puerto Rico.
    assert [key for key in ("XK", "TW", "EH", "HK", "PR") if countries.get(key)] == []
    for each in countries.terms:
        assert set(each.titles) == set(LANGUAGES)


@pytest.mark.parametrize(
    ("key", "names"),
    [
        (
            "BO",
            (
                "Bolivia (Estado Plurinacional de)",
                "Bolivia (Plurinational State of)",
                "Bolivie (État plurinational de)",
            ),
        ),
        ("CI", ("Côte d’Ivoire", "Côte d’Ivoire", "Côte d’Ivoire")),
        ("BY", ("Belarús", "Belarus", "Bélarus")),
        ("RU", ("Federación de Rusia", "Russian Federation", "Fédération de Russie")),
        ("KR", ("República de Corea", "Republic of Korea", "République de Corée")),
        ("MD", ("República de Moldova", "Republic of Moldova", "République de Moldova")),
        ("TR", ("Türkiye", "Türkiye", "Türkiye")),
        ("PS", ("Estado de Palestina", "State of Palestine", "État de Palestine")),
        ("VN", ("Viet Nam", "Viet Nam", "Viet Nam")),
        ("CZ", ("Chequia", "Czechia", "Tchéquie")),
        ("FJ", ("Fiji", "Fiji", "Fidji")),
        ("BH", ("Bahrein", "Bahrain", "Bahreïn")),
        ("PE", ("Perú", "Peru", "Pérou")),
        (
            "VE",
            (
                "Venezuela (República Bolivariana de)",
                "Venezuela (Bolivarian Republic of)",
                "Venezuela (République bolivarienne du)",
            ),
        ),
        ("CV", ("Cabo Verde", "Cabo Verde", "Cabo Verde")),
        ("SZ", ("Eswatini", "Eswatini", "Eswatini")),
        ("NL", ("Países Bajos", "Netherlands", "Pays-Bas")),
    ],
)
def test_countries_are_shown_by_their_united_nations_names(
    shipped: Config, key: str, names: tuple[str, ...]
) -> None:
    """Never by the CLDR's, which says Rusia, Turquía and Corea del Sur."""
    found = term(shipped, "countries", key)

    assert tuple(found.title(language) for language in LANGUAGES) == names


@pytest.mark.parametrize(
    ("wording", "key"),
    [
        ("Bolivia", "BO"),
        ("Rusia", "RU"),
        ("Corea del Sur", "KR"),
        ("North Korea", "KP"),
        ("Turquía", "TR"),
        ("Costa de Marfil", "CI"),
        ("EE. UU.", "US"),
        ("USA", "US"),
        ("Holanda", "NL"),
        ("venezolana", "VE"),
        ("peruano", "PE"),
        ("Péruvienne", "PE"),
        ("Nigerian", "NG"),
        ("Nigerien", "NE"),
        ("RDC", "CD"),
        # An exact short name of the United Nations is that country, however many others look alike.
        ("Congo", "CG"),
        ("Guinea", "GN"),
        ("Dominica", "DM"),
        ("República Dominicana", "DO"),
        ("Georgia", "GE"),
        # From the CLDR alone.
        ("Swaziland", "SZ"),
        ("Bahréin", "BH"),
    ],
)
def test_usual_names_and_demonyms_are_read(shipped: Config, wording: str, key: str) -> None:
    """For reading only."""
    assert meaning(shipped.vocabularies["countries"], wording) == {key}


@pytest.mark.parametrize(
    "wording",
    [
        "Corea",
        "Korea",
        "Guayana",
        "América",
        "Kosovo",
        "Taiwán",
        "Islas Malvinas",
        "Sáhara Occidental",
        "Macedonia",
    ],
)
def test_ambiguous_and_disputed_names_are_no_country(shipped: Config, wording: str) -> None:
    """They are kept as written and left to a person."""
    assert meaning(shipped.vocabularies["countries"], wording) == set()


def test_disputed_names_are_known_in_every_language(shipped: Config) -> None:
    """A note for staff, and nothing said to the sender."""
    unlisted = {fold(name) for name in shipped.vocabularies["countries"].unlisted}

    for name in (
        *("Kosovo", "Taiwán", "Taiwan", "Taïwan", "Malvinas", "Falkland Islands", "Îles Malouines"),
        *("Sáhara Occidental", "Western Sahara", "Sahara occidental", "Hong Kong", "Puerto Rico"),
    ):
        assert fold(name) in unlisted
    assert fold("Guayana") not in unlisted
    assert [name for name in unlisted if meaning(shipped.vocabularies["countries"], name)] == []


# The operator's own lists


def write(home: Path, name: str, text: str) -> None:
    (home / "vocabularies").mkdir(exist_ok=True)
    (home / "vocabularies" / name).write_text(text, encoding="utf-8")


def test_an_operator_adds_a_term_by_files_alone(tmp_path: Path) -> None:
    """The list's file and one file a language, as copies with a line more."""
    shown = {"es": "Observatorio", "en": "Observatory", "fr": "Observatoire"}
    text = (SHIPPED / "vocabularies/types.toml").read_text(encoding="utf-8")
    write(tmp_path, "types.toml", text.replace('"service"', '"service", "observatory"'))
    for language, title in shown.items():
        text = (SHIPPED / f"vocabularies/types.{language}.toml").read_text(encoding="utf-8")
        write(
            tmp_path,
            f"types.{language}.toml",
            text.replace("[titles]\n", f'[titles]\nobservatory = "{title}"\n'),
        )
    found = config.load(tmp_path).vocabularies["types"].get("observatory")

    assert found is not None
    assert found.titles == shown


def test_a_wording_that_stands_for_two_terms_is_told(tmp_path: Path) -> None:
    """It would be read as the first of them, silently."""
    text = (SHIPPED / "vocabularies/scopes.en.toml").read_text(encoding="utf-8")
    assert '"Nationwide"' in text
    write(tmp_path, "scopes.en.toml", text.replace('"Nationwide"', '"CITY"'))
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path)

    assert caught.value.problems == [
        "vocabularies/scopes.en.toml: national: 'CITY' stands for local as well; a wording can mean one thing only"
    ]


def test_a_key_given_twice_and_a_key_without_words_are_told(tmp_path: Path) -> None:
    """Both at once, by file."""
    write(tmp_path, "senders.toml", 'keys = ["contact", "other", "other", "nobody"]\n')
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path)

    assert set(caught.value.problems) == {
        "vocabularies/senders.toml: keys: other stands there twice",
        *(f"vocabularies/senders.{language}.toml: titles.nobody: is missing" for language in LANGUAGES),
    }
