from tcplab.wire.checksum import ones_complement, pseudo_header


def test_example_of_rfc_1071():
    """RFC 1071 §3: the words 0001 f203 f4f5 f6f7 sum to ddf2; the checksum is its complement."""
    assert ones_complement(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2 ^ 0xFFFF


def test_odd_octet_counts_as_the_high_one():
    assert ones_complement(b"\x12") == 0x1200 ^ 0xFFFF


def test_data_with_its_own_checksum_sums_to_zero():
    assert ones_complement(bytes.fromhex("0001f203f4f5f6f7220d")) == 0


def test_pseudo_headers():
    assert pseudo_header(b"\1\2\3\4", b"\5\6\7\10", 6, 20) == bytes.fromhex(
        "010203040506070800060014"
    )
    assert pseudo_header(b"\1" * 16, b"\2" * 16, 58, 70_000) == (
        b"\1" * 16 + b"\2" * 16 + bytes.fromhex("000111700000003a")
    )
