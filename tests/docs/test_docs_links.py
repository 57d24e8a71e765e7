"""Every link of the documentation leads somewhere, and every page is found from the first one."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.pages import ROOT, Page, all_pages, read


@pytest.mark.parametrize("page", all_pages(), ids=str)
def test_every_link_to_a_file_leads_to_one_and_every_anchor_to_a_heading(page: Page) -> None:
    broken = []
    for line, target in page.links():
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.path.parent / path).resolve() if path else page.path
        if not file.is_relative_to(ROOT) or not file.exists():
            broken.append(f"{page}:{line}: {target} is not there")
        elif anchor and file.suffix == ".md" and anchor not in read(file).anchors():
            broken.append(f"{page}:{line}: {file.name} has no heading #{anchor}")
    assert not broken, "\n".join(broken)


def test_the_index_names_every_page_of_docs() -> None:
    index = ROOT / "docs" / "README.md"
    named = {
        (index.parent / target.partition("#")[0]).resolve() for _, target in read(index).links()
    }
    missing = sorted(set((ROOT / "docs").rglob("*.md")) - named - {index})
    assert not missing, f"docs/README.md does not name {[each.name for each in missing]}"


def test_no_page_names_a_folder_of_the_machine_that_it_was_written_on() -> None:
    home = str(Path.home())
    found = [str(page) for page in all_pages() if f"{home}/" in page.text]
    assert not found
