from contract.errors import DecorumError, MalformedError


def test_an_error_says_what_is_wrong_and_what_to_do() -> None:
    class DoorError(DecorumError):
        title = "The door is shut"

    error = DoorError("Nobody answers.", "Ring the bell.")
    assert str(error) == "The door is shut: Nobody answers. Ring the bell."
    assert (error.detail, error.remedy) == ("Nobody answers.", "Ring the bell.")


def test_a_malformed_field_is_named_by_its_path_and_the_whole_by_a_dollar() -> None:
    assert MalformedError("Wrong.", "Correct it.", "$.a[0]").path == "$.a[0]"
    assert MalformedError("Wrong.", "Correct it.").path == "$"
    assert isinstance(MalformedError("Wrong.", "Correct it."), DecorumError)
