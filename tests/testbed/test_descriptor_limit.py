"""The limit of descriptors: the kernel's own EMFILE, for one call, and nothing else."""

import os
import resource

import pytest

from tcplab.testbed.descriptor_limit import DescriptorLimit


def opened(limit: DescriptorLimit, count: int) -> str | None:
    """What the kernel says to one descriptor more."""
    with limit.with_open(count):
        try:
            os.close(os.open(os.devnull, os.O_RDONLY))
        except OSError as refusal:
            return refusal.strerror
    return None


@pytest.mark.parametrize("count", [3, 4, 1000])
def test_at_the_limit_the_kernel_gives_none(count):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert opened(DescriptorLimit(3), count) == "Too many open files"
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
    assert opened(DescriptorLimit(None), 0) is None


@pytest.mark.parametrize("count", [0, 2])
def test_below_it_there_are_more(count):
    assert opened(DescriptorLimit(3), count) is None


def test_without_a_limit_there_is_none():
    assert opened(DescriptorLimit(None), 100_000) is None


def test_the_limit_is_taken_back_after_an_error():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with pytest.raises(BlockingIOError), DescriptorLimit(0).with_open(0):
        raise BlockingIOError
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
