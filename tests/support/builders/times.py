"""Times for tests: strategies for distributions and for files of measured times."""

from __future__ import annotations

from hypothesis import strategies as st

from tidemill.scaling.times.calibration import Calibration, Measured
from tidemill.scaling.times.catalogue import NAMES, USUAL, Grade
from tidemill.scaling.times.distributions import (
    Constant,
    Distribution,
    Samples,
    Triangular,
    Uniform,
)

SECONDS = st.floats(0, 86_400, allow_nan=False)
TEXTS = st.text(min_size=1, max_size=12)

DISTRIBUTIONS: st.SearchStrategy[Distribution] = st.one_of(
    st.builds(Constant, SECONDS),
    st.lists(SECONDS, min_size=2, max_size=2).map(lambda two: Uniform(*sorted(two))),
    st.lists(SECONDS, min_size=3, max_size=3).map(lambda three: Triangular(*sorted(three))),
    st.lists(SECONDS, min_size=1, max_size=9).map(lambda many: Samples(tuple(many))),
)


@st.composite
def measured(draw: st.DrawFn) -> Measured:
    """Draw a measured time."""
    distribution = draw(DISTRIBUTIONS)
    given = isinstance(distribution, Samples)
    return Measured(
        distribution=distribution,
        observed_at=draw(TEXTS),
        n=len(distribution.seconds) if given else draw(st.integers(1, 999)),  # type: ignore[union-attr,arg-type]
        source=draw(TEXTS),
        grade=draw(st.sampled_from(list(Grade))),
    )


CALIBRATIONS = st.builds(
    Calibration,
    stack=TEXTS,
    region=TEXTS,
    observed_at=TEXTS,
    times=st.dictionaries(st.sampled_from(NAMES), measured(), max_size=4),
    about=st.dictionaries(TEXTS, TEXTS, max_size=2),
)

MINUTE_BOOT = USUAL.exactly({"restart": 10.0}).with_boot(60.0, running=20.0)
"""An instance runs 20 s after its launch and works 40 s later; after a restart, 10 s later."""
