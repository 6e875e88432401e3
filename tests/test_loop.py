"""The main road, from the form to the subscription and out again."""

from tests.builders import ANNE, World


def test_a_visitor_signs_up_confirms_leaves_and_comes_back(world: World) -> None:
    assert world.sign_up(ANNE).status_code == 202
    link = world.confirm_link(ANNE)
    assert world.get(link).status_code == 200
    assert not world.subscriptions()
    assert world.post(link).status_code == 200
    assert [one.state for one in world.subscriptions()] == ["confirmed"]
    assert world.post(world.leave_link(ANNE)).status_code == 200
    assert [one.state for one in world.subscriptions()] == ["unsubscribed"]
    world.clock.forward(minutes=15)
    world.subscribe(ANNE)
    assert [one.state for one in world.subscriptions()] == ["unsubscribed", "confirmed"]
