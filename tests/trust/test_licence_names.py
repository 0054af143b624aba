"""What people write for a licence comes to its SPDX name; what is no licence stays as it was written."""

import pytest

from sfumato.trust.licence_names import spdx_of
from sfumato.trust.licences import CLASSES, class_of


@pytest.mark.parametrize(("written", "spdx"), [
    ("public domain", "LicenseRef-public-domain"), ("Public Domain Mark 1.0", "CC-PDM-1.0"), ("CC0", "CC0-1.0"),
    ("CC0 1.0 Universal", "CC0-1.0"), ("CC Zero", "CC0-1.0"), ("cc by 4.0", "CC-BY-4.0"), ("CC-BY 4", "CC-BY-4.0"),
    ("Creative Commons Attribution 4.0 International License", "CC-BY-4.0"), ("cc_by_sa 3.0", "CC-BY-SA-3.0"),
    ("Creative Commons Attribution-ShareAlike 3.0 Unported", "CC-BY-SA-3.0"),
    ("CC Attribution Non-Commercial 4.0", "CC-BY-NC-4.0"), ("The MIT License", "MIT"), ("mit", "MIT"), ("Expat", "MIT"),
    ("Apache License, Version 2.0", "Apache-2.0"), ("apache 2", "Apache-2.0"), ("GPLv3", "GPL-3.0"),
    ("GPL v2", "GPL-2.0"), ("GNU General Public License v3", "GPL-3.0"), ("SIL Open Font License 1.1", "OFL-1.1"),
    ("BSD 3-Clause", "BSD-3-Clause"), (" MIT ", "MIT"),
])  # fmt: skip
def test_other_names_of_licences(written, spdx):
    assert spdx_of(written) == spdx
    assert class_of(spdx_of(written)) != "unknown"


@pytest.mark.parametrize("name", CLASSES)
def test_an_spdx_name_is_its_own_in_any_case(name):
    assert spdx_of(name) == spdx_of(name.lower()) == spdx_of(name.upper()) == name


@pytest.mark.parametrize("written", [
    "", "NOASSERTION", "MIT OR Apache-2.0", "mine", "ask Bea", "CC BY", "GPL", "by 4.0", "not CC BY 4.0",
    "CC BY 4.0, but no logos", "MIT AND CC-BY-4.0", "version 2.0",
])  # fmt: skip
def test_what_is_not_plainly_one_licence_stays_as_it_was_written(written):
    assert spdx_of(written) == written
