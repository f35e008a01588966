"""What is exported beside weights, and what a training's files say: where mistakes would be quiet."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from facewire_lab.errors import LabError
from facewire_lab.faces import FaceFacts, PreparedFaces, load_faces
from tests.integration.test_cli import run
from tests.lab.made_up import ORIGIN, write_faces

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

torch = pytest.importorskip("torch", reason="PyTorch is not installed; 'make lab-test' installs it")

from facewire_lab.adapter import Adapter, adapter_loss  # noqa: E402 - needs PyTorch
from facewire_lab.checkpoint import Checkpoint, save_checkpoint  # noqa: E402
from facewire_lab.cnn import Classic, MobileFaceNet, PeopleHead  # noqa: E402
from facewire_lab.cnn_export import _threshold, _told  # noqa: E402
from facewire_lab.degradation import FAR, any_degradation  # noqa: E402
from facewire_lab.export import Order, export_run, trained  # noqa: E402
from facewire_lab.frozen import FrozenEmbedder  # noqa: E402
from facewire_lab.ir import check_ir, to_ir  # noqa: E402
from facewire_lab.journal import read_journal  # noqa: E402
from facewire_lab.likeness import psnr, ssim  # noqa: E402
from facewire_lab.pairs import auc  # noqa: E402
from facewire_lab.picture_input import PICTURE  # noqa: E402
from facewire_lab.recipes import AdapterRecipe, CnnRecipe  # noqa: E402
from facewire_lab.restorer import Restorer  # noqa: E402
from facewire_lab.training import BEST, CHECKPOINT  # noqa: E402
from facewire_lab.vae import Decoder, Encoder, draw, kl_of_units  # noqa: E402
from facewire_lab.vae_export import _curve, knowledge_of  # noqa: E402
from facewire_server.config import Config  # noqa: E402
from facewire_server.inference.manifest import load_manifest  # noqa: E402
from facewire_server.inference.model_cache import ModelCache  # noqa: E402
from facewire_server.inference.specs import EmbedderModel  # noqa: E402
from facewire_server.loading import LoadedModels  # noqa: E402

RANDOM = np.random.default_rng(1)


def test_every_measurement_stays_in_its_file_however_often_a_training_goes_on(tmp_path: Path) -> None:
    faces, folder = write_faces(tmp_path / "faces", count=24, each=4), tmp_path / "run"
    small = [text for setting in ("width=4", "batch=4", "latent=8", "held_out=0.4") for text in ("--set", setting)]
    every = ["--set", "checkpoint_every=2", "--set", "validate_every=2", "--set", "patience=0"]
    for steps in (4, 6, 6):
        done = run("lab", "train", "vae", faces, folder, *small, *every, "--set", f"steps={steps}")
        assert done.returncode == 0, done.stderr
    assert [row["step"] for row in read_journal(folder / "validation.csv")] == ["2", "4", "6"]
    assert [row["step"] for row in read_journal(folder / "log.csv")] == [str(step) for step in range(6)]


def test_a_latent_of_as_many_numbers_as_faces_are_checked_is_exported(tmp_path: Path) -> None:
    faces, folder = write_faces(tmp_path / "faces", count=24, each=4), tmp_path / "run"
    small = [text for setting in ("width=4", "batch=4", "latent=16", "steps=2") for text in ("--set", setting)]
    assert run("lab", "train", "vae", faces, folder, *small).returncode == 0
    done = run(
        "lab",
        "export",
        folder,
        tmp_path / "out",
        "--name",
        "x",
        *ORIGIN,
        "--faces",
        faces,
    )
    assert done.returncode == 0, done.stderr
    assert load_manifest(tmp_path / "out" / "x.toml").get("x").licence == "own"


@pytest.mark.parametrize("count", [2, 5, 10, 50, 376, 5000])
def test_few_faces_tell_no_small_shares(count: int) -> None:
    """Of new faces of the same kind hardly any may be refused at the default of 0.2 %."""
    random, refused = np.random.default_rng(4), []
    new = random.normal(0.6, 0.1, 5_000)
    for _ in range(100):
        curve = tomllib.loads(_curve(np.sort(random.normal(0.6, 0.1, count))))
        assert curve["scores"] == sorted(curve["scores"])
        assert curve["rates"][0] == 0
        assert all(rate == 0 or rate >= 1 / count for rate in curve["rates"])
        refused.append((np.interp(new, curve["scores"], curve["rates"]) < 0.002).mean())
    assert np.mean(refused) < 0.005


def test_identity_is_what_differs_between_people() -> None:
    """Two directions tell people apart, two change from picture to picture."""
    people = np.repeat(np.arange(60), 5)
    between = RANDOM.normal(0, 1, (60, 4)) * [3, 3, 0.1, 0.1]
    latents = between[people] + RANDOM.normal(0, 1, (300, 4)) * [0.3, 0.3, 3, 3]
    known = knowledge_of(latents, people)
    assert known.identity @ known.identity == pytest.approx(known.identity, abs=1e-9), "a projection"
    assert np.abs(known.identity - np.diag([1, 1, 0, 0])).max() < 0.35
    assert known.donors.shape == (100, 4)
    assert np.cov(known.donors.T).diagonal() == pytest.approx(np.cov(latents.T).diagonal(), rel=0.4)
    alone = knowledge_of(latents, np.arange(300))
    assert alone.identity == pytest.approx(np.eye(4)), "of people with one picture each all is replaced"


def test_people_are_divided_the_same_way_each_time() -> None:
    names = [f"{number}.jpg" for number in range(100)]
    people = [f"person {number % 20}" for number in range(90)] + [""] * 10
    chips = np.zeros((100, 112, 112, 3), np.uint8)
    faces = PreparedFaces(chips, FaceFacts("", 0.7, names, people), "")
    seen, held = faces.split(0.2)
    assert (len(seen) + len(held), set(seen) & set(held)) == (100, set())
    assert not set(faces.numbers[seen]) & set(faces.numbers[held])
    assert len(set(faces.numbers[held].tolist())) == 6, "of 30 people, as ten pictures are of nobody in particular"
    order = RANDOM.permutation(100)
    shuffled = PreparedFaces(chips, FaceFacts("", 0.7, [names[i] for i in order], [people[i] for i in order]), "")
    assert {order[row] for row in shuffled.split(0.2)[1]} == set(held.tolist())
    assert len(faces.split(0.0)[1]) == 0
    assert len(faces.with_at_least(2)) == 90


def test_the_networks_have_the_sizes_that_they_say() -> None:
    faces = torch.zeros(2, 3, 112, 112)
    for network in (Classic(16, 8), MobileFaceNet(16, 8)):
        assert network.eval()(faces).shape == (2, 16)
    assert sum(weight.numel() for weight in MobileFaceNet(128, 64).parameters()) == pytest.approx(1.0e6, rel=0.1)
    small = torch.rand(2, 3, 64, 64)
    mean, log_variance = Encoder(8, 4)(small)
    assert mean.shape == log_variance.shape == (2, 8)
    assert Decoder(8, 4)(mean).shape == small.shape
    bright = torch.rand(2, 3, 112, 112)
    assert torch.allclose(Restorer(8, 1)(bright), bright, atol=1e-2), "untrained it changes nothing"
    dark = Restorer(8, 1)(bright * 0.1 - 0.95)
    assert dark.mean() > -0.5, "but that it lights dark faces"


def test_the_reparameterised_latent_is_distributed_as_told_and_learns() -> None:
    mean, log_variance = torch.full((4000, 2), 1.5), torch.full((4000, 2), -1.0)
    mean.requires_grad_()
    log_variance.requires_grad_()
    drawn = draw(mean, log_variance)
    assert drawn.mean().item() == pytest.approx(1.5, abs=0.05)
    assert drawn.var().item() == pytest.approx(np.exp(-1), rel=0.1)
    drawn.square().sum().backward()
    assert mean.grad is not None
    assert log_variance.grad is not None
    assert (log_variance.grad != 0).any(), "gradients pass through the noise"
    normal = torch.distributions.Normal(1.5, float(np.exp(-0.5)))
    wanted = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0))
    assert kl_of_units(mean, log_variance)[0, 0].item() == pytest.approx(wanted.item(), rel=1e-4)


def test_a_cnns_threshold_is_of_people_who_were_held_out() -> None:
    """A hundred people with three pictures each, and twenty with one, who take part in nothing."""
    people = [f"person {number // 3}" for number in range(300)] + [f"single {number}" for number in range(20)]
    order = RANDOM.permutation(320)
    chips = RANDOM.integers(0, 256, (320, 112, 112, 3), dtype=np.uint8)
    facts = FaceFacts("", 1.0, [f"{row}.jpg" for row in order], [people[row] for row in order])
    recipe = CnnRecipe(held_out=0.4, least=2)
    torch.manual_seed(2)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 112 * 112, 8))
    threshold, pairs = _threshold(network, PreparedFaces(chips, facts, ""), recipe)

    several = PreparedFaces(chips, facts, "").with_at_least(2)
    _, held = several.split(0.4)
    assert len(held) == 120
    vectors = network(torch.from_numpy(several.chips[held]).permute(0, 3, 1, 2) / 127.5 - 1).detach()
    cosines = torch.nn.functional.cosine_similarity(vectors[:, None], vectors[None], dim=2).numpy()
    different = np.triu(several.numbers[held][:, None] != several.numbers[held][None], 1)
    assert pairs == different.sum() == 120 * 117 // 2
    assert (cosines[different] > threshold + 1e-5).mean() == pytest.approx(1e-3, abs=2 / pairs)


@pytest.mark.parametrize(
    ("name", "licence", "data", "message"),
    [
        ("sface-2021dec", "own", "made up", "the name of a packaged model"),
        ("mine", " ", "made up", "licence is a line of text"),
        ("mine", "own", "one | two", "data is a line of text"),
    ],
)
def test_names_and_origins_that_would_break_a_manifest_or_card_are_refused(
    tmp_path: Path, config: Config, name: str, licence: str, data: str, message: str
) -> None:
    with pytest.raises(LabError, match=message):
        export_run(Order(tmp_path, name, licence, data, None, config), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_too_few_pairs_tell_no_rate() -> None:
    assert "false-match rate 1 in 1,000 on 1000 pairs" in _told(0.4, 1000)
    assert "the highest of 999 pairs" in _told(0.4, 999)


def test_the_difference_of_an_export_is_that_of_half_precision_too() -> None:
    network = torch.nn.Conv2d(3, 1, 1, bias=False)
    with torch.no_grad():
        network.weight.fill_(1 + 2**-12)  # half precision has 1 + 2^-10 next to 1
    shape = (1, 3, 8, 8)
    file = to_ir(network, shape, "faces", ["out"])
    assert network.weight[0, 0, 0, 0].item() == 1 + 2**-12, "what was trained stays as it is"
    found = check_ir(file, network, shape, PICTURE, ["out"], torch.ones(2, 3, 8, 8), 1e-2)
    assert found.difference == pytest.approx(3 * 2**-12, rel=0.01)
    with pytest.raises(LabError, match="differ from PyTorch's"):
        check_ir(file, network, shape, PICTURE, ["out"], torch.ones(2, 3, 8, 8), 1e-4)


def test_a_best_state_that_the_last_checkpoint_knows_nothing_of_is_not_exported(tmp_path: Path) -> None:
    """A training was killed between the two, and has to do these steps again."""

    def state(step: int, best: int | None) -> Checkpoint:
        known = None if best is None else {"score": 1.0, "step": best, "worse_since": 0}
        return Checkpoint("vae", step, {}, "", {}, known, {})

    save_checkpoint(tmp_path / CHECKPOINT, state(10, 5))
    assert trained(tmp_path).step == 10
    save_checkpoint(tmp_path / BEST, state(15, 15))
    assert trained(tmp_path).step == 10
    save_checkpoint(tmp_path / BEST, state(5, 5))
    assert trained(tmp_path).step == 5


def test_margins_make_it_harder_for_the_right_person_alone() -> None:
    vectors, people = torch.randn(6, 8), torch.tensor([0, 1, 2, 0, 1, 2])
    torch.manual_seed(0)
    plain = PeopleHead(8, 3, "cosface", 0.0, 10.0)
    for loss in ("arcface", "cosface"):
        head = PeopleHead(8, 3, loss, 0.3, 10.0)
        head.load_state_dict(plain.state_dict())
        difference = head(vectors, people) - plain(vectors, people)
        right = torch.nn.functional.one_hot(people).bool()
        assert (difference[~right].abs() < 1e-4).all()
        assert (difference[right] < -0.1).all()


def test_an_adapter_moves_people_apart() -> None:
    """Of noise with a little of the person in it."""
    torch.manual_seed(1)
    people = torch.arange(8).repeat_interleave(3)
    vectors = torch.nn.functional.normalize(torch.randn(8, 32)[people] + 1.2 * torch.randn(24, 32))
    recipe = AdapterRecipe(strength=0.1)
    adapter = Adapter(32)
    before = adapter_loss(adapter, vectors, people, recipe).item()
    optimiser = torch.optim.Adam(adapter.parameters(), lr=0.01)
    for _ in range(50):
        optimiser.zero_grad()
        loss = adapter_loss(adapter, vectors, people, recipe)
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.7 * before
    assert torch.allclose(adapter.weight, adapter.weight.T)


def test_likeness_of_pictures() -> None:
    picture = torch.rand(2, 3, 64, 64) * 2 - 1
    assert ssim(picture, picture).tolist() == pytest.approx([1, 1])
    noisy = picture + 0.2 * torch.randn_like(picture)
    assert (ssim(picture, noisy) < 0.99).all()
    assert psnr(picture, picture + 0.2).tolist() == pytest.approx([10 * np.log10(4 / 0.04)] * 2, rel=1e-4)
    assert auc(torch.tensor([2.0, 3.0]), torch.tensor([1.0, 0.0])) == 1
    assert auc(torch.tensor([1.0]), torch.tensor([1.0])) == 0.5
    assert auc(torch.tensor([1.0, 3.0]), torch.tensor([2.0])) == 0.5


def test_spoilt_faces_are_spoilt_as_said() -> None:
    chip = RANDOM.integers(0, 256, (112, 112, 3)).astype(np.uint8)
    far = FAR.apply(chip, np.random.default_rng(0))
    assert far.shape == chip.shape
    assert (far == FAR.apply(chip, np.random.default_rng(0))).all()
    assert FAR.seen(chip, np.random.default_rng(0)).size == (28, 28)
    assert np.abs(np.diff(far.astype(int), axis=0)).mean() < 0.3 * np.abs(np.diff(chip.astype(int), axis=0)).mean()
    ways = [any_degradation(np.random.default_rng(seed)) for seed in range(400)]
    assert 0.05 < np.mean([way.light < 1 for way in ways]) < 0.25
    assert min(way.factor for way in ways) < 2
    assert max(way.factor for way in ways) == 4


def test_the_frozen_embedder_is_the_servers(
    model_cache: ModelCache, loaded_f32: LoadedModels, samples: Path, tmp_path: Path
) -> None:
    """The same embeddings of the same chips, and gradients."""
    assert run("lab", "prepare", samples, tmp_path / "faces", "--view", "1").returncode == 0
    faces = load_faces(tmp_path / "faces")
    spec = load_manifest().of("sface-2021dec", EmbedderModel)
    frozen = FrozenEmbedder(model_cache.verify(spec).xml, spec, 1.0)
    from facewire_lab.embedding import embed_faces  # noqa: PLC0415

    wanted = embed_faces(loaded_f32.embedder, faces, np.arange(len(faces)), lambda: None)
    chips = (torch.from_numpy(np.array(faces.chips)).permute(0, 3, 1, 2).float() / 127.5 - 1).requires_grad_()
    found = frozen(chips)
    assert found.detach().numpy() == pytest.approx(wanted, abs=2e-3)
    found.sum().backward()
    assert chips.grad is not None
    assert chips.grad.abs().sum() > 0
    assert not [weight for weight in frozen.parameters() if weight.requires_grad]
