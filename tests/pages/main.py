"""Uses pages in a browser. Arguments: the pages of a study, of a run and of a hostile run, and a folder for screenshots."""

import pathlib
import sys

import checks
import run_page
import study_page
from webdriver import Browser

study, run, hostile, shots = map(pathlib.Path, sys.argv[1:])
with Browser() as browser:
    study_page.use(browser, study, shots)
    run_page.use(browser, run, shots)
    run_page.use_hostile(browser, hostile, shots)
    checks.without_script(browser, study)
    checks.without_script(browser, run)
sys.exit(checks.failures > 0)
