"""One reader of configuration: layers, ranges, unknown keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from facewire_server.config import ConfigError, load_config, parse_text


def test_layers_override_each_other(tmp_path: Path) -> None:
    file = tmp_path / "facewire.toml"
    file.write_text("[server]\nport = 1001\nhost = '127.0.0.2'\n[pipeline]\nworkers = 3\n")
    environment = {"FACEWIRE_SERVER__PORT": "1002", "FACEWIRE_MODELS__DETECTOR_SIZES": "320x320,640x640"}
    config = load_config(file, {"pipeline": {"workers": 4}}, environment)
    assert (config.server.host, config.server.port, config.workers) == ("127.0.0.2", 1002, 4)
    assert config.models.detector_sizes == ("320x320", "640x640")
    assert load_config(file, None, {}).server.port == 1001


def test_loopback_is_the_default() -> None:
    assert load_config(None, None, {}).server.host == "127.0.0.1"


def test_variables_that_are_no_settings_are_left_alone() -> None:
    environment = {"FACEWIRE_ISA": "scalar", "FACEWIRE_SERVER": "127.0.0.1:1", "FACEWIRE_CONFIG": "x", "HOME": "/"}
    assert load_config(None, None, environment) == load_config(None, None, {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[server]\nprot = 1\n", "server.prot: unknown setting"),
        ("[sever]\nport = 1\n", "sever: unknown setting"),
        ("[server]\nport = 70000\n", "server.port"),
        ("[server]\nport = 'http'\n", "server.port"),
        ("port = 1\n", "port: is no section"),
        ("[models]\ndetector_sizes = ['640x500']\n", "multiples of 32"),
        ("[models]\ndetector_sizes = []\n", "models.detector_sizes"),
        ("[decision]\ntarget_fpir = 0\n", "decision.target_fpir"),
        ("[models]\ndetector_device = 'GPX'\n", "models.detector_device"),
        ("[server\n", "not valid TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "facewire.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words):
        load_config(file, None, {})


def test_a_misspelt_variable_is_refused() -> None:
    with pytest.raises(ConfigError, match="no section 'sever'"):
        load_config(None, None, {"FACEWIRE_SEVER__PORT": "1"})
    with pytest.raises(ConfigError, match="unknown setting"):
        load_config(None, None, {"FACEWIRE_SERVER__PROT": "1"})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing.toml cannot be read"):
        load_config(tmp_path / "missing.toml", None, {})


def test_the_home_folder_may_be_written_as_a_tilde() -> None:
    config = load_config(None, {"gallery": {"path": "~/g.db"}}, {"FACEWIRE_MODELS__CACHE_DIR": "~/models"})
    assert config.gallery.path == Path.home() / "g.db"
    assert config.models.cache_dir == Path.home() / "models"


def test_a_password_in_the_index_address_is_not_logged() -> None:
    config = load_config(None, {"models": {"index_url": "https://me:hunter2@index.example/simple"}}, {})
    assert "hunter2" not in config.model_dump_json()
    assert "hunter2" not in repr(config)
    assert config.index_url == "https://me:hunter2@index.example/simple"


def test_lists_are_given_as_text_with_commas() -> None:
    assert parse_text("models", "detector_sizes", "640x640") == ["640x640"]
    assert parse_text("models", "detector_sizes", "320x320,640x640") == ["320x320", "640x640"]
    assert parse_text("gallery", "path", "data/a,b.db") == "data/a,b.db"


def test_a_variable_with_one_underscore_is_refused() -> None:
    with pytest.raises(ConfigError, match="two underscores"):
        load_config(None, None, {"FACEWIRE_SERVER_PORT": "1"})


def test_liveness_cannot_be_required_without_a_model() -> None:
    with pytest.raises(ConfigError, match="needs a model"):
        load_config(None, {"liveness": {"check": "require"}}, {})
