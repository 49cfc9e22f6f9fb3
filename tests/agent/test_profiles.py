from agent.profiles import Signals, classify


def test_on_a_companys_device_it_is_work_and_said_why() -> None:
    side = classify(Signals(ownership="company"))
    assert side.profile == "work"
    assert "company" in side.reason


def test_on_a_personal_device_nothing_is_called_work() -> None:
    side = classify(Signals(ownership="personal"))
    assert side.profile == "unknown"
    assert side.reason.endswith(".")
