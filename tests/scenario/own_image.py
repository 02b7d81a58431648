# SPDX-License-Identifier: MIT
"""A name for the test image that nobody else gives to another one meanwhile.

Other tests may make the image anew at any moment, which the stage cache would notice.
"""

import contextlib
import uuid

from support import engine, make_images

REPOSITORY, TAG = "buildr-test", f"own-{uuid.uuid4().hex}"
IMAGE = f"{REPOSITORY}:{TAG}"


@contextlib.contextmanager
def own_image():
    make_images()
    engine("POST", f"/images/{REPOSITORY}:latest/tag?repo={REPOSITORY}&tag={TAG}")
    try:
        yield
    finally:
        # By force, since the last container may still be going; it is only a name.
        engine("DELETE", f"/images/{IMAGE}?force=1&noprune=1")
