"""`/v1/keys` while identity is off; with it on, see test_identity.py."""

from tests.lifecycle.api.conftest import Admin


async def test_keys_can_be_made_before_they_are_needed(admin: Admin) -> None:
    made = await admin.http.post("/v1/keys", json={"name": "ann", "role": "admin"})
    again = await admin.http.post("/v1/keys", json={"name": "ann", "role": "viewer"})
    odd = await admin.http.post("/v1/keys", json={"name": "bob", "role": "king"})
    gone = await admin.http.delete("/v1/keys/nobody")
    codes = [answer.status_code for answer in (made, again, odd, gone)]
    assert codes == [201, 409, 400, 404]
    assert made.json()["secret"].startswith("hr_")
