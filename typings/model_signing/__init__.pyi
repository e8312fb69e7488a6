from model_signing import signing as signing
from model_signing import verifying as verifying
