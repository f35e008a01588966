"""``facewire info`` and ``facewire health``."""

from __future__ import annotations

import click
from rich.table import Table

from facewire.cli.options import connect, console, server_option, talks_to_server, write_json

_EXIT_NO = 1


@click.command(epilog="Example:\n\n  facewire info --json | jq -r .contract_id")
@talks_to_server
def info(target: str, timeout_s: float, as_json: bool) -> None:
    """Show what a server runs: version, contract, models, devices, limits."""
    with connect(target, timeout_s) as client:
        found = client.server_info()
    if as_json:
        write_json(found)
        return
    out = console()
    out.print(
        f"facewire {found.version} at {target}, kernels {found.isa}, OpenVINO {found.openvino_version}\n"
        f"contract {found.contract_id}, running since {found.started_at:%Y-%m-%d %H:%M:%S %Z}"
    )
    models = Table("task", "model", "licence", "device", "precision", "inputs")
    for model in found.models:
        device = model.device
        if model.device_requested not in (model.device, "AUTO"):
            device = f"[red]{model.device} (fallen back from {model.device_requested})[/]"
        sizes = ", ".join(model.input_sizes)
        models.add_row(model.task, model.name, model.licence, device, model.precision, sizes)
    out.print(models)
    limits = found.limits
    out.print(
        f"limits: message {limits.max_message_bytes >> 20} MiB, picture {limits.max_image_pixels / 1e6:.0f} Mpx, "
        f"{limits.max_faces} faces a picture, {limits.max_images_per_enrol} pictures an enrolment, "
        f"{limits.max_templates_per_subject} templates a subject, {limits.max_pending_calls} pending calls"
    )
    for name, full_name in found.devices.items():
        out.print(f"device {name}: {full_name}")


@click.command(epilog="Example:\n\n  facewire serve & facewire health --wait 30 && facewire info")
@server_option
@click.option("--service", default="", help="A single service, for instance facewire.v1.GalleryService.")
@click.option("--timeout", "timeout_s", default=2.0, show_default=True, help="Seconds to wait for the answer.")
@click.option("--wait", "wait_s", default=0.0, help="Ask again for so many seconds until it is serving.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def health(target: str, service: str, timeout_s: float, wait_s: float, as_json: bool) -> int:
    """Ask whether a server is serving, through grpc.health. Exit code 1 if not, or if there is none."""
    with connect(target, timeout_s) as client:
        if wait_s > 0:
            client.wait_until_serving(wait_s)
        serving = client.is_serving(service=service, timeout_s=timeout_s)
    if as_json:
        write_json({"server": target, "serving": serving})
    else:
        click.secho("serving" if serving else "not serving", fg="green" if serving else "red")
    return 0 if serving else _EXIT_NO
