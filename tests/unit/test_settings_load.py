"""Where a setting's value comes from, and what is said when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepwell.kernel.errors import SettingError
from stepwell.kernel.setting_kinds import AccessKey
from stepwell.kernel.settings import MASK, TABLE, Settings, check_server, load, mask_url, shown, variable


def test_a_flag_beats_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    (tmp_path / "stepwell.toml").write_text('port = 1\nregion = "eu-west-1"\nhost = "localhost"\n')
    loaded = load({"port": 3}, {"STEPWELL_PORT": "2", "STEPWELL_REGION": "eu-north-1"}, tmp_path)
    assert (loaded.settings.port, loaded.settings.region, loaded.settings.host) == (3, "eu-north-1", "localhost")
    assert loaded.sources["port"] == "--port"
    assert loaded.sources["region"] == "STEPWELL_REGION"
    assert loaded.sources["host"] == str(tmp_path / "stepwell.toml")
    assert loaded.sources["data"] == "default"


def test_every_setting_has_help_and_a_variable() -> None:
    assert all(row.metadata["help"] for row in TABLE.values())
    assert len({variable(name) for name in TABLE}) == len(TABLE)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("port", "http", "a whole number from 0 to 65535"),
        ("port", "70000", "a whole number from 0 to 65535"),
        ("store", "mysql://x", "sqlite:PATH"),
        ("access", "all", "one of open, keys"),
        ("account", "123", "12 digits"),
        ("lease-seconds", "soon", "seconds from 1 to 300"),
        ("log-level", "loud", "one of debug"),
        ("host", "", "a text that is not empty"),
    ],
)
def test_a_wrong_value_names_setting_value_source_and_remedy(
    name: str, value: str, wanted: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingError) as caught:
        load({}, {variable(name): value}, tmp_path)
    text = str(caught.value)
    assert name in text
    assert repr(value) in text
    assert variable(name) in text
    assert wanted in text


def test_a_wrong_secret_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingError) as caught:
        load({}, {"STEPWELL_ACCESS_KEYS": "hunter2"}, tmp_path)
    assert "hunter2" not in str(caught.value)


def test_an_unknown_name_in_the_file_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "stepwell.toml").write_text('loglevel = "debug"\n')
    with pytest.raises(SettingError, match="did you mean 'log-level'"):
        load({}, {}, tmp_path)


def test_an_unknown_variable_is_reported_but_does_no_harm(tmp_path: Path) -> None:
    assert load({}, {"STEPWELL_LOGLEVEL": "debug"}, tmp_path).unknown == ("STEPWELL_LOGLEVEL",)


def test_the_port_that_kubernetes_injects_is_passed_over(tmp_path: Path) -> None:
    assert load({}, {"STEPWELL_PORT": "tcp://10.0.0.1:4566"}, tmp_path).settings.port == 4566


def test_endpoints_gather_from_all_places(tmp_path: Path) -> None:
    (tmp_path / "stepwell.toml").write_text('[endpoints]\nsqs = "http://a:1"\nsns = "aws"\n')
    loaded = load({"endpoints": {"sqs": "http://c:3"}}, {"STEPWELL_ENDPOINT_DYNAMODB": "http://b:2/"}, tmp_path)
    assert loaded.settings.endpoints == {"sqs": "http://c:3", "sns": "aws", "dynamodb": "http://b:2"}


def test_access_keys_are_read_from_text_and_from_tables(tmp_path: Path) -> None:
    wanted = (AccessKey(id="A", secret="s"), AccessKey(id="B", secret="t", account="123456789012"))
    assert load({}, {"STEPWELL_ACCESS_KEYS": "A:s, B:t:123456789012"}, tmp_path).settings.access_keys == wanted
    (tmp_path / "stepwell.toml").write_text(
        'access-keys = ["A:s", {id = "B", secret = "t", account = "123456789012"}]\n'
    )
    assert load({}, {}, tmp_path).settings.access_keys == wanted


def test_a_missing_config_file_is_an_error_only_when_asked_for(tmp_path: Path) -> None:
    load({}, {}, tmp_path)
    with pytest.raises(SettingError, match="no such file"):
        load({}, {}, tmp_path, tmp_path / "other.toml")


def test_secrets_and_passwords_are_masked_when_shown() -> None:
    settings = Settings(store="postgresql://me:pw@db/x", access_keys=(AccessKey(id="A", secret="s3cret"),))
    assert shown("access-keys", settings) == MASK
    assert shown("store", settings) == f"postgresql://me:{MASK}@db/x"
    assert mask_url("http://host:80/x") == "http://host:80/x"
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        (Settings(host="0.0.0.0"), "access is 'open'"),
        (Settings(access="keys"), "without access-keys"),
        (Settings(store="postgresql://h/d"), "keys must be given"),
    ],
)
def test_a_server_refuses_settings_that_do_not_go_together(settings: Settings, wanted: str) -> None:
    with pytest.raises(SettingError, match=wanted):
        check_server(settings)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_addresses_may_be_open(host: str) -> None:
    check_server(Settings(host=host))
