"""How long a newcomer waits: what the base install downloads, and the seconds until the first picture is there.

    python bench/first.py [--anyway] [--write]

A wheel of this checkout is installed without torch into an empty environment, the studio is started on an empty
folder, somebody comes in by the address that it prints, asks for four pictures, and fetches the first one's bytes.
The seconds of the installation depend on the network, so they are told apart.
"""

import http.client
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measure
from measure import ROOT, say

CODE = ("pyproject.toml", "sfumato/web/*.py", "sfumato/generation/*.py", "sfumato/jobs/*.py", "bench/first.py")
FIGURES = ("seconds_to_first_picture", "download_mb")
SENTENCE = "a red apple, noto style"


def install(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Download the wheel and all that it needs, and install it into an environment of its own."""
    pip = [sys.executable, "-m", "pip"]
    quiet = ["-q", "--disable-pip-version-check"]
    start = time.perf_counter()
    subprocess.run([*pip, "wheel", *quiet, "--no-deps", "-w", folder / "own", ROOT], check=True)
    wheel = next((folder / "own").glob("sfumato-*.whl"))
    subprocess.run([*pip, "download", *quiet, "-d", folder / "all", wheel, "-c", ROOT / "constraints.txt"], check=True)
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    own = [python, "-m", "pip", "install", *quiet, "--no-index", "--find-links", folder / "all", wheel]
    subprocess.run(own, check=True)
    files = list((folder / "all").iterdir())
    size = sum(path.stat().st_size for path in files) / 1e6
    torch = subprocess.run([python, "-c", "import torch"], capture_output=True, check=False).returncode == 0
    if torch:
        raise RuntimeError("The base install brought torch along.")
    return python, {
        "download_mb": round(size, 1), "packages": len(files), "wheel_mb": round(wheel.stat().st_size / 1e6, 1),
        "install_seconds": round(time.perf_counter() - start, 1),
    }  # fmt: skip


def first_picture(python: Path, folder: Path) -> dict[str, Any]:
    """Start the studio on nothing, ask for pictures, and fetch the first one."""
    start = time.perf_counter()
    command = [python, "-m", "sfumato", "studio", "--no-browser", "--port", "0", "--workspace", folder / "workspace"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder) as studio:
        try:
            assert studio.stderr is not None
            found = next(filter(None, (re.search(r"127\.0\.0\.1:(\d+)(/launch/\S+)", line) for line in studio.stderr)))
            opened = time.perf_counter() - start
            data = fetch_first(int(found.group(1)), found.group(2))
            took = time.perf_counter() - start
        finally:
            studio.terminate()
            studio.wait(60)
    if not data.startswith((b"\x89PNG", b"RIFF", b"\xff\xd8")):
        raise RuntimeError("What came is no picture.")
    return {"seconds_to_open": round(opened, 2), "seconds_to_first_picture": round(took, 2), "picture_bytes": len(data)}


def fetch_first(port: int, launch: str) -> bytes:
    """Come in, ask for four pictures, wait for the job, and return the first picture's bytes."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(method: str, path: str, body: Any = None, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        line.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = line.getresponse()
        return answer, answer.read()

    entered, _ = ask("GET", launch)
    cookie = str(entered.getheader("set-cookie")).split(";")[0]
    _, page = ask("GET", "/create", Cookie=cookie)
    csrf = re.search(rb'name="csrf"[^>]*value="([^"]+)"', page)
    if csrf is None:
        raise RuntimeError("The page for creating carries no token.")
    own = {"Cookie": cookie, "X-CSRF-Token": csrf.group(1).decode(), "Origin": f"http://127.0.0.1:{port}",
           "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}  # fmt: skip
    answer, said = ask("POST", "/api/v1/requests", {"prompt": SENTENCE, "options": {"n": 4, "seed": 7}}, **own)
    if answer.status >= 300:
        raise RuntimeError(f"The studio would not draw: {said.decode()}")
    request, deadline = json.loads(said)["request_id"], time.monotonic() + 120
    while time.monotonic() < deadline:
        _, listed = ask("GET", "/api/v1/images?limit=8", Cookie=cookie)
        images = [one for one in json.loads(listed)["items"] if one.get("request_id", request) == request]
        if images:
            return ask("GET", f"/api/v1/images/{images[0]['id']}/file", Cookie=cookie)[1]
        time.sleep(0.05)
    raise RuntimeError("No picture came within two minutes.")


def for_people(result: dict[str, Any]) -> str:
    """The result as a page says it."""
    return "\n".join([
        measure.origin(result), "",
        f"From starting the studio on an empty folder to the first picture's bytes: "
        f"**{result['seconds_to_first_picture']:.1f} s** (the page is open after {result['seconds_to_open']:.1f} s). "
        f"The base install downloads **{result['download_mb']:.0f} MB** in {result['packages']} packages; "
        f"Sfumato's own wheel with the embedded model is {result['wheel_mb']:.0f} MB of it.",
    ])  # fmt: skip


def main() -> int:
    """Install, start, ask, and end with one line of JSON."""
    given = measure.arguments(__doc__.splitlines()[0]).parse_args()
    code = measure.code_hash(CODE)
    others = measure.wait_for_quiet(given.wait)
    begun = measure.stamped("first", code, others, anyway=given.anyway) | {"quick": given.quick}
    if others > measure.QUIET and not given.anyway:
        return measure.refuse(begun, FIGURES, f"other processes take {others:.2f} cores")
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        say("Installing the base into an empty environment.")
        python, found = install(folder)
        watch = measure.Others()
        found |= first_picture(python, folder)
        others = watch.cores()
    result = begun | measure.stamped("first", code, others, anyway=given.anyway) | found
    if given.write and result["counts"]:
        measure.keep("first", result)
        measure.write_section("first", for_people(result))
    return measure.finish(result, for_people(result))


if __name__ == "__main__":
    sys.exit(main())
