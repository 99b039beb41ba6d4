"""Verifies tokens with libraries that share no code with us: PyJWT, jwcrypto, Authlib.

Standard input: {"library", "now", "cases": [{"token", "jwk", "aud"?, "iss"?, "exp"?: true}]};
standard output: one verdict each.
"""
import datetime
import json
import sys
import time

SKEW = 30


def pyjwt(now):
    import jwt
    import jwt.api_jwt

    class At(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(now, tz)

    jwt.api_jwt.datetime = At

    def verify(case):
        key = jwt.PyJWK(case["jwk"]).key
        expected = {name: case[short] for name, short in (("audience", "aud"), ("issuer", "iss")) if short in case}
        required = {"require": ["exp"] if "exp" in case else []}
        jwt.decode(case["token"], key, algorithms=["ES256"], leeway=SKEW, options=required, **expected)

    return verify


def jwcrypto(now):
    from jwcrypto.jwk import JWK
    from jwcrypto.jwt import JWT

    time.time = lambda: now

    def verify(case):
        expected = {name: case[name] for name in ("aud", "iss") if name in case}
        # A time that is not named here is not looked at.
        times = {"exp": None} if "exp" in case else {}
        token = JWT(algs=["ES256"], check_claims={**expected, **times} or None)
        token.leeway = SKEW
        token.deserialize(case["token"], JWK(**case["jwk"]))

    return verify


def authlib(now):
    from authlib.jose import JsonWebKey, JsonWebToken

    def verify(case):
        expected = {name: {"essential": True, "value": case[name]} for name in ("aud", "iss") if name in case}
        if "exp" in case:
            expected["exp"] = {"essential": True}
        key = JsonWebKey.import_key(case["jwk"])
        JsonWebToken(["ES256"]).decode(case["token"], key, claims_options=expected).validate(now=now, leeway=SKEW)

    return verify


def accepts(verify, case):
    try:
        verify(case)
        return True
    except Exception:
        return False


asked = json.load(sys.stdin)
verify = {"PyJWT": pyjwt, "jwcrypto": jwcrypto, "Authlib": authlib}[asked["library"]](asked["now"])
json.dump([accepts(verify, case) for case in asked["cases"]], sys.stdout)
