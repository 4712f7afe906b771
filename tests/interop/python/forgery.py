"""A self-signed certificate with the name of another certificate."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def forge(client, keys):
    """Creates the certificate. Returns a client that uses it."""
    genuine = x509.load_pem_x509_certificate((keys / client["certificate"]).read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(genuine.subject)
        .issuer_name(genuine.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(genuine.not_valid_before_utc)
        .not_valid_after(genuine.not_valid_after_utc)
        .sign(key, hashes.SHA256())
    )
    forged = {
        "client_id": client["client_id"],
        "certificate": "forged-" + client["certificate"],
        "key": "forged-" + client["key"],
    }
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (keys / forged["certificate"]).write_bytes(certificate.public_bytes(pem))
    (keys / forged["key"]).write_bytes(key.private_bytes(pem, *plain))
    return forged
