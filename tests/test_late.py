"""A late module is loaded by the first name that is asked of it."""

from __future__ import annotations

import sys

import pytest

from aiohttpx.late import late


def test_is_loaded_when_a_name_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    module = late("colorsys")
    assert "colorsys" not in sys.modules
    found = module.rgb_to_hsv
    assert found is sys.modules["colorsys"].rgb_to_hsv
    assert vars(module)["rgb_to_hsv"] is found


def test_has_no_names_but_those_of_the_module() -> None:
    with pytest.raises(AttributeError, match="'colorsys' has no attribute 'nothing'"):
        late("colorsys").nothing  # noqa: B018  # which asks
