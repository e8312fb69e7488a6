from gateway.core.placement import APPLICATIONS, application_name


def test_every_file_gets_an_application_of_its_own() -> None:
    one, other = (application_name("m", 1, f"sha256:{digit * 64}") for digit in "ab")
    assert one != other
    assert one != application_name("m", 2, f"sha256:{'a' * 64}")
    assert one.startswith(APPLICATIONS)
